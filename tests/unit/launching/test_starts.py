"""A run that can't begin must say why; one whose worker died at once must not be waited for; none may begin later."""

import time
from datetime import UTC, datetime
from types import SimpleNamespace
from unittest.mock import Mock

import dagster as dg
import pytest

from resources.launching.launcher import CheckRunHealthResult, NoAnswer, WorkerStatus
from resources.launching.starts import Starts

RUN = dg.DagsterRun(job_name="refresh", status=dg.DagsterRunStatus.STARTING)


@pytest.fixture
def starts() -> Starts:
    """One run starts since just now, and its Job is well."""
    record = SimpleNamespace(dagster_run=RUN, update_timestamp=datetime.now(UTC))
    instance = Mock(get_run_records=Mock(return_value=[record]), get_run_by_id=Mock(return_value=RUN))
    answers = {"has_begun": False, "job_failed": False, "get_run_worker_debug_info": "Unschedulable"}
    launcher = Mock(**{name: Mock(return_value=answer) for name, answer in answers.items()})
    launcher.in_time = lambda question, *about, seconds, **more: question(*about, **more)
    return Starts(instance, launcher)


def long_ago(starts) -> None:
    (record,) = starts.instance.get_run_records.return_value
    record.update_timestamp = datetime.fromtimestamp(time.time() - 31, UTC)


def test_a_run_that_has_just_been_launched_is_left_alone(starts) -> None:
    starts.look()
    starts.instance.report_engine_event.assert_not_called()
    starts.instance.report_run_failed.assert_not_called()
    starts.launcher.delete_job.assert_not_called()


def test_why_a_run_does_not_begin_is_said_once(starts) -> None:
    long_ago(starts)
    starts.look()
    starts.look()
    starts.instance.report_engine_event.assert_called_once()
    assert "Unschedulable" in starts.instance.report_engine_event.call_args.args[0]
    starts.instance.report_run_failed.assert_not_called()


def test_a_worker_that_ended_before_it_began_fails_its_run_as_a_crash(starts) -> None:
    starts.launcher.job_failed.return_value = True
    starts.look()
    starts.launcher.count_crash.assert_called_once_with(RUN)
    assert "ended before it began" in starts.instance.report_run_failed.call_args.args[1]


def test_a_worker_that_was_taken_away_before_it_began_costs_its_run_nothing(starts) -> None:
    starts.launcher.job_failed.return_value = True
    starts.launcher.ended_by_itself.return_value = False
    starts.look()
    starts.launcher.count_crash.assert_not_called()
    starts.instance.report_run_failed.assert_called_once()


def test_a_run_that_began_in_the_meantime_is_not_failed(starts) -> None:
    starts.launcher.job_failed.return_value = True
    starts.instance.get_run_by_id.return_value = dg.DagsterRun(job_name="r", status=dg.DagsterRunStatus.STARTED)
    starts.look()
    starts.instance.report_run_failed.assert_not_called()
    starts.launcher.count_crash.assert_not_called()


def test_one_run_that_can_not_be_looked_at_hides_no_other(starts) -> None:
    (record,) = starts.instance.get_run_records.return_value
    bad = SimpleNamespace(dagster_run=dg.DagsterRun(job_name="bad"), update_timestamp=record.update_timestamp)
    starts.instance.get_run_records.return_value = [bad, record]
    starts.launcher.job_failed.side_effect = [ValueError("403"), True]
    starts.look()
    starts.instance.report_run_failed.assert_called_once()
    assert starts.instance.report_run_failed.call_args.args[0] is RUN


def test_a_reason_that_could_not_be_had_is_asked_for_again(starts) -> None:
    long_ago(starts)
    starts.launcher.get_run_worker_debug_info.side_effect = [NoAnswer("silent"), "no node"]
    starts.look()
    starts.instance.report_engine_event.assert_not_called()
    starts.look()
    assert "no node" in starts.instance.report_engine_event.call_args.args[0]


def health(status: str) -> CheckRunHealthResult:
    return CheckRunHealthResult(WorkerStatus[status], "its worker has not renewed its lease for 9 s, and was given up")


def test_a_worker_that_was_lost_before_it_began_is_failed_by_its_lease(starts) -> None:
    starts.launcher.has_begun.return_value = True
    starts.launcher.check_run_worker_health.return_value = health("RUNNING")
    starts.look()
    starts.instance.report_run_failed.assert_not_called()
    starts.launcher.check_run_worker_health.return_value = health("UNKNOWN")
    starts.look()
    starts.instance.report_run_failed.assert_called_once()
    assert "lost before it began: its worker has not renewed" in starts.instance.report_run_failed.call_args.args[1]
    starts.launcher.job_failed.assert_not_called()


def test_one_that_began_at_the_last_moment_is_left_to_the_monitor(starts) -> None:
    starts.launcher.has_begun.return_value = True
    starts.launcher.check_run_worker_health.return_value = health("UNKNOWN")
    starts.instance.get_run_by_id.return_value = dg.DagsterRun(job_name="r", status=dg.DagsterRunStatus.STARTED)
    starts.look()
    starts.instance.report_run_failed.assert_not_called()


@pytest.mark.parametrize(("ended_before", "deleted"), [(121, 1), (60, 0)])
def test_the_job_of_a_run_that_was_given_up_is_deleted_once_its_worker_had_time_to_end(
    starts, ended_before, deleted
) -> None:
    starts.launcher.active_jobs.return_value = [RUN.run_id]
    record = SimpleNamespace(dagster_run=RUN, end_time=time.time() - ended_before)
    starts.instance.get_run_records.return_value = [record]
    starts.tidy()
    (asked,) = starts.instance.get_run_records.call_args.args
    assert asked.run_ids == [RUN.run_id]
    assert {status.value for status in asked.statuses} == {"FAILURE", "CANCELED"}
    assert starts.launcher.delete_job.call_count == deleted


def test_nobody_is_asked_for_the_runs_of_no_jobs(starts) -> None:
    starts.launcher.active_jobs.return_value = []
    starts.tidy()
    starts.instance.get_run_records.assert_not_called()
