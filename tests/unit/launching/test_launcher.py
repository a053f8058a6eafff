"""A question that stays open must not kill a run that is well; a worker that is silent must not stay "started"."""

import dagster as dg
import psycopg2
import pytest
from kubernetes.client.rest import ApiException

from resources.history.tags import CRASHED, LOST_AT, MAX_RETRIES
from resources.launching import launcher
from resources.launching.kubernetes_jobs import NoAnswer
from resources.launching.silence import SilenceWatch
from tests.support.launching import DEADLINE, FAILED, LEASE_SECONDS, SUCCEEDED, Launching, launching
from tests.support.servers.pods import Clock, ended_with, pod

UNAVAILABLE = ApiException(503, "Service Unavailable")


@pytest.fixture
def run(built: Launching) -> dg.DagsterRun:
    return built.instance.add()


@pytest.fixture
def leased(built: Launching, run: dg.DagsterRun) -> dg.DagsterRun:
    """A run whose worker holds its lease."""
    built.hold_lease(run)
    return run


def test_a_worker_that_renews_is_alive_and_kubernetes_is_not_asked_about_its_job(built, leased) -> None:
    built.cluster.error = UNAVAILABLE
    for second in range(0, 60, 3):
        built.hold_lease(leased, renewed=second)
        assert built.check(leased) == "RUNNING"
        built.clock.now += 3
    assert {each["deed"] for each in built.cluster.asked} == {"list pods"}, "its address is needed when it falls silent"
    assert not built.deeds


def test_a_silent_worker_is_fenced_then_tagged_then_its_job_is_deleted(built, leased) -> None:
    found = built.check_every_3_seconds(leased, 9)
    assert found == ["RUNNING", "RUNNING", "RUNNING", "UNKNOWN"], "the monitor takes UNKNOWN for dead"
    deletion = f"delete dagster-run-{leased.run_id}"
    built.deeds.wait_for(deletion)
    in_order = [deed for deed in built.deeds if not deed.startswith("free slots")]
    assert in_order == [f"fence run/{leased.run_id}", f"tag {LOST_AT}", deletion]
    assert built.tags(leased)[LOST_AT] == f"{DEADLINE.timestamp() - LEASE_SECONDS:.1f}", "its last renewal"
    assert MAX_RETRIES not in built.tags(leased), "a lost worker costs its run no retries"


def test_a_fence_that_can_not_be_raised_leaves_run_and_job_alone(built, leased) -> None:
    built.check_every_3_seconds(leased, 6)
    find = built.leases.find_deadline
    built.leases.find_deadline = lambda name: (find(name), setattr(built.leases, "error", psycopg2.OperationalError()))[
        0
    ]
    with pytest.raises(NoAnswer):
        built.check(leased)
    assert not built.deeds


def test_a_worker_that_renews_at_the_last_moment_is_not_given_up(built, leased) -> None:
    built.leases.renewed_meanwhile = True
    assert set(built.check_every_3_seconds(leased, 12)) == {"RUNNING"}
    assert not built.deeds


def test_slots_in_a_pool_are_freed_when_a_worker_is_given_up_and_not_before(built, leased) -> None:
    built.check_every_3_seconds(leased, 6)
    assert not built.deeds
    built.check(leased)
    assert built.deeds.count(f"free slots {leased.run_id}") == 1


def test_an_api_server_that_is_away_as_well_keeps_no_dead_worker_alive(built, leased) -> None:
    built.cluster.error = UNAVAILABLE
    assert built.check(leased) == "RUNNING"
    built.clock.now += 3
    with pytest.raises(NoAnswer, match="503 Service Unavailable"):
        built.check(leased)
    assert not built.deeds
    built.clock.now += 6
    assert built.check(leased) == "UNKNOWN"


@pytest.mark.parametrize("status", [FAILED, SUCCEEDED], ids=["failed", "ended"])
def test_a_silent_worker_whose_job_has_ended_is_not_waited_for(built, leased, status) -> None:
    built.cluster.status = status
    assert built.check_every_3_seconds(leased, 3) == ["RUNNING", "FAILED"]
    assert built.deeds == [f"fence run/{leased.run_id}", f"free slots {leased.run_id}"]
    assert not built.tags(leased), "it was asked to end, which is neither a loss without notice nor a crash"


def test_a_silent_worker_whose_job_is_gone_is_lost(built, leased) -> None:
    built.cluster.status = None
    assert built.check_every_3_seconds(leased, 3) == ["RUNNING", "UNKNOWN"]
    assert f"fence run/{leased.run_id}" in built.deeds
    assert LOST_AT in built.tags(leased)


def test_a_database_that_was_away_makes_nobody_silent(built, leased) -> None:
    assert built.check_every_3_seconds(leased, 3) == ["RUNNING", "RUNNING"]
    built.leases.error = psycopg2.OperationalError("connection\nrefused")
    with pytest.raises(NoAnswer, match="connection refused"):
        built.check(leased)
    built.clock.now += 60
    built.leases.error = None
    assert built.check(leased) == "RUNNING", "it could not renew either"
    built.clock.now += 9
    assert built.check(leased) == "UNKNOWN", "now it could"


def test_before_there_is_a_lease_no_answer_is_no_verdict(built, run) -> None:
    built.cluster.error = UNAVAILABLE
    for _ in range(10):
        with pytest.raises(NoAnswer):
            built.check(run)
        built.clock.now += 60
    assert not built.deeds


def test_without_a_lease_a_worker_is_alive_while_its_job_is(built, run) -> None:
    assert set(built.check_every_3_seconds(run, 60)) == {"RUNNING"}
    assert not built.deeds


