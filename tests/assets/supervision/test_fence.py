"""What PostgreSQL does not refuse, a worker that was given up does: it writes on, or turns its failed run green."""

import json
from contextlib import closing

import psycopg2
import pytest
from psycopg2.errors import InsufficientPrivilege, UniqueViolation

from resources.supervision.fence import ONE_RETRY, NotFenced, raise_fence
from resources.supervision.lease import Lease
from resources.supervision.lease_table import LeaseConnection, Leases
from tests.assets.supervision.leases import find, revoke

INSERT_EVENT = "INSERT INTO event_logs (run_id, event, dagster_event_type, timestamp) VALUES ('1', '{}', 'E', now())"
INSERT_RUN = (
    "INSERT INTO runs (run_id, pipeline_name, status, run_body, create_timestamp, update_timestamp)"
    " VALUES (gen_random_uuid(), 'refresh', 'STARTED', %s, now(), now())"
)
UPDATE_EVENT = "UPDATE event_logs SET event = '{}'"
UPDATE_RUN = "UPDATE runs SET update_timestamp = now()"
WRITES = {
    "an event": (INSERT_EVENT,),
    "a changed event": (UPDATE_EVENT,),
    "a run": (INSERT_RUN, "{}"),
    "a changed run": (UPDATE_RUN,),
}


@pytest.fixture
def fenced(dagster_database):
    """Dagster's database, with one event and one run, behind the fence."""
    dagster_database.execute(INSERT_EVENT)
    dagster_database.execute(INSERT_RUN, "{}")
    raise_fence(LeaseConnection(dagster_database.dsn, "a test"))
    return dagster_database


@pytest.fixture
def lease(fenced) -> Lease:
    held = Lease(fenced.dsn, "run/1", "pod", 30)
    assert held.take()
    return held


@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES)
def test_a_worker_without_a_lease_writes_nothing_and_everybody_else_does(fenced, lease, write) -> None:
    fenced.execute(*write, name="worker pod")
    for stranger in ("worker another", "worker po", "worker pod ", "worker "):
        with pytest.raises(InsufficientPrivilege, match="has no lease any more"):
            fenced.execute(*write, name=stranger)
    leases = Leases(fenced.dsn)
    assert revoke(leases, lease.name)
    with pytest.raises(InsufficientPrivilege, match="worker pod has no lease any more"):
        fenced.execute(*write, name="worker pod")
    for other in ("dagster-daemon", "", "a worker pod", "workerpod"):
        fenced.execute(*write, name=other)


@pytest.mark.parametrize("ended", ["FAILURE", "CANCELED"])
def test_a_worker_can_not_change_the_status_of_a_run_that_others_ended(fenced, lease, ended) -> None:
    fenced.execute("UPDATE runs SET status = %s", ended, name="dagster-daemon")
    for status in ("SUCCESS", "STARTED", "CANCELING"):
        with pytest.raises(InsufficientPrivilege, match=f"has ended as {ended} and stays so"):
            fenced.execute("UPDATE runs SET status = %s", status, name="worker pod")
    fenced.execute("UPDATE runs SET status = %s", ended, name="worker pod")
    fenced.execute(UPDATE_RUN, name="worker pod")
    assert fenced.execute("SELECT status FROM runs") == [(ended,)]
    fenced.execute("UPDATE runs SET status = 'SUCCESS'", name="dagster-webserver")
    assert fenced.execute("SELECT status FROM runs") == [("SUCCESS",)]


def test_a_worker_changes_the_status_of_a_run_that_has_not_failed(fenced, lease) -> None:
    for status in ("STARTED", "SUCCESS", "FAILURE"):
        fenced.execute("UPDATE runs SET status = %s", status, name="worker pod")
        assert fenced.execute("SELECT status FROM runs") == [(status,)]


def test_a_revocation_waits_for_what_is_being_written_under_the_lease(fenced, lease) -> None:
    leases = Leases(fenced.dsn)
    seen = find(leases, lease.name)
    with closing(psycopg2.connect(fenced.dsn, application_name="worker pod")) as writing, writing.cursor() as cursor:
        cursor.execute(INSERT_EVENT)
        with pytest.raises(psycopg2.errors.QueryCanceled):
            leases.revoke(lease.name, seen)
        writing.commit()
    assert leases.revoke(lease.name, seen)


def test_two_workers_write_at_the_same_time(fenced, lease) -> None:
    with closing(psycopg2.connect(fenced.dsn, application_name="worker pod")) as writing, writing.cursor() as cursor:
        cursor.execute(INSERT_EVENT)
        fenced.execute("SET statement_timeout = 2000; " + INSERT_EVENT, name="worker pod")


def triggers(database) -> set[tuple[str, str]]:
    found = database.execute(
        "SELECT tgname, tgrelid::regclass::text FROM pg_trigger WHERE tgname IN ('lease_fence', 'ended_stays')"
    )
    return set(found)


@pytest.mark.parametrize(
    ("trigger", "table"), [("lease_fence", "event_logs"), ("lease_fence", "runs"), ("ended_stays", "runs")]
)
def test_a_part_of_the_fence_that_is_missing_is_raised_again(fenced, trigger, table) -> None:
    whole = triggers(fenced)
    assert whole == {("lease_fence", "event_logs"), ("lease_fence", "runs"), ("ended_stays", "runs")}
    fenced.execute(f"DROP TRIGGER {trigger} ON {table}")
    connection = LeaseConnection(fenced.dsn, "a test")
    raise_fence(connection)
    raise_fence(connection)  # it stands already
    assert triggers(fenced) == whole


def test_a_database_without_dagsters_tables_is_refused(database) -> None:
    with pytest.raises(NotFenced, match="PGDATABASE"):
        raise_fence(LeaseConnection(database.dsn, "a test"))
    assert not triggers(database)


def retry_of(parent: str, number: str | None) -> str:
    tags = {"dagster/parent_run_id": parent} | ({"dagster/retry_number": number} if number else {})
    return json.dumps({"tags": tags})


def test_a_run_is_retried_automatically_only_once(dagster_database) -> None:
    dagster_database.execute(ONE_RETRY)
    dagster_database.execute(ONE_RETRY)  # it is there already
    dagster_database.execute(INSERT_RUN, retry_of("a", "1"))
    with pytest.raises(UniqueViolation):
        dagster_database.execute(INSERT_RUN, retry_of("a", "2"))
    dagster_database.execute(INSERT_RUN, retry_of("b", "1"))
    for _ in range(2):
        dagster_database.execute(INSERT_RUN, retry_of("a", None))  # a person may re-execute a run as often as they like


def test_a_database_with_a_run_that_was_retried_twice_works_without_the_index(dagster_database) -> None:
    for number in ("1", "2"):
        dagster_database.execute(INSERT_RUN, retry_of("a", number))
    with closing(psycopg2.connect(dagster_database.dsn)) as connection, connection.cursor() as cursor:
        cursor.execute(ONE_RETRY)
        assert "some runs have two retries already" in "".join(connection.notices)
        connection.commit()
    assert dagster_database.execute("SELECT to_regclass('one_retry')") == [(None,)]
    dagster_database.execute("DELETE FROM runs")
    dagster_database.execute(ONE_RETRY)
    assert dagster_database.execute("SELECT to_regclass('one_retry')") == [("one_retry",)]
