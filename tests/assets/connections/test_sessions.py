"""The same rows are the same dataset, whoever reads them.

Without this, a setting that an administrator or a shell has made for other programs changes a model, or ends its run.
"""

import os
import time
from contextlib import closing
from pathlib import Path

import dagster as dg
import psycopg2
import pytest
import sqlalchemy
from psycopg2 import OperationalError

from credit_assets.applications.scores_table import ScoresError, create_scores_table
from credit_assets.loans.table import LoansError, check_table
from resources.environment import DeploymentError
from resources.instance.pooled_connections import pooled_engine
from resources.instance.storage import PooledPostgresStorage
from resources.services.database import Database, DatabaseAway, DatabaseError
from tests.assets.connections.conftest import DECLARED, Lending

SETTINGS = {
    "DateStyle": "SQL, DMY",
    "TimeZone": "Asia/Kathmandu",
    "IntervalStyle": "iso_8601",
    "extra_float_digits": "-15",
    "bytea_output": "escape",
    "default_text_search_config": "pg_catalog.german",
    "client_encoding": "LATIN1",
    "search_path": "other, pg_catalog",
    "default_transaction_read_only": "on",
    "default_transaction_isolation": "serializable",
    "default_transaction_deferrable": "on",
    "row_security": "off",
    "standard_conforming_strings": "off",
    "backslash_quote": "off",
    "quote_all_identifiers": "on",
    "transform_null_equals": "on",
    "restrict_nonsystem_relation_kind": "view",
    "enable_seqscan": "off",
}
LIMITS = ("statement_timeout", "transaction_timeout", "idle_in_transaction_session_timeout", "lock_timeout")
# What a role's search_path may find first: a table of the same name, and functions that hide PostgreSQL's own.
TRAPS = """
CREATE SCHEMA other;
GRANT USAGE ON SCHEMA other TO reader;
CREATE TABLE other.rows AS SELECT * FROM public.rows LIMIT 3;
CREATE TABLE other.loans AS SELECT * FROM public.loans LIMIT 3;
CREATE TABLE other.requests AS SELECT * FROM public.requests LIMIT 3;
CREATE FUNCTION other.set_config(text, text, boolean) RETURNS text LANGUAGE plpgsql AS 'BEGIN RAISE ''trap''; END';
CREATE FUNCTION other.current_setting(text, boolean) RETURNS text LANGUAGE plpgsql AS 'BEGIN RAISE ''trap''; END';
"""


def in_force(url: str, setting: str) -> str:
    """What a session of this role begins with."""
    with closing(psycopg2.connect(url)) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT reset_val FROM pg_catalog.pg_settings WHERE name = %s", (setting,))
        (value,) = cursor.fetchone() or ("",)
        return str(value)


@pytest.mark.parametrize("whose", ["ROLE reader", "DATABASE"])
def test_no_setting_of_a_role_or_a_database_changes_what_is_read(lending: Lending, whose: str) -> None:
    digests = lending.read()
    lending.execute(TRAPS)
    whose = whose if whose.startswith("ROLE") else f'DATABASE "{lending.name}"'
    for setting, value in SETTINGS.items():
        quoted = value if setting == "search_path" else f"'{value}'"
        lending.execute(f"ALTER {whose} SET {setting} = {quoted}")
        assert in_force(lending.reader, setting) == value, "this case is of no use"
        assert lending.read() == digests, f"{setting} changes what is read"
    assert lending.read() == digests, "all of them together change what is read"


def test_no_limit_of_a_role_ends_a_run(lending: Lending) -> None:
    lending.execute(
        "CREATE VIEW slow AS SELECT loans.* FROM loans, LATERAL (SELECT pg_sleep(0.06 * (id > 0)::int)) AS s"
    )
    declared = DECLARED.model_copy(update={"table": DECLARED.table.model_copy(update={"name": "slow"})})
    digests = lending.read(declared=declared)
    for limit in LIMITS:
        lending.execute(f"ALTER ROLE reader SET {limit} = '400ms'")
    with closing(psycopg2.connect(lending.reader)) as other, other.cursor() as cursor, pytest.raises(OperationalError):
        cursor.execute("SELECT count(*) FROM slow")
    assert lending.read(declared=declared) == digests
    with Database(url=lending.reader).open_snapshot() as silent:
        time.sleep(0.6)
        silent.execute("SELECT 1")


@pytest.mark.parametrize("isolation", ["serializable", "read uncommitted"])
def test_scores_are_written_although_a_role_s_transactions_are_read_only_by_default(
    lending: Lending, isolation: str
) -> None:
    lending.execute("CREATE SCHEMA reader; GRANT CREATE ON SCHEMA public TO reader")
    for setting, value in {**SETTINGS, "default_transaction_isolation": isolation}.items():
        if setting != "search_path":
            lending.execute(f"ALTER ROLE reader SET {setting} = '{value}'")
    scoring = DECLARED.require_scoring()
    with Database(url=lending.reader).open_transaction() as cursor:
        create_scores_table(cursor, scoring)
    assert lending.execute("SELECT schemaname FROM pg_tables WHERE tablename = 'scores'") == [("public",)]


VARIABLES = {
    "PGOPTIONS": "-c DateStyle=German -c extra_float_digits=-15 -c search_path=other",
    "PGTZ": "Asia/Kathmandu",
    "PGDATESTYLE": "German",
    "PGCLIENTENCODING": "LATIN1",
    "PGGEQO": "off",
    "PGHOST": "nowhere.invalid",
    "PGHOSTADDR": "192.0.2.1",
    "PGPORT": "1",
    "PGDATABASE": "postgres",
    "PGUSER": "nobody",
    "PGPASSWORD": "wrong",
    "PGTARGETSESSIONATTRS": "standby",
    "PGLOADBALANCEHOSTS": "random",
    "PGSSLMODE": "disable",
    "PGAPPNAME": "other",
    "PGCONNECT_TIMEOUT": "1",
}


