"""Real runs that failed, and the retries that the sensor starts for them."""

import json
import logging
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import dagster as dg
import pytest

from resources.deployment import Deployment
from resources.history import attempt, retry_rule
from resources.history.tags import ROOT, WILL_RETRY
from resources.services.webserver import Webserver, WebserverError
from sensors import lost_retries as sensor
from sensors.failures import failures
from tests.support.instances import STOCK, open_instance

# The logger of the alerts.
NAME = "sensors.failures"


@dg.op(config_schema={"end": str})
def end(context: dg.OpExecutionContext) -> None:
    if context.op_config["end"] == "killed":
        raise KeyboardInterrupt
    raise ValueError("bad input")


@dg.job(executor_def=dg.in_process_executor)
def doomed() -> None:
    end()


@pytest.fixture
def instance(database_url: str, tmp_path: Path) -> Iterator[dg.DagsterInstance]:
    """One whose lost runs are retried, with a database of its own: a run of another test would be retried too."""
    with open_instance(tmp_path, database_url, STOCK, retries=3) as opened:
        yield opened


@pytest.fixture
def asked(monkeypatch):
    """What the webserver is asked for."""
    calls = []
    monkeypatch.setattr(retry_rule, "DAEMON_SECONDS", -1)
    monkeypatch.setattr(attempt, "is_relaunchable", lambda run: True)
    monkeypatch.setattr(Webserver, "reexecute", lambda _, *arguments: calls.append(arguments) or "its-retry")
    return calls


def config(how) -> dict:
    return {"ops": {"end": {"config": {"end": how}}}}


def fail(instance, how, **tags) -> str:
    with suppress(KeyboardInterrupt):
        doomed.execute_in_process(instance=instance, run_config=config(how), tags=tags, raise_on_error=False)
    (run,) = instance.get_runs(limit=1)
    assert run.status is dg.DagsterRunStatus.FAILURE
    return run.run_id


def tick(instance) -> str | None:
    return sensor.lost_retries.evaluate_tick(
        dg.build_sensor_context(instance=instance, resources={"webserver": Webserver("http://127.0.0.1:1")})
    ).skip_message


def test_a_run_that_was_lost_and_not_retried_is_retried_once(instance, asked) -> None:
    lost = fail(instance, "killed")
    assert tick(instance) == f"run {lost} is retried as its-retry"
    assert asked == [(lost, "FROM_FAILURE", {"dagster/retry_number": "1"})]
    asked.clear()
    about = {"parent_run_id": lost, "root_run_id": lost, "tags": {ROOT: lost}}
    instance.create_run_for_job(doomed, run_config=config("killed"), **about)
    assert tick(instance) == "no retry is missing"
    assert not asked


def test_the_sensor_leaves_the_daemon_time_unless_the_daemon_has_refused(instance, asked, monkeypatch) -> None:
    monkeypatch.setattr(retry_rule, "DAEMON_SECONDS", 60)
    lost = fail(instance, "killed")
    assert tick(instance) == "no retry is missing"
    instance.add_run_tags(lost, {WILL_RETRY: "false"})
    assert tick(instance) == f"run {lost} is retried as its-retry"


def test_a_run_whose_step_failed_is_left_red(instance, asked) -> None:
    fail(instance, "of itself")
    assert tick(instance) == "no retry is missing"
    assert not asked


def test_an_alert_does_not_deny_the_retry_that_the_sensor_starts(instance, asked, caplog) -> None:
    caplog.set_level(logging.INFO, NAME)
    resources = {"deployment": Deployment()}

    def alert(cursor: str | None) -> tuple[str | None, list[str]]:
        caplog.clear()
        data = failures.evaluate_tick(dg.build_sensor_context(instance=instance, cursor=cursor, resources=resources))
        return data.cursor, [json.loads(each.message)["text"] for each in caplog.records if each.name == NAME]

    cursor, _ = alert(None)
    lost = fail(instance, "killed", **{WILL_RETRY: "false"})
    cursor, (text,) = alert(cursor)
    assert lost in text
    assert "it will be retried" in text
    wrong = fail(instance, "wrong", **{WILL_RETRY: "false"})
    _, (text,) = alert(cursor)
    assert wrong in text
    assert "it will not be retried" in text


def test_of_a_failed_run_only_those_events_are_read_that_the_rule_needs(instance, asked, monkeypatch) -> None:
    lost, read = fail(instance, "killed"), instance.get_records_for_run
    kinds = list[set]()

    def read_and_note(run, cursor, of_type, **more):
        kinds.append(of_type)
        return read(run, cursor, of_type, **more)

    monkeypatch.setattr(instance, "get_records_for_run", read_and_note)
    assert lost in str(tick(instance))
    assert kinds, "no event was read"
    assert all(each and dg.DagsterEventType.ASSET_MATERIALIZATION not in each for each in kinds), "a wave has thousands"


def test_a_run_without_a_retry_budget_gets_no_retry(instance, asked) -> None:
    fail(instance, "killed", **{"dagster/max_retries": "0"})
    assert tick(instance) == "no retry is missing"
    assert not asked


def test_a_run_that_a_script_made_itself_is_left_as_it_ended(instance, asked, monkeypatch) -> None:
    monkeypatch.undo()
    monkeypatch.setattr(retry_rule, "DAEMON_SECONDS", -1)
    fail(instance, "killed")
    assert tick(instance) == "no retry is missing"


def test_a_run_whose_steps_had_all_ended_is_ended_too(instance, asked, monkeypatch) -> None:
    lost = fail(instance, "killed")

    def nothing_left(_, run, strategy, tags):
        if strategy == "FROM_FAILURE":
            raise WebserverError("No steps needed to be retried in the failed run.")
        asked.append((run, strategy))
        return "its-end"

    monkeypatch.setattr(Webserver, "reexecute", nothing_left)
    assert tick(instance) == f"run {lost} is retried as its-end"
    assert asked == [(lost, "ALL_STEPS")]


def test_a_webserver_that_is_away_fails_the_tick_and_the_next_tick_tries_again(instance, asked, monkeypatch) -> None:
    first, second = fail(instance, "killed"), fail(instance, "killed")
    with monkeypatch.context() as away:

        def refuse_the_second(_, run, *more):
            if run == second:
                raise WebserverError("http://127.0.0.1:1 does not answer: ConnectionError")
            return "its-retry"

        away.setattr(Webserver, "reexecute", refuse_the_second)
        with pytest.raises(
            WebserverError, match=f"{first} is retried as its-retry; run {second} can't be retried: .* answer"
        ):
            tick(instance)
    assert f"run {second} is retried as its-retry" in str(tick(instance))
