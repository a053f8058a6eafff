"""Tables as lenders have them, with everything that a demo has not: SQL that makes each, in a database of its own.

In each of them a forest can learn the outcome, and knows it from some columns that nobody knew when the loan was made.
"""

# 32 columns: an enum, a domain, booleans, a UUID, numbers with gaps, times, and persons.
LOAN_BOOK = """
CREATE SCHEMA lending;
CREATE TYPE lending.employment AS ENUM ('salaried', 'self-employed', 'retired', 'none');
CREATE DOMAIN lending.percent AS numeric CHECK (value >= 0);
CREATE TABLE lending."Loan Book" AS
SELECT
    md5(g::text)::uuid AS id,
    timestamptz '2022-01-01 10:00+00' + g * interval '5 hours' AS "opened at",
    round((1000 + 40000 * r1)::numeric, 2) AS amount,
    (ARRAY[12, 24, 36, 48, 60])[1 + g % 5]::smallint AS term,
    round((3 + 9 * r2)::numeric, 2)::lending.percent AS rate,
    CASE WHEN r3 > 0.12 THEN round((1200 + 4000 * r4)::numeric, 2) END AS "Monthly Income",
    (ARRAY['salaried', 'self-employed', 'retired', 'none'])[1 + g % 4]::lending.employment AS employment,
    r6 > 0.6 AS is_homeowner,
    (ARRAY['car', 'house', 'school', 'other'])[1 + g % 4] AS purpose,
    (ARRAY['north', 'south', 'east', 'west'])[1 + (g / 3) % 4]::varchar(10) AS region,
    CASE WHEN r5 > 0.05 THEN (300 + 550 * r7)::int END AS bureau_score,
    (10 * r8)::int AS open_accounts,
    r4::double precision AS utilisation,
    CASE WHEN r8 > 0.4 THEN date '2015-01-01' + (2000 * r8)::int END AS customer_since,
    (20 * r2)::int % 3 > 0 AS has_guarantor,
    date '1950-01-01' + (18000 * r1)::int AS geburtsdatum,
    (ARRAY['f', 'm'])[1 + g % 2] AS anrede,
    (ARRAY['single', 'married', 'divorced'])[1 + g % 3] AS marital_status,
    (ARRAY['DE', 'FR', 'ES'])[1 + (g / 7) % 3]::char(2) AS nationality,
    lpad((g % 900)::text, 5, '0') AS postleitzahl,
    'person' || g || '@example.com' AS contact,
    '+49 30 ' || 100000 + g AS phone,
    'Kryptozoologie ' || g AS customer_name,
    g % 700 AS customer_id,
    'called on day ' || g || ' and promised to pay the rest of it soon' AS notes,
    ARRAY['a', 'b'] AS tags,
    jsonb_build_object('channel', 'web') AS attributes,
    'EUR' AS currency,
    CASE WHEN g % 50 = 0 THEN 'x' END AS legacy_code,
    CASE WHEN r9 < risk THEN round((100 * r2)::numeric, 2) END AS amount_recovered,
    CASE WHEN r9 < risk THEN timestamptz '2025-01-01' + g * interval '1 hour' END AS sold_to_agency,
    CASE WHEN r9 < risk THEN 90 + (200 * r2)::int ELSE (80 * r2 * r2)::int END AS days_past_due
FROM (
    SELECT *, 1 / (1 + exp(-(2 * r1 - 2 * r4 - 6 * (r7 - 0.5) - 0.5))) AS risk
    FROM (
        SELECT g, random() r1, random() r2, random() r3, random() r4, random() r5, random() r6, random() r7,
            random() r8, random() r9
        FROM generate_series(1, 2000) g
    ) AS drawn
) AS loans;
ALTER TABLE lending."Loan Book" ADD PRIMARY KEY (id);
"""
LOAN_VIEW = """
CREATE VIEW loans_of_the_bank AS
SELECT id AS loan_id, "opened at" AS opened_at, amount, "Monthly Income", employment, bureau_score, utilisation,
    days_past_due >= 90 AS "in default"
FROM lending."Loan Book";
"""
NUMBERS, CATEGORIES = 250, 120
# 400 columns, of which most say nothing.
WIDE = f"""
CREATE TABLE wide AS
SELECT g AS id, timestamp '2024-01-01' + g * interval '6 hours' AS created_at, g % 4 = 0 OR g % 31 = 0 AS is_bad,
    g + 0.5 * (g % 4) AS amount,
    {", ".join(f"round((random() * {1 + number})::numeric, 3) AS number_{number}" for number in range(NUMBERS))},
    {", ".join(f"(ARRAY['a', 'b', 'c'])[1 + (g / {3 + number}) % 3] AS code_{number}" for number in range(CATEGORIES))},
    {", ".join(f"'EUR' AS constant_{number}" for number in range(10))},
    {", ".join(f"CASE WHEN g % 100 = {number} THEN 1 END AS empty_{number}" for number in range(10))},
    (g % 4 = 0 OR g % 31 = 0)::int * 100 + random() AS balance_after,
    600 - 150 * (g % 4 = 0)::int + (200 * random())::int AS score,
    {", ".join(f"g + {number} AS copy_{number}" for number in range(4))}
FROM generate_series(1, 2000) AS g;
ALTER TABLE wide ADD PRIMARY KEY (id);
"""