def test_no_variable_of_the_shell_changes_what_is_read(
    lending: Lending, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    digests = lending.read()
    lending.execute(TRAPS)
    services = tmp_path / "services.conf"
    services.write_text("[other]\nhost=nowhere.invalid\ndbname=postgres\nuser=nobody\noptions=-c search_path=other\n")
    for name, value in {**VARIABLES, "PGSERVICEFILE": str(services), "PGSERVICE": "other"}.items():
        monkeypatch.setenv(name, value)
        assert lending.read() == digests, f"{name} changes what is read"


@pytest.mark.parametrize("variable", ["PGSERVICE", "PGTZ", "PGDATESTYLE", "PGREQUIREAUTH"])
def test_a_variable_that_libpq_refuses_is_named_at_once(
    lending: Lending, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    monkeypatch.setenv(variable, "nonsense")
    with pytest.raises(DatabaseError, match=f"PLATFORM_DATABASE_URL.* libpq also read {variable} from") as refused:
        Database(url=lending.reader).connect()
    assert not isinstance(refused.value, DatabaseAway), "it would be waited for"


def test_a_url_with_a_service_is_read_from_its_file_and_from_nothing_else(
    lending: Lending, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    digests = lending.read()
    host = psycopg2.extensions.parse_dsn(lending.reader)["host"]
    services = tmp_path / "services.conf"
    services.write_text(f"[lending]\nhost={host}\ndbname={lending.name}\noptions=-c DateStyle=German\n")
    monkeypatch.setenv("PGSERVICEFILE", str(services))
    assert lending.read("postgresql://reader@/?service=lending") == digests
    with pytest.raises(DatabaseError, match=r'service "landing" not found.*PLATFORM_DATABASE_URL'):
        lending.read("postgresql://reader@/?service=landing")
    monkeypatch.setenv("PGUSER", "postgres")
    with pytest.raises(
        DeploymentError, match=r"PLATFORM_DATABASE_URL names the service lending.* PGUSER would fill it"
    ):
        lending.read("postgresql:///?service=lending")


def test_a_setting_that_only_a_superuser_may_change_is_refused_by_name(lending: Lending) -> None:
    lending.execute("ALTER ROLE reader SET session_replication_role = 'replica'")
    with pytest.raises(DatabaseError, match="expected session_replication_role = origin"):
        lending.read()


def test_a_table_of_another_schema_is_never_taken_for_the_one_without_a_schema(lending: Lending) -> None:
    lending.execute("CREATE SCHEMA lending; ALTER VIEW loans SET SCHEMA lending; CREATE TABLE lending.scores ()")
    lending.execute("GRANT USAGE ON SCHEMA lending TO reader; ALTER ROLE reader SET search_path = lending, public")
    with Database(url=lending.reader).open_snapshot() as cursor:
        with pytest.raises(LoansError) as refused:
            check_table(cursor, DECLARED)
        with pytest.raises(ScoresError, match=r"Write scoring.scores .*: lending.scores, or public.scores"):
            create_scores_table(cursor, DECLARED.require_scoring())
        qualified = DECLARED.model_copy(update={"table": DECLARED.table.model_copy(update={"name": "lending.loans"})})
        check_table(cursor, qualified)
    assert str(refused.value) == (
        "table loans is not in the schema public, where a name without a schema is looked for. Write table.name with "
        "its schema: lending.loans"
    )


def test_a_schema_that_a_role_may_not_use_is_not_named(lending: Lending) -> None:
    lending.execute("CREATE SCHEMA lending; ALTER VIEW loans SET SCHEMA lending; REVOKE pg_read_all_data FROM reader")
    with (
        Database(url=lending.reader).open_snapshot() as cursor,
        pytest.raises(LoansError, match=r"^table loans is not in the database: create it"),
    ):
        check_table(cursor, DECLARED)


@pytest.mark.parametrize("whose", ["ROLE reader", "DATABASE"])
def test_dagster_s_tables_are_made_although_transactions_are_read_only_by_default(lending: Lending, whose: str) -> None:
    whose = whose if whose.startswith("ROLE") else f'DATABASE "{lending.name}"'
    lending.execute("GRANT CREATE ON SCHEMA public TO reader")
    lending.execute(f"ALTER {whose} SET default_transaction_read_only = 'on'")
    assert in_force(lending.reader, "default_transaction_read_only") == "on", "this case is of no use"
    storage = PooledPostgresStorage(lending.reader)
    storage.run_storage.add_run(dg.DagsterRun("job"))
    assert storage.run_storage.get_runs_count() == 1


def test_dagster_s_own_storage_has_the_same_session_for_everybody(
    lending: Lending, monkeypatch: pytest.MonkeyPatch
) -> None:
    for setting in ("TimeZone", "default_transaction_read_only", "default_transaction_isolation"):
        lending.execute(f"ALTER ROLE reader SET {setting} = '{SETTINGS[setting]}'")
    lending.execute("ALTER ROLE reader SET statement_timeout = '1s'")
    for name in ("PGOPTIONS", "PGTZ", "PGHOSTADDR"):
        monkeypatch.setenv(name, VARIABLES[name])
    engine = pooled_engine(lending.reader, 1, None, os.getpid())
    with engine.connect() as connection:
        found = connection.execute(
            sqlalchemy.text(
                "SELECT current_setting('TimeZone'), current_setting('statement_timeout'), "
                "current_setting('transaction_read_only'), current_setting('transaction_isolation')"
            )
        ).one()
    engine.dispose()
    assert tuple(found) == ("UTC", "0", "off", "read committed")
