"""A loan that is quoted in a log is a breach that nobody notices: logs are kept for years and read by everybody.

Loans with values that occur nowhere else go through a good run and through every failure that meets a row. Then all
that people and other systems get to read is searched for them.
"""

import json
import re
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg2
import pyarrow.parquet as pq
import pytest
from psycopg2 import sql

from resources.machine.embedded_postgres import EmbeddedPostgres
from tests.support.sandbox import Sandbox
from tests.support.settings import settings_text

SETTINGS = settings_text(
    features="""
loan_amount = { type = "number", minimum = 0, maximum = 500_000_000_000 }
income = { type = "number", minimum = 0, maximum = 500_000_000_000 }
account = { type = "integer", minimum = 0, maximum = 500_000_000_000 }
purpose = { type = "category" }
""",
    personal="""
age = { type = "integer", minimum = 18, maximum = 500_000_000_000, bands = [40] }
city = { type = "category" }
""",
)
LOANS = """
DROP SCHEMA public CASCADE;
CREATE SCHEMA public;
CREATE TABLE loans (
    id bigint, created_at timestamp, default_status bigint, loan_amount numeric, income numeric, account bigint,
    purpose text, age bigint, city text
);
INSERT INTO loans
SELECT g, timestamp '2024-01-01' + g * interval '1 hour', (g % 4 = 0)::int, 1000 + g * 7919 % 9000,
    20000 + g * 104729 % 50000 - 15000 * (g % 4 = 0)::int, g * 37 % 200,
    (array['car', 'house'])[1 + g % 2], 18 + g % 60, (array['north', 'south'])[1 + g % 2]
FROM generate_series(1, 300) AS g;
UPDATE loans SET id = 57721566490000 + id, created_at = '2019-07-13 04:05:06.789012', loan_amount = 314159265358.97,
    income = 271828182845.9, account = 161803398874, purpose = 'Kryptozoologie', age = 141421356237,
    city = 'Ouagadougou'
WHERE id % 40 = 7;
INSERT INTO loans SELECT 99999999999999, '2024-01-01', default_status, loan_amount, income, account, purpose, age, city
FROM loans WHERE id = 1;
"""
NUMBERS = ("5772156649", "3141592653", "2718281828", "1618033988", "1414213562")
PLANTED = {*NUMBERS, "2019-07-13", "Kryptozoologie", "Ouagadougou"}
# What the cases below write beside it; and the time of the planted loans as seconds.
SENTINELS = PLANTED | {"6626070151", "1602176634", "4242-07-13", "Fehlgeschlagen", "Zeppelinpost", "1562990706"}
ODD = "purpose = 'Kryptozoologie'"
FLOOR, FULL, SEEDED = "a model below its floor", "a full store", "a seed of another type"
# By name: what is done to the loans, and what the error says.
CASES: dict[str, tuple[str, tuple[str, ...]]] = {
    "nothing is wrong": ("", ()),
    "all that can be wrong with values": (
        f"""UPDATE loans SET city = NULL, income = 'NaN', loan_amount = -160217663400, account = 16021766340000,
            default_status = 662607015123, id = 57721566490007 WHERE {ODD};
        DELETE FROM loans WHERE NOT ({ODD}) AND id % 10 <> 0""",
        ("no_nulls", "ranges", "two_classes", "unique_ids", "enough_rows"),
    ),
    "leakage": (
        "UPDATE loans SET purpose = CASE default_status WHEN 1 THEN 'Fehlgeschlagen' ELSE 'Kryptozoologie' END",
        ("no_leakage",),
    ),
    "unreadable time": (f"UPDATE loans SET created_at = '4242-07-13 BC' WHERE {ODD}", ("created_at: 8 rows",)),
    "a fraction among integers": (
        f"ALTER TABLE loans ALTER account TYPE numeric; UPDATE loans SET account = 161803398874.5 WHERE {ODD}",
        ("column account is no whole number",),
    ),
    "another type": ("ALTER TABLE loans ALTER account TYPE text", ("of type text",)),
    "a value that PostgreSQL refuses and quotes": (
        f"""ALTER TABLE loans RENAME TO raw;
        CREATE VIEW loans AS SELECT id, created_at, default_status, loan_amount, account, purpose, age, city,
            CASE WHEN {ODD} THEN purpose::numeric ELSE income END AS income FROM raw""",
        ("InvalidTextRepresentation",),
    ),
    FLOOR: ("", ("auc_floor",)),
    FULL: ("", ("can't create trained_model",)),
    SEEDED: ("", ("InvalidTextRepresentation",)),
}
SEED = """\
loan_amount,income,account,purpose,age,city,default_status
1,2,3,car,40,north,0
1,Zeppelinpost,3,car,40,south,1
"""
SCRIPT = """
import json, os, resource, sys
from contextlib import closing
import psycopg2
from credit_assets.commands.main import main
for case in json.load(sys.stdin):
    os.environ.update(case["environment"])
    with closing(psycopg2.connect(os.environ["PLATFORM_DATABASE_URL"])) as db, db, db.cursor() as cursor:
        cursor.execute(case["statements"])
    if case["seeded"]:
        del os.environ["PLATFORM_DATABASE_URL"]
    unlimited = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (case["limit"] or unlimited[0], unlimited[1]))
    code = main(["run", "--settings", case["settings"]])
    resource.setrlimit(resource.RLIMIT_FSIZE, unlimited)
    print(f"<{case['name']}: {code}>", flush=True)
"""


