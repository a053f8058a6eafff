"""A run that can't begin must say why; one whose worker died at once must not be waited for; none may begin later."""

from typing import Any, cast

import dagster as dg
import pytest
from kubernetes.client import V1Job, V1JobStatus, V1ObjectMeta
from kubernetes.client.rest import ApiException

from resources.history.tags import CRASHED
from resources.launching.starts import watch
from tests.support.launching import FAILED, START_TIMEOUT_SECONDS, SUCCEEDED
from tests.support.servers.pods import ended_with, pod
from tests.unit.launching.starts.starting import NOW, add_start

STATUS = dg.DagsterRunStatus


def test_a_run_that_has_just_been_launched_is_left_alone(built, starts) -> None:
    add_start(built, seconds=29)
    built.cluster.status = V1JobStatus()
    starts.check_all()
    assert not built.instance.reports
    assert not built.instance.failures
    assert not built.deeds


def test_the_reason_why_a_run_does_not_begin_is_logged_once(built, starts) -> None:
    run = add_start(built, seconds=31)
    built.cluster.pods = [pod()]
    starts.check_all()
    starts.check_all()
    ((reported, message),) = built.instance.reports
    assert reported == run.run_id
    assert "FailedScheduling: no node" in message
    assert not built.instance.failures


def test_a_run_whose_reason_was_logged_is_forgotten_once_it_has_begun(built, starts) -> None:
    run = add_start(built, seconds=31)
    built.cluster.pods = [pod()]
    starts.check_all()
    built.instance.change(run, STATUS.STARTED)
    starts.check_all()
    built.instance.change(run, STATUS.STARTING)
    starts.check_all()
    assert len(built.instance.reports) == 2, "the memory of a daemon grows with each run"


@pytest.mark.parametrize("status", [FAILED, SUCCEEDED], ids=["failed", "ended"])
def test_a_worker_that_ended_before_it_began_fails_its_run_as_a_crash(built, starts, status) -> None:
    run = add_start(built)
    built.cluster.status, built.cluster.pods = status, [pod(("dagster", ended_with(1)))]
    starts.check_all()
    ((failed, message),) = built.instance.failures
    assert failed == run.run_id
    assert "ended before it began" in message
    assert built.tags(run)[CRASHED] == run.run_id


def test_a_worker_that_was_taken_away_before_it_began_costs_its_run_nothing(built, starts) -> None:
    run = add_start(built)
    built.cluster.status = FAILED
    starts.check_all()
    assert len(built.instance.failures) == 1
    assert CRASHED not in built.tags(run)


def test_a_run_that_began_in_the_meantime_is_not_failed(built, starts) -> None:
    run = add_start(built)
    built.cluster.status, built.cluster.pods = FAILED, [pod(("dagster", ended_with(1)))]
    read_log = built.cluster.list_namespaced_event
    built.cluster.list_namespaced_event = lambda *at, **more: (
        built.instance.change(run, STATUS.STARTED),
        read_log(*at, **more),
    )[1]
    starts.check_all()
    assert not built.instance.failures
    assert CRASHED not in built.tags(run)


def test_one_run_that_can_not_be_checked_hides_no_other(built, starts) -> None:
    bad, good = add_start(built), add_start(built)
    answer = built.cluster.read_namespaced_job_status

    def err_once(name: str, *more, **named):
        if bad.run_id in name:
            raise ZeroDivisionError
        return answer(name, *more, **named)

    built.cluster.read_namespaced_job_status = err_once
    built.cluster.status = FAILED
    starts.check_all()
    assert [run for run, _ in built.instance.failures] == [good.run_id]


def test_a_reason_that_could_not_be_read_is_read_again_later(built, starts) -> None:
    add_start(built, seconds=31)
    built.cluster.pods = [pod()]
    answer = built.cluster.list_namespaced_pod

    def refuse(*_, **__):
        raise ApiException(500)

    built.cluster.list_namespaced_pod = refuse
    starts.check_all()
    assert not built.instance.reports
    built.cluster.list_namespaced_pod = answer
    starts.check_all()
    assert len(built.instance.reports) == 1


def test_a_worker_that_was_lost_before_it_began_is_failed_by_its_lease(built, starts) -> None:
    run = add_start(built)
    built.hold_lease(run)
    starts.check_all()
    built.clock.now += 5
    starts.check_all()
    assert not built.instance.failures
    built.clock.now += 5
    starts.check_all()
    ((failed, message),) = built.instance.failures
    assert failed == run.run_id
    assert "lost before it began: its worker has not renewed its lease for 10 s" in message
    assert f"fence run/{run.run_id}" in built.deeds


def test_a_run_that_began_at_the_last_moment_is_left_to_the_monitor(built, starts) -> None:
    run = add_start(built)
    built.hold_lease(run)
    starts.check_all()
    built.clock.now += 10
    revoke = built.leases.revoke
    built.leases.revoke = lambda *lease: (built.instance.change(run, STATUS.STARTED), revoke(*lease))[1]
    starts.check_all()
    assert not built.instance.failures


