"""A role with a row policy sees a part of a table, and PostgreSQL does not say so by itself.

Without these tests a model is trained on half of the loans, or a wave forgets half of the locations, in silence.
"""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import pytest

from credit_assets.applications.scores_table import create_scores_table
from credit_assets.applications.tables import count_applications, count_locations
from credit_assets.loans.counting import Limit, count_loans
from credit_assets.loans.extraction import extract_loans
from credit_assets.settings.file import Settings
from resources.services.database import Database, DatabaseError
from tests.assets.connections.conftest import DECLARED, Lending
from tests.support.sandbox import GOOD_SETTINGS, Sandbox

APPLY = Settings.model_validate({**DECLARED.model_dump(), "table": {"name": "loans", "row_policy": "apply"}})
POLICY = """
ALTER TABLE rows ENABLE ROW LEVEL SECURITY;
CREATE POLICY half ON rows TO reader USING (id % 2 = 0);
ALTER VIEW loans SET (security_invoker = on);
ALTER VIEW requests SET (security_invoker = on);
"""
REFUSED = (
    "a row policy of table public.rows would hide rows from user reader of PLATFORM_DATABASE_URL. Name a user with "
    'BYPASSRLS or the table\'s owner there, or write row_policy = "apply" in [table] of the settings to use only what '
    "the policy shows"
)


def test_a_table_of_which_a_policy_hides_rows_is_refused_by_table_and_user(lending: Lending) -> None:
    digests = lending.read()
    lending.execute(POLICY)
    with pytest.raises(DatabaseError) as refused:
        lending.read()
    assert str(refused.value) == REFUSED
    lending.execute("ALTER ROLE reader BYPASSRLS")
    assert lending.read() == digests
    lending.execute("ALTER ROLE reader NOBYPASSRLS; ALTER ROLE reader SET row_security = on")
    with pytest.raises(DatabaseError, match=r"row policy of table public\.rows"):
        lending.read()


@pytest.mark.parametrize(
    "read",
    [
        lambda cursor: count_applications(cursor, DECLARED.require_scoring()),
        lambda cursor: count_locations(cursor, DECLARED.require_scoring()),
        lambda cursor: count_loans(cursor, DECLARED, Limit(None)),
    ],
    ids=["applications", "locations", "new loans"],
)
def test_neither_a_wave_nor_a_sensor_counts_a_part_of_a_table(lending: Lending, read: Callable[..., object]) -> None:
    lending.execute(f"{POLICY}; ALTER TABLE branches ENABLE ROW LEVEL SECURITY")
    said = r"row policy of table public\.(rows|branches) would hide rows from user reader"
    with pytest.raises(DatabaseError, match=said), Database(url=lending.reader).open_snapshot() as cursor:
        read(cursor)


def test_what_a_policy_shows_is_read_if_the_settings_say_so_and_the_facts_tell(lending: Lending) -> None:
    lending.execute(POLICY)
    lending.execute("ALTER ROLE reader SET row_security = off")
    with Database(url=lending.reader).with_row_policy("apply").open_snapshot() as cursor:
        facts = extract_loans(cursor, APPLY, datetime(2026, 3, 1, tzinfo=UTC), lending.folder / "loans.parquet")
        assert sum(count_applications(cursor, APPLY.require_scoring()).values()) == 6
    assert (facts["rows"], facts["row_policy"], facts["read_as"]) == (6, "apply", "reader")
    with Database(url=lending.owner).open_snapshot() as cursor:
        facts = extract_loans(cursor, DECLARED, datetime(2026, 3, 1, tzinfo=UTC), lending.folder / "loans.parquet")
    assert facts["rows"] == 12
    assert not {"row_policy", "read_as"} & facts.keys()


def test_scores_are_not_written_past_a_policy_that_hides_some_of_them(lending: Lending) -> None:
    with Database(url=lending.owner).open_transaction() as cursor:
        create_scores_table(cursor, DECLARED.require_scoring())
    lending.execute("ALTER TABLE scores ENABLE ROW LEVEL SECURITY; GRANT ALL ON scores TO reader")
    database = Database(url=lending.reader, setting="PLATFORM_SCORES_URL")
    said = "table public.scores would hide rows from user reader of PLATFORM_SCORES_URL"
    with pytest.raises(DatabaseError, match=said), database.open_transaction() as cursor:
        cursor.execute("DELETE FROM scores")
    with database.with_row_policy("apply").open_transaction() as cursor:
        cursor.execute("DELETE FROM scores")


@pytest.fixture
def clerk(sandbox: Sandbox, good_loans: None) -> Iterator[str]:
    """The URL of the loans for a role whose policy shows two loans of three."""
    sandbox.execute(
        "CREATE ROLE clerk LOGIN; GRANT SELECT ON loans TO clerk; ALTER TABLE loans ENABLE ROW LEVEL SECURITY"
    )
    sandbox.execute("CREATE POLICY half ON loans TO clerk USING (id % 3 > 0)")
    yield sandbox.environment["PLATFORM_DATABASE_URL"].replace("postgres@", "clerk@")
    sandbox.execute("DROP OWNED BY clerk; DROP ROLE clerk")


def test_no_model_is_made_from_a_part_of_the_loans_in_silence(
    sandbox: Sandbox, clerk: str, capfd: pytest.CaptureFixture[str]
) -> None:
    before = sandbox.state()
    assert sandbox.run(PLATFORM_DATABASE_URL=clerk) == 1
    output = capfd.readouterr().err
    assert "a row policy of table public.loans would hide rows from user clerk of PLATFORM_DATABASE_URL" in output
    assert "Traceback" not in output
    assert sandbox.state() == before

    sandbox.settings.write_text(GOOD_SETTINGS.replace('name = "loans"', 'name = "loans"\nrow_policy = "apply"'))
    assert sandbox.run(PLATFORM_DATABASE_URL=clerk) == 0
    assert sandbox.latest("loan_dataset", "dagster/row_count") == "200"
    assert sandbox.latest("loan_dataset", "row policy") == (
        "applied: only the rows that the policies of the database show to user clerk"
    )
