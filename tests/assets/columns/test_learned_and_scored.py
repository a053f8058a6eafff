"""A feature that is read in one way for training and in another way for scoring gives a wrong score and no error."""

from typing import Any

import dagster as dg
from psycopg2.extensions import cursor

from credit_assets.applications.reading import read_applications
from credit_assets.applications.validation import find_defects
from credit_assets.settings.file import Settings
from tests.assets.columns.conftest import AS_OF, Store, declare
from tests.support.sandbox import Sandbox

FEATURES: dict[str, Any] = {
    "income": {"type": "number"},
    "score": {"type": "integer"},
    "purpose": {"type": "category"},
    "region": {"type": "category"},
    "term": {"type": "category"},
    "cosigner": {"type": "boolean"},
    "born": {"type": "date", "maximum": 40_000},
    "employed": {"type": "date", "before": "created_at"},
}
LOANS = """
CREATE TYPE purpose AS ENUM ('car', 'house');
CREATE DOMAIN money_amount AS numeric(14, 2);
CREATE TABLE loans AS SELECT gen_random_uuid() AS id, date '2024-01-01' + g / 4 AS created_at,
    (g % 4 = 0)::int::numeric(1,0) AS default_status,
    (20000 + g * 104729 % 50000)::money_amount AS income,
    (600 + g * 37 % 200 - 120 * (g % 4 = 0)::int)::numeric AS score,
    (array['car', 'house'])[1 + g % 2]::purpose AS purpose, (array['N', 'NW'])[1 + g % 2]::char(4) AS region,
    (g % 3)::smallint AS term, g % 5 = 0 AS cosigner, date '1990-01-01' + g AS born,
    timestamptz '2020-01-01' + g * interval '7 hours' AS employed
FROM generate_series(1, 300) AS g;
"""
SETTINGS = """
[table]
name = "loans"
time_zone = "Europe/Berlin"
[target]
column = "default_status"
[features]
income = { type = "number", minimum = 0 }
score = { type = "integer" }
purpose = { type = "category" }
region = { type = "category" }
term = { type = "category" }
cosigner = { type = "boolean" }
born = { type = "date", maximum = 40_000 }
[personal]
employed = { type = "date", before = "created_at", bands = [365, 1460] }
[limits]
minimum_rows = 100
"""


def declare_waves() -> Settings:
    scoring = {"locations": "locations", "applications": "applications", "scores": "scores"}
    return Settings.model_validate(declare(FEATURES, time_zone="Europe/Berlin").model_dump() | {"scoring": scoring})


def test_applications_are_read_as_the_loans_that_the_model_learned_from(database: cursor, store: Store) -> None:
    database.execute(LOANS)
    database.execute(
        "CREATE TABLE applications AS SELECT row_number() OVER (ORDER BY id) AS id, 'north' AS location, created_at, "
        "income, score, purpose, region, term, cosigner, born, employed FROM loans"
    )
    learned, _ = store(declare(FEATURES, time_zone="Europe/Berlin"))
    scored = read_applications(database, declare_waves(), ["north"], AS_OF)
    assert learned.num_rows == 300
    assert scored.select(list(FEATURES)).to_pydict() == learned.select(list(FEATURES)).to_pydict()
    assert scored.schema.field("cosigner").type == learned.schema.field("cosigner").type
    other = read_applications(database, declare_waves(), ["north"], AS_OF.replace(day=2))
    assert other.column("born") != scored.column("born")
    assert other.column("employed") == scored.column("employed")


def test_an_application_with_a_date_that_is_none_fails_its_location_alone(database: cursor) -> None:
    database.execute(LOANS)
    database.execute(
        "CREATE TABLE applications AS SELECT row_number() OVER (ORDER BY born) AS id, "
        "CASE WHEN born < '1990-02-01' THEN 'north' ELSE 'south' END AS location, loans.created_at, income, score, "
        "purpose, region, term, cosigner, born, employed FROM loans"
    )
    settings = declare_waves()
    assert find_defects(read_applications(database, settings, ["north", "south"], AS_OF), settings) == {}
    database.execute(
        "UPDATE applications SET born = CASE id WHEN 1 THEN date 'infinity' ELSE '0024-01-05 BC' END WHERE id <= 2"
    )
    defects = find_defects(read_applications(database, settings, ["north", "south"], AS_OF), settings)
    assert defects.keys() == {"north"}
    assert "infinite: born: 2 rows" in defects["north"]


def test_a_table_of_uuids_enums_booleans_and_dates_becomes_a_promoted_model(sandbox: Sandbox) -> None:
    sandbox.execute("DROP TABLE IF EXISTS loans;" + LOANS)
    sandbox.settings.write_text(SETTINGS)
    assert sandbox.run() == 0
    assert sandbox.latest("loan_dataset", "left_out") == "0"
    assert sandbox.latest("promoted_model", "number") == "1"


def test_loans_of_the_time_infinity_do_not_go_without_a_word_when_the_others_are_promoted(sandbox: Sandbox) -> None:
    sandbox.reset()
    sandbox.execute("UPDATE loans SET created_at = 'infinity' WHERE id > 250")
    assert sandbox.run() == 0
    assert sandbox.latest("loan_dataset", "left_out_for_ever") == "50"
    checks = sandbox.instance.event_log_storage.get_asset_check_execution_history(
        dg.AssetCheckKey(dg.AssetKey("loan_dataset"), "no_future_loans"), limit=1
    )
    (evaluation,) = [each.event.asset_check_evaluation for each in checks if each.event]
    assert evaluation
    assert not evaluation.passed
    assert "50 loans were created after the time of the dataset, of which 50 at infinity" in str(evaluation.description)
