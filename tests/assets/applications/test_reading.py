"""What a wave scores is what these statements read: a name that is quoted wrongly, or a row too few, shows nowhere."""

import pyarrow as pa
import pytest
from psycopg2.extensions import cursor

from credit_assets.applications.reading import application_schema, read_applications
from credit_assets.applications.tables import (
    LocationsError,
    check_applications,
    count_applications,
    count_repeated_ids,
    read_locations,
)
from credit_assets.applications.validation import find_defects
from credit_assets.settings.columns import Column
from credit_assets.settings.file import Settings
from credit_assets.tables.kinds import make_schema
from credit_assets.tables.rows import open_batches
from resources.services.database import Database, DatabaseError
from tests.assets.applications.conftest import Add

ODD = [
    "x" * 200,
    "🏦" * 200,
    "north/../south",
    "O'Neil's \"best\"",
    "back\\slash \\' \\N \\.",
    "'); DROP TABLE requests; --",
    "100 % %s %(name)s {} $1",
    "two\nlines,\ttabs\r\n",
    " spaces ",
    "NULL",
    "\u00e9",  # one character
    "e\u0301",  # two, which look the same
    "Z",
    "a",
]


def test_any_text_is_the_name_of_one_location_and_keeps_its_applications(
    database: Database, add: Add, declared: Settings
) -> None:
    add(**{name: [10 * number, 10 * number + 1] for number, name in enumerate(ODD, 1)})
    with database.open_snapshot() as cursor:
        assert read_locations(cursor, declared.require_scoring()) == sorted(ODD)
        assert count_applications(cursor, declared.require_scoring()) == dict.fromkeys(ODD, 2)
        whole = read_applications(cursor, declared, ODD)
        assert whole.column("branch").to_pylist() == [name for name in sorted(ODD) for _ in range(2)]
        for number, name in enumerate(ODD, 1):
            one = read_applications(cursor, declared, [name])
            assert one.column("number").to_pylist() == [10 * number, 10 * number + 1], name
            assert set(one.column("branch").to_pylist()) == {name}
    assert whole.schema == application_schema(declared)
    assert find_defects(whole, declared) == {}


def test_no_location_is_no_row_and_one_that_is_named_twice_is_read_once(
    database: Database, add: Add, declared: Settings
) -> None:
    with database.open_snapshot() as cursor:
        assert read_locations(cursor, declared.require_scoring()) == []
        assert count_applications(cursor, declared.require_scoring()) == {}
    add(north=[1, 2], south=[])
    with database.open_snapshot() as cursor:
        assert read_applications(cursor, declared, ["north", "north"]).column("number").to_pylist() == [1, 2]
        for names in ([], ["south"], ["nobody knows it"]):
            empty = read_applications(cursor, declared, names)
            assert (empty.num_rows, empty.schema) == (0, application_schema(declared))
        assert count_applications(cursor, declared.require_scoring()) == {"north": 2}


def test_a_location_that_only_applications_name_is_counted_and_is_none_of_the_locations(
    database: Database, add: Add, declared: Settings
) -> None:
    add(north=[1], closed=[2, 3])
    with database.open_transaction() as cursor:
        cursor.execute("DELETE FROM branches WHERE branch = 'closed'")
        cursor.execute("ALTER TABLE requests ALTER branch DROP NOT NULL")
        cursor.execute("INSERT INTO requests VALUES (4, NULL, 1, 2, 'car'), (5, '', 1, 2, 'car')")
    with database.open_snapshot() as cursor:
        assert read_locations(cursor, declared.require_scoring()) == ["north"]
        assert count_applications(cursor, declared.require_scoring()) == {"north": 1, "closed": 2, "": 2}


def test_an_application_that_was_decided_is_not_read_unless_no_column_says_so(
    database: Database, add: Add, declared: Settings
) -> None:
    add(north=[1, 2, 3])
    with database.open_transaction() as cursor:
        cursor.execute("UPDATE requests SET decided = now() WHERE number = 2")
    scoring = declared.require_scoring().model_copy(update={"decided_at": None})
    undecided = declared.model_copy(update={"scoring": scoring})
    with database.open_snapshot() as cursor:
        assert read_applications(cursor, declared, ["north"]).column("number").to_pylist() == [1, 3]
        assert count_applications(cursor, declared.require_scoring()) == {"north": 2}
        assert read_applications(cursor, undecided, ["north"]).column("number").to_pylist() == [1, 2, 3]
        assert count_applications(cursor, scoring) == {"north": 3}


