"""A table of somebody else has the names that somebody else chose: blanks, umlauts, quotes and signs.

Without these tests a name may end its quotes in one of the statements, or stop a run at a picture, a key or a tag.
"""

import pyarrow as pa
import pytest

from credit_assets.applications.newest_scores import sum_newest_scores
from credit_assets.applications.reading import read_applications
from credit_assets.applications.scores_table import create_scores_table, score_schema, upsert_scores
from credit_assets.applications.seed import create_tables_sql
from credit_assets.applications.tables import (
    count_applications,
    count_locations,
    count_repeated_ids,
    read_segments,
)
from credit_assets.promotion.table_pointer import list_tables, open_pointer
from credit_assets.retention.stored.kept_artifacts import read_promoted_places
from credit_assets.retention.tables import find_table_removals
from credit_assets.settings.file import Settings
from credit_assets.settings.names import quote_name, quote_table
from resources.services.database import Database
from resources.store.opening import open_store
from tests.support.sandbox import Sandbox

TABLE = 'my risk."Kredite ""2.0"" 100 %s"'
NAMES = {
    "id": "Loan №",
    "created_at": "created at; --",
    "default_status": "defaulted?",
    "loan_amount": ".größe_einkommen",
    "income": '50 % "net" income',
    "credit_score": "$score_1$ and $x",
    "purpose": "[0]",
    "age": "Age at\napplication",
}
SETTINGS = f"""
[table]
name = '{TABLE}'
id = "{NAMES["id"]}"
created_at = "{NAMES["created_at"]}"
[target]
column = "{NAMES["default_status"]}"
[features]
"{NAMES["loan_amount"]}" = {{ type = "number", minimum = 0, maximum = 100_000 }}
'{NAMES["income"]}' = {{ type = "number" }}
"{NAMES["credit_score"]}" = {{ type = "integer" }}
"{NAMES["purpose"]}" = {{ type = "category" }}
[personal]
"Age at\\napplication" = {{ type = "integer", bands = [40] }}
[limits]
minimum_rows = 100
"""


def test_a_table_with_any_names_becomes_a_promoted_model_that_retention_keeps(sandbox: Sandbox) -> None:
    sandbox.reset()
    sandbox.execute(f'CREATE SCHEMA "my risk"; CREATE TABLE {quote_table(TABLE)} AS TABLE loans')
    for old, new in NAMES.items():
        sandbox.execute(f"ALTER TABLE {quote_table(TABLE)} RENAME {old} TO {quote_name(new)}")
    sandbox.settings.write_text(SETTINGS)
    assert sandbox.run() == 0
    store = open_store(sandbox.store.as_uri())
    assert list_tables(store) == {TABLE}
    position = open_pointer(store, TABLE).latest()
    assert position.value["table"] == TABLE
    assert {part["place"] for part in position.value["set"].values()} == read_promoted_places(store)
    assert sandbox.latest("loan_dataset", "table") == TABLE


@pytest.mark.parametrize("name", ['x"; DROP TABLE victims; --', "100 % %s %(n)s", ".a", "größe 'x'"])
def test_waves_read_and_write_tables_with_any_names(database_url: str, name: str) -> None:
    table = quote_name(name)
    columns = {key: f"{name} {key}"[-63:] for key in ("location", "id", "decided_at", "segment")}
    declared = Settings.model_validate(
        {
            "table": {"name": "loans"},
            "target": {"column": "default_status"},
            "features": {name: {"type": "number"}, "income": {"type": "category"}},
            "scoring": {key: columns[key] for key in ("location", "id", "decided_at")}
            | {
                "locations": f"{table}.locations",
                "applications": f"{table}.applications",
                "scores": f"{table}.{table}",
            },
            "pricing": {
                "segment": columns["segment"],
                "prices": f"{table}.prices",
                "base_rate": 0,
                "loss_given_default": 0.5,
                "minimum_rate": 0,
                "maximum_rate": 1,
                "maximum_step": 1,
            },
            "retention": {"left_days": 1},
        }
    )
    scoring, database = declared.require_scoring(), Database(url=database_url)
    with database.open_transaction() as cursor:
        cursor.execute(f"CREATE TABLE victims (); CREATE SCHEMA {table}")
        for statement in create_tables_sql(declared):
            cursor.execute(statement)
        cursor.execute(f"ALTER TABLE {table}.locations RENAME segment TO {quote_name(columns['segment'])}")
        cursor.execute(f"INSERT INTO {table}.locations VALUES ('north', 'big', now())")
        cursor.execute(f"INSERT INTO {table}.applications VALUES (2, 'north', 1.5, 'x'), (1, 'north', 2.5, 'y')")
    with database.open_snapshot() as cursor:
        assert count_locations(cursor, scoring) == {"north": 1}
        assert count_applications(cursor, scoring) == {"north": 2}
        assert count_repeated_ids(cursor, scoring) == {}
        assert read_segments(cursor, scoring, columns["segment"]) == {"north": "big"}
        rows = read_applications(cursor, declared, ["north"])
    assert rows.column(columns["id"]).to_pylist() == [1, 2], "not in the order of the ids"
    assert rows.column(name).to_pylist() == [2.5, 1.5]
    with database.open_transaction() as cursor:
        create_scores_table(cursor, scoring)
        cursor.execute("SELECT now()")
        ((now,),) = cursor.fetchall()
        score = ("north", 1, 0.5, 1, "sha", "wave", now, now)
        row = pa.Table.from_pylist([dict(zip(score_schema().names, score, strict=True))], score_schema())
        assert upsert_scores(cursor, scoring, row) == 1
        cursor.execute("DROP TABLE victims")
    with database.open_snapshot() as cursor:
        assert [each.location for each in sum_newest_scores(cursor, scoring)[0]] == ["north"]
        scores, _ = find_table_removals(database, database, declared, now.timestamp() + 1_000_000)
        assert (scores.goes.count, scores.stays.count) == (0, 1)
    with database.open_transaction() as cursor:
        cursor.execute(f"UPDATE {table}.locations SET {quote_name(columns['location'])} = 'south'")
    scores, _ = find_table_removals(database, database, declared, now.timestamp() + 1_000_000)
    scores.delete()
    with database.open_snapshot() as cursor:
        assert sum_newest_scores(cursor, scoring)[0] == [], "a score of a location that left is still there"