def test_without_a_lease_a_job_that_is_gone_is_a_dead_worker_and_no_crash(built, run) -> None:
    built.cluster.status = None
    assert built.check(run) == "UNKNOWN", "the monitor takes UNKNOWN for dead"
    assert not built.tags(run)


@pytest.mark.parametrize("status", [FAILED, SUCCEEDED], ids=["failed", "ended"])
def test_a_worker_that_ends_by_itself_again_and_again_is_not_retried_for_ever(built, run, status) -> None:
    built.cluster.status = status
    assert "crash 1 of this run" in built.launcher.check_run_worker_health(run).msg
    assert built.tags(run)[CRASHED] == run.run_id
    assert MAX_RETRIES not in built.tags(run)
    family = {"parent_run_id": run.run_id, "root_run_id": run.run_id}
    tags = {"dagster/root_run_id": run.run_id, "dagster/parent_run_id": run.run_id, CRASHED: run.run_id}
    retry = built.instance.add(tags=tags, **family)
    assert "crash 2 of this run" in built.launcher.check_run_worker_health(retry).msg
    assert built.tags(retry)[CRASHED] == retry.run_id
    assert built.tags(retry)[MAX_RETRIES] == "0"


def test_a_crash_that_a_retry_inherited_as_a_tag_does_not_count_twice(built, run) -> None:
    tags = {"dagster/root_run_id": run.run_id, CRASHED: "another run"}
    retry = built.instance.add(tags=tags, parent_run_id=run.run_id, root_run_id=run.run_id)
    built.cluster.status = FAILED
    assert "crash 1 of this run" in built.launcher.check_run_worker_health(retry).msg
    assert MAX_RETRIES not in built.tags(retry)


def test_a_run_that_ended_while_its_job_was_asked_about_has_not_crashed(built, run) -> None:
    built.cluster.status = FAILED
    built.instance.change(run, dg.DagsterRunStatus.SUCCESS)
    assert built.check(run) == "RUNNING"
    assert not built.deeds


def test_a_worker_that_the_kernel_killed_together_with_the_holder_of_its_lease_has_crashed_too(built, leased) -> None:
    built.cluster.status = FAILED
    built.cluster.pods = [pod(("dagster", ended_with(137, "OOMKilled")))]
    assert built.check_every_3_seconds(leased, 3) == ["RUNNING", "FAILED"]
    assert built.tags(leased) == {CRASHED: leased.run_id}
    assert built.deeds[0] == f"fence run/{leased.run_id}", "the fence does not wait for Kubernetes"


def test_the_reason_that_the_monitor_asks_for_has_a_time_limit(built, run) -> None:
    built.cluster.pods = [pod(("dagster", ended_with(1)))]
    assert "no node" in built.launcher.get_run_worker_debug_info(run, include_container_logs=False)
    built.cluster.error = UNAVAILABLE
    with pytest.raises(NoAnswer):
        built.launcher.get_run_worker_debug_info(run)


def lose_machine(built: Launching) -> None:
    """The pod of a run has an address that answered, and does not any more."""
    lost = pod(("dagster", None))
    assert lost.status
    lost.status.pod_ip = "10.0.0.7"
    built.cluster.pods = [lost]
    built.pods.answering = {"10.0.0.7"}


def check_every_second(built: Launching, run: dg.DagsterRun, seconds: int) -> list[str]:
    found = []
    for _ in range(seconds):
        built.clock.now += 1
        found.append(built.check(run))
    return found


def test_a_silent_worker_that_can_not_be_reached_is_given_up_after_three_seconds(built, leased) -> None:
    lose_machine(built)
    assert built.check(leased) == "RUNNING"
    built.clock.now += 1
    built.hold_lease(leased, renewed=1)
    assert built.check(leased) == "RUNNING"
    built.pods.answering.clear()
    assert check_every_second(built, leased, 3) == ["RUNNING", "RUNNING", "UNKNOWN"]
    assert built.deeds[:2] == [f"fence run/{leased.run_id}", f"tag {LOST_AT}"]


def test_a_silent_worker_that_can_be_reached_keeps_its_eight_seconds(built, leased) -> None:
    lose_machine(built)
    built.check(leased)
    assert check_every_second(built, leased, 8) == ["RUNNING"] * 7 + ["UNKNOWN"]


def test_a_worker_that_renewed_at_the_last_moment_is_not_given_up_because_it_can_not_be_reached(built, leased) -> None:
    lose_machine(built)
    built.check(leased)
    check_every_second(built, leased, 1)
    built.pods.answering.clear()
    built.leases.renewed_meanwhile = True
    assert set(check_every_second(built, leased, 12)) == {"RUNNING"}
    assert not built.deeds


def test_a_new_leader_gives_up_a_worker_that_was_silent_while_it_stood_by(tmp_path, monkeypatch) -> None:
    clock = Clock()
    standby = SilenceWatch(clock=clock)
    monkeypatch.setattr(launcher, "STANDBY", standby)
    lost, renewing = (dg.DagsterRun(job_name="refresh", status=dg.DagsterRunStatus.STARTED) for _ in range(2))
    for run in (lost, renewing):
        standby.measure(f"run/{run.run_id}", DEADLINE)
    clock.now += LEASE_SECONDS
    built = launching(tmp_path, silence=None)
    built.instance.runs = {run.run_id: run for run in (lost, renewing)}
    built.hold_lease(lost)
    built.hold_lease(renewing, renewed=1)
    assert built.check(lost) == "UNKNOWN"
    assert built.check(renewing) == "RUNNING"