@pytest.mark.parametrize("status", [STATUS.FAILURE, STATUS.CANCELED])
@pytest.mark.parametrize(("ended_before", "deleted"), [(121, True), (119, False)])
def test_the_job_of_a_run_that_was_given_up_is_deleted_once_its_worker_had_time_to_end(
    built, starts, status, ended_before, deleted
) -> None:
    run = built.instance.add(status)
    built.instance.ended[run.run_id] = NOW.timestamp() - ended_before
    built.cluster.jobs = [job_of(run)]
    starts.delete_leftover_jobs()
    assert built.deeds == ([f"delete dagster-run-{run.run_id}"] if deleted else [])


def test_the_job_of_a_run_that_works_or_ended_well_is_not_deleted(built, starts) -> None:
    runs = [built.instance.add(status) for status in (STATUS.STARTED, STATUS.STARTING, STATUS.SUCCESS)]
    built.cluster.jobs = [job_of(run) for run in runs]
    starts.delete_leftover_jobs()
    assert not built.deeds


def test_a_job_that_can_not_be_deleted_hides_no_other(built, starts, caplog) -> None:
    runs = [built.instance.add(STATUS.FAILURE) for _ in range(2)]
    built.cluster.jobs = [job_of(run) for run in runs]
    delete = built.cluster.delete_namespaced_job

    def refuse_first(name: str, *more, **named):
        if name.endswith(runs[0].run_id):
            raise ApiException(403, "Forbidden")
        delete(name, *more, **named)

    built.cluster.delete_namespaced_job = refuse_first
    starts.delete_leftover_jobs()
    assert built.deeds == [f"delete dagster-run-{runs[1].run_id}"]
    assert f"can't delete the Job of run {runs[0].run_id}: the API server answered 403 Forbidden" in caplog.text


def test_without_active_jobs_no_run_is_looked_up(built, starts) -> None:
    run = built.instance.add(STATUS.FAILURE)
    built.instance.get_run_records = None
    starts.delete_leftover_jobs()
    assert run.run_id in built.instance.runs


def job_of(run: dg.DagsterRun) -> V1Job:
    return V1Job(metadata=V1ObjectMeta(labels={"dagster/run-id": run.run_id}), status=V1JobStatus(active=1))


class Stopped(BaseException):
    """Ends what never returns."""


class CountedStarts:
    """Counts the checks; without a pause between them there would be too many of them."""

    def __init__(self) -> None:
        self.deeds: list[str] = []

    def check_all(self) -> None:
        self.deeds.append("check")
        if len(self.deeds) > 200:
            raise Stopped
        if len(self.deeds) == 2:
            raise ZeroDivisionError  # one error ends no watch

    def delete_leftover_jobs(self) -> None:
        self.deeds.append("delete")


def test_the_watch_waits_between_its_checks_and_looks_for_leftover_jobs_once_a_minute() -> None:
    starts, waited, seconds = CountedStarts(), [], 0.0

    def wait(pause: float) -> None:
        nonlocal seconds
        seconds += pause
        waited.append(pause)
        if seconds > 130:
            raise Stopped

    with pytest.raises(Stopped):
        watch(cast("Any", starts), wait=wait, clock=lambda: seconds)
    assert waited == [3.0] * len(waited)
    assert starts.deeds.count("check") == len(waited) - 1
    assert starts.deeds.count("delete") == 2
    assert starts.deeds.index("delete") == 20, "the first minute has passed"


def test_a_run_that_takes_too_long_to_begin_is_failed_once_nobody_can_begin_it_any_more(built, starts) -> None:
    late, other = add_start(built, seconds=START_TIMEOUT_SECONDS), add_start(built, seconds=START_TIMEOUT_SECONDS - 1)
    built.cluster.pods = [pod()]
    starts.check_all()
    ((failed, message),) = built.instance.failures
    assert failed == late.run_id
    assert f"has not begun after {START_TIMEOUT_SECONDS} s" in message
    assert "FailedScheduling: no node" in message
    built.deeds.wait_for(f"delete {built.launcher.locate_job(late).name}")
    assert built.deeds[:2] == [f"refuse run/{late.run_id}", f"free slots {late.run_id}"]
    assert CRASHED not in built.tags(late)
    assert not any(other.run_id in deed for deed in built.deeds)


def test_a_run_whose_worker_begins_right_before_the_start_timeout_is_left_alone(built, starts) -> None:
    add_start(built, seconds=START_TIMEOUT_SECONDS)
    built.leases.taken_meanwhile = True
    starts.check_all()
    assert not built.instance.failures
    assert not built.deeds


def test_a_run_that_takes_too_long_to_begin_is_failed_while_the_api_server_does_not_answer(built, starts) -> None:
    run = add_start(built, seconds=START_TIMEOUT_SECONDS)
    built.cluster.error = ApiException(503)
    starts.check_all()
    assert [failed for failed, _ in built.instance.failures] == [run.run_id]
    assert built.deeds[0] == f"refuse run/{run.run_id}"