@dataclass(frozen=True)
class Left:
    """Everything that the runs left for others to read."""

    printed: str
    errors: str
    events: str
    server_log: str
    files: dict[str, str]


def steps(sandbox: Sandbox) -> Iterator[dict[str, Any]]:
    """The cases, as the script reads them."""
    for name, (damage, _) in CASES.items():
        text = SETTINGS
        if name == FLOOR:
            text += "minimum_auc = 1.0\n"
        if name == SEEDED:
            text = text.replace('"loans"', '"seeded_loans"') + '[seed]\ncsv = "seed.csv"\n'
        settings = sandbox.folder / f"{name.replace(' ', '_')}.toml"
        settings.write_text(text)
        yield {
            "name": name,
            "environment": sandbox.environment,
            "statements": LOANS + damage,
            "settings": str(settings),
            "seeded": name == SEEDED,
            "limit": 40_000 if name == FULL else 0,
        }


@pytest.fixture(scope="module")
def left(sandbox: Sandbox, postgres: EmbeddedPostgres) -> Left:
    (sandbox.folder / "seed.csv").write_text(SEED)
    done = sandbox.start("-c", SCRIPT, stdin=json.dumps(list(steps(sandbox))))
    assert done.returncode == 0, done.stderr
    return Left(done.stdout, done.stderr, dump(sandbox), server_log(postgres), readable(sandbox.folder))


def dump(sandbox: Sandbox) -> str:
    """Every row of every table that Dagster has."""
    lines = []
    with (
        closing(psycopg2.connect(sandbox.environment["PLATFORM_HISTORY_URL"])) as connection,
        connection.cursor() as cursor,
    ):
        cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        for (table,) in cursor.fetchall():
            cursor.execute(sql.SQL("SELECT t::text FROM {} AS t").format(sql.Identifier(table)))
            lines += [f"{table}: {row}" for (row,) in cursor.fetchall()]
    return "\n".join(lines)


def server_log(postgres: EmbeddedPostgres) -> str:
    return (postgres.data / "server.log").read_text()


def readable(folder: Path) -> dict[str, str]:
    """Every file but those that hold loans on purpose: datasets, models, and the seed."""
    kept = (path for path in folder.rglob("*") if path.is_file() and path.suffix not in {".parquet", ".joblib", ".csv"})
    return {str(path.relative_to(folder)): path.read_text(errors="replace") for path in kept}


def quoted(text: str, words: set[str] = SENTINELS) -> set[str]:
    """The words that it holds, whether or not their thousands are marked."""
    return {word for word in words if word in text or word in text.replace(",", "")}


def test_every_failure_was_met_and_each_ended_as_one(left: Left) -> None:
    codes = dict(re.findall(r"^<(.*): (\d+)>$", left.printed, re.MULTILINE))
    assert codes == {name: "1" if expected else "0" for name, (_, expected) in CASES.items()}
    errors = re.findall(r"^error: (.*)$", left.errors, re.MULTILINE)
    met = [expected for _, expected in CASES.values() if expected]
    assert [word for words, error in zip(met, errors, strict=True) for word in words if word not in error] == []


def test_the_command_prints_no_loan(left: Left) -> None:
    assert "reading loans" in left.printed
    assert not quoted(left.printed)
    assert not quoted(left.errors)


def test_dagsters_runs_events_and_metadata_hold_no_loan(left: Left) -> None:
    for words in ("ASSET_MATERIALIZATION", "ASSET_CHECK_EVALUATION", "STEP_FAILURE", "limits.minimum_rows", "fairness"):
        assert words in left.events
    assert not quoted(left.events)


def test_the_log_of_postgresql_holds_no_loan(left: Left) -> None:
    assert "database system is ready" in left.server_log
    assert not quoted(left.server_log)


def test_what_lies_beside_the_datasets_and_models_holds_no_loan(left: Left) -> None:
    names = " ".join(left.files)
    for kind in ("loan_dataset/", "manifest.json", "model_metrics.", ".txt", "compute_logs/"):
        assert kind in names
    assert any("reading loans" in text for name, text in left.files.items() if "compute_logs" in name)
    assert not {name for name, text in left.files.items() if quoted(text)}


def test_the_planted_loans_went_all_the_way_and_would_have_been_found(left: Left, sandbox: Sandbox) -> None:
    store = sandbox.folder / "local" / "store"
    for asset in ("loan_dataset", "test_split"):
        tables = [pq.read_table(path).to_pandas().to_csv() for path in (store / asset).rglob("*.parquet")]
        assert all(quoted(table) == PLANTED for table in tables)
        assert tables
    assert quoted(f"{314159265358.97:,}") == {"3141592653"}


def test_a_word_in_a_run_or_in_the_servers_log_is_found(
    left: Left, sandbox: Sandbox, postgres: EmbeddedPostgres
) -> None:
    tag, line = words = ("a control in a tag", "a control in a log")
    assert not quoted(left.events + left.server_log, {*words})
    sandbox.instance.add_run_tags(sandbox.instance.get_run_records(limit=1)[0].dagster_run.run_id, {"note": tag})
    sandbox.execute(f"DO $$ BEGIN RAISE LOG '{line}'; END $$")
    assert quoted(dump(sandbox), {*words}) == {tag}
    assert quoted(server_log(postgres), {*words}) == {line}
