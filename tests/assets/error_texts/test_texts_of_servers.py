"""A text of Dagster or PostgreSQL that changes with an upgrade fails a test here, and not a retry at night.

Each text comes from the program itself, and not from a copy of it.
"""

from collections.abc import Iterator
from contextlib import closing
from io import StringIO

import dagster as dg
import psycopg2
import pytest

from resources.error_texts import (
    find_copy_position,
    is_database_away,
    is_failed_health_check,
    is_from_dagster,
    is_from_us,
    remove_class_name,
)
from resources.history.run_groups import read_events
from resources.history.step_failures import find_step_errors, has_own_failure, list_causes
from resources.machine import postgres_programs
from resources.machine.embedded_postgres import EmbeddedPostgres, use_postgres
from tests.assets.error_texts import doomed


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dg.DagsterInstance]:
    """An instance that other processes can open, and that starts no run by itself."""
    queue = {"run_coordinator": {"module": "dagster.core.run_coordinator", "class": "QueuedRunCoordinator"}}
    with dg.DagsterInstance.local_temp(str(tmp_path_factory.mktemp("dagster")), overrides=queue) as instance:
        yield instance


def connection_error(url: str) -> str:
    with pytest.raises(psycopg2.OperationalError) as caught:
        psycopg2.connect(url)
    assert caught.value.pgcode is None, "psycopg2 has a SQLSTATE now: decide by that"
    return str(caught.value)


def test_a_database_that_nobody_answers_for_is_told_apart_from_one_that_refuses(postgres: EmbeddedPostgres) -> None:
    assert is_database_away(connection_error("postgresql://clerk@127.0.0.1:1/lending"))
    there = postgres.create_database("error_texts")
    assert not is_database_away(connection_error(there.replace("error_texts", "no_such_database")))


def test_a_server_that_stops_is_away_and_does_not_refuse(tmp_path_factory: pytest.TempPathFactory) -> None:
    data = tmp_path_factory.mktemp("postgres") / "data"
    with use_postgres(data) as server, closing(psycopg2.connect(server.create_database("postgres"))):
        url = server.create_database("postgres")
        postgres_programs.run_program(data, "pg_ctl", "stop", "-m", "smart", "--no-wait")
        stopping = connection_error(url)
    assert "FATAL:" in stopping, "this case is of no use: the server did not answer"
    assert is_database_away(stopping)


def test_the_place_at_which_copy_stopped_is_found_without_the_value(postgres: EmbeddedPostgres) -> None:
    with (
        closing(psycopg2.connect(postgres.create_database("error_texts"))) as connection,
        connection.cursor() as cursor,
    ):
        cursor.execute("CREATE TEMPORARY TABLE borrowers (age integer, income numeric)")
        with pytest.raises(psycopg2.DataError) as value:
            cursor.copy_expert("COPY borrowers FROM STDIN (FORMAT csv)", StringIO("41,1\n12 Elm Street,1\n"))
        connection.rollback()
        cursor.execute("CREATE TEMPORARY TABLE borrowers (age integer, income numeric)")
        with pytest.raises(psycopg2.DataError) as row:
            cursor.copy_expert("COPY borrowers FROM STDIN (FORMAT csv)", StringIO("41\n"))
    assert "Elm Street" in str(value.value.diag.context), "PostgreSQL quotes no value any more"
    assert find_copy_position(str(value.value.diag.context)) == "line 2, column age"
    assert (find_copy_position(str(row.value.diag.context)) or "").startswith("line 1")
    assert find_copy_position("") is None


def test_a_lost_pod_of_a_step_is_told_apart_from_the_step_s_own_failure(local: dg.DagsterInstance) -> None:
    with dg.execute_job(dg.reconstructable(doomed.losing), local, raise_on_error=False) as lost:
        entries = read_events(local, lost.run_id)
    (error,) = find_step_errors(entries)
    assert is_failed_health_check(error.message)
    assert error.cls_name is None, "Dagster names a class now: decide by that"
    assert not has_own_failure(entries)
    own = doomed.refusing.execute_in_process(instance=local, raise_on_error=False)
    entries = read_events(local, own.run_id)
    assert not any(
        is_failed_health_check(each.message) for error in find_step_errors(entries) for each in list_causes(error)
    )
    assert has_own_failure(entries)


def test_our_error_is_told_apart_from_what_dagster_wraps_around_it(local: dg.DagsterInstance) -> None:
    run = doomed.refusing.execute_in_process(instance=local, raise_on_error=False)
    (error,) = find_step_errors(read_events(local, run.run_id))
    wrapping, ours = list_causes(error)
    assert (is_from_dagster(wrapping.message), is_from_us(wrapping.message)) == (True, False)
    assert (is_from_dagster(ours.message), is_from_us(ours.message)) == (False, True)
    assert remove_class_name(ours.message) == "the table has no column age: add it"
