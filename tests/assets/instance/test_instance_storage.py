"""Connections are what a database runs out of first; an event that can't be written costs the run it is about."""

import threading
import time
from contextlib import closing, contextmanager

import dagster as dg
import psycopg2
import pytest
from dagster_postgres import PostgresEventLogStorage
from psycopg2.extensions import parse_dsn
from sqlalchemy.exc import OperationalError

from tests.support.instances import POOLED, STOCK


@dg.op
def talk(context: dg.OpExecutionContext) -> None:
    for number in range(20):
        context.log.info("line %d", number)


@dg.job(executor_def=dg.in_process_executor)
def chatter() -> None:
    talk()


@dg.op
def fail() -> None:
    raise ValueError("expected in this test")


@dg.job(executor_def=dg.in_process_executor)
def failing() -> None:
    fail()


@contextmanager
def refused(postgres, database_url):
    """The database lets nobody in, and ends whoever is there."""
    name = parse_dsn(database_url)["dbname"]
    with closing(psycopg2.connect(postgres.create_database("postgres"))) as other, other.cursor() as cursor:
        other.autocommit = True
        cursor.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
        cursor.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", (name,))
        try:
            yield
        finally:
            cursor.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")


def test_a_run_keeps_its_connections_where_dagsters_own_storage_opens_one_for_each_event(opened, connections) -> None:
    with opened() as instance:
        connections.clear()
        assert chatter.execute_in_process(instance=instance).success
        assert len(connections) <= 2
        connections.clear()
        with opened() as second:
            assert second.get_runs_count() == 1
        assert not connections, "a second instance of a process opened connections of its own"


@pytest.mark.parametrize(("storage", "found"), [(POOLED, "FAILURE"), (STOCK, "STARTED")])
def test_who_reads_of_a_failure_finds_a_run_that_has_failed(opened, monkeypatch, storage, found) -> None:
    """Dagster's daemon reads of it once, and leaves alone what has not failed."""
    seen, store_event = [], PostgresEventLogStorage.store_event

    def store_and_look(self, event) -> None:
        store_event(self, event)
        if event.dagster_event and event.dagster_event.is_run_failure:
            seen.append(instance.get_run_by_id(event.run_id).status.value)

    monkeypatch.setattr(PostgresEventLogStorage, "store_event", store_and_look)
    with opened(storage) as instance:
        assert not failing.execute_in_process(instance=instance, raise_on_error=False).success
        assert instance.get_runs()[0].status is dg.DagsterRunStatus.FAILURE
    assert seen == [found]


def test_tables_are_made_where_there_are_none(opened) -> None:
    with opened() as instance:
        run = chatter.execute_in_process(instance=instance)
        lines = [entry.user_message for entry in instance.all_logs(run.run_id)]
        assert lines.count("line 7") == 1
        assert instance.all_instigator_state() == []


def test_dagsters_own_storage_reads_what_the_pooled_one_wrote(opened) -> None:
    with opened() as instance:
        run = chatter.execute_in_process(instance=instance)
        events = instance.all_logs(run.run_id)
    with opened(STOCK) as stock:
        assert stock.all_logs(run.run_id) == events
        assert [each.run_id for each in stock.get_runs(dg.RunsFilter(statuses=[dg.DagsterRunStatus.SUCCESS]))] == [
            run.run_id
        ]


def test_a_database_that_is_away_for_a_moment_is_waited_for(opened, postgres, database_url) -> None:
    with opened() as instance:
        instance.get_runs_count()
        with refused(postgres, database_url):
            made = []
            asking = threading.Thread(target=lambda: made.append(instance.create_run_for_job(chatter)))
            asking.start()
            time.sleep(1.5)
            assert not made, "it answered without a database"
        asking.join(60)
        assert [run.run_id for run in instance.get_runs()] == [made[0].run_id]


def test_one_that_stays_away_is_an_error_when_patience_ends(opened, postgres, database_url) -> None:
    with opened(patience_seconds=1) as instance:
        instance.get_runs_count()
        with refused(postgres, database_url):
            began = time.monotonic()
            with pytest.raises(OperationalError, match="not currently accepting connections"):
                instance.get_runs_count()
            assert 0.5 < time.monotonic() - began < 20
        assert instance.get_runs_count() == 0, "it does not come back when the database does"


def test_a_webserver_gives_up_a_question_that_takes_too_long(opened) -> None:
    with opened() as instance:
        instance.optimize_for_webserver(statement_timeout=200, pool_recycle=3600, max_overflow=20)
        with instance.run_storage.connect() as connection:
            with pytest.raises(OperationalError, match="statement timeout"):
                connection.exec_driver_sql("SELECT pg_sleep(5)")
            assert connection.exec_driver_sql("SELECT 1").scalar() == 1


def test_a_setting_that_it_does_not_know_is_refused(opened) -> None:
    with pytest.raises(dg.DagsterInvalidConfigError, match="pool_seize"), opened(pool_seize=3):
        pass


def test_a_run_is_retried_once_whoever_asks_and_by_hand_any_number_of_times(opened) -> None:
    with opened() as instance:
        root = instance.create_run_for_job(chatter)

        def again(**tags: str) -> dg.DagsterRun:
            about = {"dagster/parent_run_id": root.run_id, "dagster/root_run_id": root.run_id} | tags
            return instance.create_run_for_job(chatter, tags=about, parent_run_id=root.run_id, root_run_id=root.run_id)

        numbered = {"dagster/retry_number": "1"}
        first = again(**numbered)
        with pytest.raises(dg.DagsterError, match=r"^$"):
            again(**numbered)
        assert again().run_id != again().run_id
        retries = instance.get_runs(dg.RunsFilter(tags=numbered))
        assert [run.run_id for run in retries] == [first.run_id]