def test_open_applications_that_share_an_id_are_counted_in_each_location_that_has_one(
    database: Database, add: Add, declared: Settings
) -> None:
    scoring = declared.require_scoring()
    add(north=[1, 2])
    with database.open_transaction() as cursor:
        assert count_repeated_ids(cursor, scoring) == {}
        cursor.execute("ALTER TABLE requests DROP CONSTRAINT requests_pkey, ALTER number DROP NOT NULL")
    add(south=[2, 3], east=[4, 4], west=[5, None, None])
    with database.open_transaction() as cursor:
        assert count_repeated_ids(cursor, scoring) == {"north": 1, "south": 1, "east": 2}
        cursor.execute("UPDATE requests SET decided = now() WHERE number = 2 AND branch = 'south'")
        assert count_repeated_ids(cursor, scoring) == {"east": 2}


def test_many_rows_are_sorted_whatever_order_the_table_has_them_in(database: Database, declared: Settings) -> None:
    with database.open_transaction() as cursor:
        cursor.execute(
            "INSERT INTO requests SELECT g, 'b' || g %% 7, g, g, repeat('long ', 20) FROM generate_series(1, %s) AS g "
            "ORDER BY md5(g::text)",
            (30_000,),
        )
    with database.open_snapshot() as cursor:
        rows = read_applications(cursor, declared, [f"b{number}" for number in range(7)])
    keys = list(zip(rows.column("branch").to_pylist(), rows.column("number").to_pylist(), strict=True))
    assert keys == sorted(keys)
    assert len(set(keys)) == 30_000
    assert rows.column("income").to_pylist() == [float(number) for _, number in keys]


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ("ALTER branch DROP NOT NULL", "column branches.branch is NULL in 2 rows, empty in 1 row; expected a name"),
        (
            "ADD note text",
            "column branches.branch is empty in 1 row; expected a name of 1 to 600 characters in each row",
        ),
        ("ADD blank text", "column branches.branch is empty in 2 rows"),
    ],
)
def test_rows_without_a_name_are_refused_with_their_number(
    database: Database, declared: Settings, change: str, expected: str
) -> None:
    with database.open_transaction() as cursor:
        cursor.execute("ALTER TABLE branches DROP CONSTRAINT branches_pkey")
        cursor.execute(f"ALTER TABLE branches {change}")
        cursor.execute("INSERT INTO branches VALUES ('', 's', now()), ('north', 's', now())")
        if "blank" in change:
            cursor.execute("INSERT INTO branches VALUES ('  ', 's', now())")
        if "NOT NULL" in change:
            cursor.execute("INSERT INTO branches VALUES (NULL, 's', now()), (NULL, 's', now())")
    with pytest.raises(LocationsError) as refused, database.open_snapshot() as cursor:
        read_locations(cursor, declared.require_scoring())
    assert expected in str(refused.value)
    assert "scoring.locations" in str(refused.value)


def test_a_name_that_dagster_could_not_store_is_refused_and_not_shown(
    database: Database, add: Add, declared: Settings
) -> None:
    add(**{"y" * 600: [], "z" * 601: []})
    expected = "longer than 600 characters in 1 row"
    with pytest.raises(LocationsError, match=expected) as refused, database.open_snapshot() as cursor:
        read_locations(cursor, declared.require_scoring())
    assert "zzz" not in str(refused.value)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (
            "RENAME TO other",
            "table requests is not in the database: create it, or correct scoring.applications in the settings",
        ),
        (
            "DROP purpose",
            "table requests has no column purpose (expected bigint or boolean or character or character varying or",
        ),
        (
            "DROP decided",
            "table requests has no column decided (expected date or timestamp with time zone or timestamp without",
        ),
        ("ALTER branch TYPE character(9)", "column requests.branch is of type character; expected name (character var"),
        ("ALTER score TYPE real", "column requests.score is of type real; expected integer"),
    ],
    ids=["table", "feature", "decided", "padded", "fraction"],
)
def test_a_table_that_is_not_as_declared_is_refused_by_column_and_setting(
    database: Database, declared: Settings, change: str, expected: str
) -> None:
    with database.open_transaction() as cursor:
        cursor.execute(f"ALTER TABLE requests {change}")
    with pytest.raises(LocationsError) as refused, database.open_snapshot() as cursor:
        read_applications(cursor, declared, [])
    assert expected in str(refused.value)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ("DROP purpose", "table requests has no column purpose (expected "),
        ("ALTER score TYPE real", "column requests.score is of type real; expected integer"),
        ("DROP number", "because it is the key id in [scoring]): add it"),
        ("DROP decided", "because it is the key decided_at in [scoring]): add it"),
        ("DROP applied_at", 'because it is the time in before = "applied_at" of employed_since): add it'),
        ("ALTER applied_at TYPE text", "column requests.applied_at is of type text; expected time"),
    ],
    ids=["feature", "type", "id", "decided", "time", "type of a time"],
)
def test_a_wave_asks_once_for_every_column_that_it_reads(
    database: Database, declared: Settings, change: str, expected: str
) -> None:
    date = Column(type="date", before="applied_at")
    dated = declared.model_copy(update={"features": {**declared.features, "employed_since": date}})
    with database.open_transaction() as cursor:
        cursor.execute("ALTER TABLE requests ADD applied_at timestamp, ADD employed_since date")
        assert check_applications(cursor, dated).base == "bigint"
        assert read_applications(cursor, dated, []).num_rows == 0
        cursor.execute(f"ALTER TABLE requests {change}")
        with pytest.raises(LocationsError) as refused:
            check_applications(cursor, dated)
        said = str(refused.value)
        assert expected in said
    assert "correct its type in the settings" not in said, "the loans have that type"


