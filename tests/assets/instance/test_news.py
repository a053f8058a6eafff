"""News that never comes costs a second. News that wakes for every event of a run costs a core."""

import time
from collections.abc import Iterator

import dagster as dg
import psycopg2
import pytest

from resources.instance.news.listener import News, Topic

SOON, NEVER = 10, 0.3
PID = "SELECT pid FROM pg_stat_activity WHERE application_name = 'news of runs' AND datname = current_database()"
END = f"SELECT pg_terminate_backend(pid) FROM ({PID}) AS listening"


@pytest.fixture
def instance(opened) -> Iterator[dg.DagsterInstance]:
    with opened() as made:
        yield made


@pytest.fixture
def ask(database_url):
    """Runs SQL beside the listener."""

    def run(statement: str) -> list[tuple]:
        with psycopg2.connect(database_url) as connection, connection.cursor() as cursor:
            cursor.execute(statement)
            found = cursor.fetchall() if cursor.description else []
        connection.close()
        return found

    return run


@pytest.fixture
def news(instance, database_url, ask) -> Iterator[News]:
    """A listener that listens."""
    instance.get_runs_count()
    listener = News(database_url, pause=0.1)
    listener.start()
    assert all(listener.wait(topic, SOON) for topic in Topic), "who begins to listen looks once"
    yield listener
    listener.stop()
    ask(END)


@pytest.fixture
def run(instance) -> dg.DagsterRun:
    @dg.job
    def refresh() -> None:
        """It has no step."""

    return instance.create_run_for_job(refresh, status=dg.DagsterRunStatus.STARTED)


def test_a_run_that_is_queued_is_told_to_the_queue_alone(news, instance, run, ask) -> None:
    assert not news.wait(Topic.QUEUE, NEVER), "it has begun, so no queue needs to know"
    instance.report_engine_event("it goes on", run)
    assert not news.wait(Topic.QUEUE, NEVER)
    ask("UPDATE runs SET status = 'QUEUED'")
    assert news.wait(Topic.QUEUE, SOON)
    assert not news.wait(Topic.QUEUE, NEVER), "the same news again"
    assert not news.wait(Topic.FAILURES, 0)


def test_a_failure_is_told_when_it_can_be_read_and_it_makes_room_in_the_queue(news, instance, run) -> None:
    instance.report_run_failed(run, "its worker was lost")
    assert news.wait(Topic.FAILURES, SOON)
    assert news.wait(Topic.QUEUE, SOON)
    assert instance.get_run_by_id(run.run_id).status is dg.DagsterRunStatus.FAILURE
    kinds = {each.dagster_event_type for each in instance.all_logs(run.run_id)}
    assert dg.DagsterEventType.RUN_FAILURE in kinds


def test_a_lost_connection_is_opened_again_and_who_waits_looks_once_because_news_may_have_been_lost(
    news, instance, run, ask
) -> None:
    ((before,),) = ask(PID)
    ask(END)
    assert all(news.wait(topic, SOON) for topic in Topic)
    ((after,),) = ask(PID)
    assert after != before
    instance.report_run_failed(run, "its worker was lost")
    assert news.wait(Topic.FAILURES, SOON)


def test_without_postgresql_the_one_who_waits_goes_on_after_his_seconds(caplog) -> None:
    listener = News("host=127.0.0.1 port=9 dbname=none", pause=0.1)
    listener.start()
    began = time.monotonic()
    assert not listener.wait(Topic.QUEUE, 0.5)
    assert 0.5 <= time.monotonic() - began < 3
    assert "no news of runs, they are looked for" in caplog.text
    listener.stop()
