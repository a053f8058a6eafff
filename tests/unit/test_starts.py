"""A run that can't begin must say why; one whose worker died at once must not be waited for; none may begin later."""

import time
from datetime import UTC, datetime
from types import SimpleNamespace
from unittest.mock import Mock

import dagster as dg
import pytest

from resources.starts import Starts

RUN = dg.DagsterRun(job_name="refresh", status=dg.DagsterRunStatus.STARTING)


@pytest.fixture
def starts() -> Starts:
    """One run starts since just now, and its Job is well."""
    record = SimpleNamespace(dagster_run=RUN, update_timestamp=datetime.now(UTC))
    instance = Mock(get_run_records=Mock(return_value=[record]), get_run_by_id=Mock(return_value=RUN))
    launcher = Mock(job_failed=Mock(return_value=False), get_run_worker_debug_info=Mock(return_value="Unschedulable"))
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


@pytest.mark.parametrize(("status", "deleted"), [("FAILURE", 1), ("STARTED", 0), ("SUCCESS", 0)])
def test_the_job_of_a_run_that_timed_out_is_deleted_and_of_one_that_began_is_not(starts, status, deleted) -> None:
    starts.look()
    starts.instance.get_run_records.return_value = []
    starts.instance.get_run_by_id.return_value = dg.DagsterRun(job_name="r", status=dg.DagsterRunStatus[status])
    starts.look()
    starts.look()
    assert starts.launcher.delete_job.call_count == deleted