def test_a_missing_table_of_locations_is_refused_by_its_setting(database_url: str, declared: Settings) -> None:
    expected = "table branches is not in the database: create it, or correct scoring.locations"
    with pytest.raises(LocationsError, match=expected), Database(url=database_url).open_snapshot() as cursor:
        read_locations(cursor, declared.require_scoring())


def test_a_time_zone_that_the_database_does_not_know_is_refused_once_and_not_for_every_chunk(
    database: Database, declared: Settings
) -> None:
    local = declared.model_copy(update={"table": declared.table.model_copy(update={"time_zone": "Europe/Berlin"})})
    with database.open_transaction() as cursor:
        assert check_applications(cursor, local).base == "bigint"
        cursor.execute("CREATE VIEW pg_timezone_names AS SELECT 'UTC' AS name; SET search_path = public, pg_catalog")
        assert read_applications(cursor, local, []).num_rows == 0
        with pytest.raises(LocationsError, match=r"table\.time_zone: the database knows no time zone Europe/Berlin"):
            check_applications(cursor, local)


@pytest.mark.parametrize("value", ["NaN", "Infinity", "-Infinity"])
def test_a_number_that_is_none_is_read_and_is_a_defect_of_its_location_alone(
    database: Database, add: Add, declared: Settings, value: str
) -> None:
    add(north=[1], south=[2])
    with database.open_transaction() as cursor:
        cursor.execute("ALTER TABLE requests ALTER income TYPE numeric")
        cursor.execute("UPDATE requests SET income = %s WHERE branch = 'north'", (value,))
    with database.open_snapshot() as cursor:
        defects = find_defects(read_applications(cursor, declared, ["north", "south"]), declared)
    assert list(defects) == ["north"]
    problem = "NULL or NaN" if value == "NaN" else "infinite"
    assert defects["north"].startswith(f"{problem}: income: 1 row; expected none")


def test_a_value_that_cannot_be_read_as_its_type_names_the_column_and_is_not_shown(database: Database) -> None:
    schema = make_schema({"branch": "name", "score": "integer"})
    statement = "SELECT * FROM (VALUES ('north', '1'), ('south', 'Kryptozoologie')) AS v"
    with database.open_snapshot() as cursor, pytest.raises(LocationsError) as refused:
        read_all(cursor, statement, schema)
    assert str(refused.value).startswith("a value of column score is no whole number; it is not shown here. Correct")
    assert "Krypto" not in str(refused.value)


def read_all(cursor: cursor, statement: str, schema: pa.Schema) -> int:
    """How many rows a statement has."""
    with open_batches(cursor, statement, schema, LocationsError) as batches:
        return sum(batch.num_rows for batch in batches)


def test_the_role_that_reads_needs_no_other_right(
    database: Database, as_reader: Database, add: Add, declared: Settings
) -> None:
    add(north=[1], south=[2])
    with as_reader.open_snapshot() as cursor:
        assert read_locations(cursor, declared.require_scoring()) == ["north", "south"]
        assert count_applications(cursor, declared.require_scoring()) == {"north": 1, "south": 1}
        assert count_repeated_ids(cursor, declared.require_scoring()) == {}
        assert read_applications(cursor, declared, ["north", "south"]).num_rows == 2
    with pytest.raises(DatabaseError, match="permission denied"), as_reader.open_transaction() as cursor:
        cursor.execute("DELETE FROM requests")
