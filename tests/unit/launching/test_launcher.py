"""A question that stays open must not kill a run that is well; a worker that is silent must not stay "started"."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from threading import Event
from types import SimpleNamespace
from unittest.mock import Mock

import dagster as dg
import psycopg2
import pytest
from dagster_k8s import K8sRunLauncher
from kubernetes.client import V1Job, V1JobCondition, V1JobList, V1JobStatus, V1ObjectMeta
from kubernetes.client.rest import ApiException
from urllib3.exceptions import MaxRetryError

from resources.history.tags import CRASHED, LOST_AT, MOST
from resources.launching import launcher as run_launcher
from resources.launching.launcher import LeasedK8sRunLauncher, NoAnswer, Silence

RUN = dg.DagsterRun(job_name="refresh", status=dg.DagsterRunStatus.STARTED)
REFUSED = MaxRetryError(pool=Mock(), url="/apis/batch/v1", reason=ConnectionRefusedError())
DEADLINE = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def clock(monkeypatch):
    """A clock that a test moves: `clock.now += 5`."""
    moved = SimpleNamespace(now=100.0)
    monkeypatch.setattr(run_launcher.time, "monotonic", lambda: moved.now)
    return moved


@pytest.fixture
def launcher(monkeypatch, clock) -> LeasedK8sRunLauncher:
    """With an API server and leases that answer as a test says."""
    made = LeasedK8sRunLauncher.__new__(LeasedK8sRunLauncher)
    api = Mock(get_job_status=Mock(return_value=V1JobStatus(active=1)))
    monkeypatch.setattr(made, "_api_client", api, raising=False)
    monkeypatch.setattr(made, "job_namespace", "ns", raising=False)
    context = SimpleNamespace(namespace="ns")
    for where in (K8sRunLauncher, LeasedK8sRunLauncher):
        monkeypatch.setattr(where, "get_container_context_for_run", lambda _, run: context)
    monkeypatch.setattr(made, "_get_resume_attempt_number", lambda run: None)
    leases = Mock(seen=Mock(return_value=DEADLINE), revoke=Mock(return_value=True))
    instance = Mock(get_runs=Mock(return_value=[]), get_run_by_id=Mock(return_value=RUN))
    ours = {"_leases": leases, "_silence": Silence(), "_patience": 8, "_crash_retries": 1, "_spot_attempts": 3}
    monkeypatch.setattr(LeasedK8sRunLauncher, "_instance", instance)
    monkeypatch.setattr(made, "get_run_worker_debug_info", Mock(return_value="exit code 1"))
    for name, value in (ours | {"_asking": ThreadPoolExecutor(1)}).items():
        monkeypatch.setattr(made, name, value, raising=False)
    at_once = Mock(side_effect=lambda target, args, daemon: SimpleNamespace(start=lambda: target(*args)))
    monkeypatch.setattr(run_launcher, "Thread", at_once)
    return made


def status(launcher: LeasedK8sRunLauncher) -> str:
    return launcher.check_run_worker_health(RUN).status.value


def looks(launcher, clock, seconds: int) -> list[str]:
    """What a look every 3 s finds."""
    found = []
    for _ in range(0, seconds + 1, 3):
        found.append(status(launcher))
        clock.now += 3
    return found


def test_a_worker_that_renews_is_alive_whatever_kubernetes_says_of_its_job(launcher, clock) -> None:
    launcher._api_client.get_job_status.side_effect = REFUSED
    for second in range(0, 60, 3):
        launcher._leases.seen.return_value = DEADLINE + timedelta(seconds=second)
        assert status(launcher) == "RUNNING"
        clock.now += 3
    launcher._api_client.get_job_status.assert_not_called()
    launcher._leases.revoke.assert_not_called()


def test_one_that_is_silent_for_its_lease_is_fenced_and_its_job_deleted(launcher, clock) -> None:
    found = looks(launcher, clock, 9)
    assert found == ["RUNNING", "RUNNING", "RUNNING", "UNKNOWN"], "which the monitor takes for dead"
    launcher._leases.revoke.assert_called_once_with(f"run/{RUN.run_id}", DEADLINE)
    last_heard_of = f"{DEADLINE.timestamp() - 8:.1f}"
    launcher._instance.add_run_tags.assert_called_once_with(RUN.run_id, {LOST_AT: last_heard_of})
    launcher._api_client.delete_job.assert_called_once_with(job_name=f"dagster-run-{RUN.run_id}", namespace="ns")


def test_places_in_a_pool_are_freed_when_a_worker_is_given_up_and_not_before(launcher, clock) -> None:
    free = launcher._instance.event_log_storage.free_concurrency_slots_for_run
    looks(launcher, clock, 6)
    free.assert_not_called()
    looks(launcher, clock, 0)
    free.assert_called_once_with(RUN.run_id)


def test_jobs_that_have_ended_or_were_asked_to_are_not_active(launcher) -> None:
    def job(run: str, *conditions: V1JobCondition, deleted: datetime | None = None) -> V1Job:
        metadata = V1ObjectMeta(labels={"dagster/run-id": run}, deletion_timestamp=deleted)
        return V1Job(metadata=metadata, status=V1JobStatus(conditions=list(conditions) or None))

    jobs = [
        job("works"),
        job("waits", V1JobCondition(type="Suspended", status="False")),
        job("failed", V1JobCondition(type="Failed", status="True")),
        job("done", V1JobCondition(type="Complete", status="True")),
        job("deleted", deleted=DEADLINE),
    ]
    launcher._api_client.batch_api.list_namespaced_job.return_value = V1JobList(items=jobs)
    assert launcher.active_jobs() == ["works", "waits"]


def test_one_that_renews_at_the_last_moment_is_not_given_up(launcher, clock) -> None:
    launcher._leases.revoke.return_value = False
    assert set(looks(launcher, clock, 12)) == {"RUNNING"}
    launcher._api_client.delete_job.assert_not_called()


def test_an_api_server_that_is_away_as_well_keeps_no_dead_worker_alive(launcher, clock) -> None:
    launcher._api_client.get_job_status.side_effect = REFUSED
    assert status(launcher) == "RUNNING"
    clock.now += 3
    with pytest.raises(NoAnswer):
        status(launcher)
    clock.now += 6
    assert status(launcher) == "UNKNOWN"


def test_a_silent_worker_whose_job_has_failed_is_not_waited_for(launcher, clock) -> None:
    launcher._api_client.get_job_status.return_value = V1JobStatus(failed=1)
    assert looks(launcher, clock, 3) == ["RUNNING", "FAILED"]
    launcher._leases.revoke.assert_called_once()
    launcher._instance.add_run_tags.assert_not_called()


def test_a_database_that_was_away_makes_nobody_silent(launcher, clock) -> None:
    assert looks(launcher, clock, 3) == ["RUNNING", "RUNNING"]
    launcher._leases.seen.side_effect = psycopg2.OperationalError("connection\nrefused")
    with pytest.raises(NoAnswer, match="connection refused"):
        status(launcher)
    clock.now += 60
    launcher._leases.seen.side_effect = None
    assert status(launcher) == "RUNNING", "it could not renew either"
    clock.now += 9
    assert status(launcher) == "UNKNOWN", "now it could"


@pytest.mark.parametrize(
    "error",
    [REFUSED, ApiException(429), ApiException(502), TimeoutError("read timed out")],
    ids=["refused", "429", "502", "timeout"],
)
def test_before_there_is_a_lease_no_answer_is_no_verdict(launcher, error) -> None:
    launcher._leases.seen.return_value = None
    launcher._api_client.get_job_status.side_effect = error
    with pytest.raises(NoAnswer, match=RUN.run_id):
        status(launcher)


def test_without_a_lease_a_job_that_is_gone_is_a_dead_worker(launcher) -> None:
    launcher._leases.seen.return_value = None
    launcher._api_client.get_job_status.return_value = None
    assert status(launcher) == "UNKNOWN", "which the monitor takes for dead"


@pytest.mark.parametrize(
    ("job", "expected"),
    [
        (V1JobStatus(active=1), "RUNNING"),
        (V1JobStatus(failed=1), "FAILED"),
        (V1JobStatus(succeeded=1), "FAILED"),  # the pod ended, the run didn't
    ],
    ids=["active", "failed", "ended"],
)
def test_without_a_lease_an_answer_is_taken_as_it_is(launcher, job, expected) -> None:
    launcher._leases.seen.return_value = None
    launcher._api_client.get_job_status.return_value = job
    assert status(launcher) == expected


def test_a_worker_that_ends_by_itself_again_and_again_is_not_retried_for_ever(launcher) -> None:
    launcher._leases.seen.return_value = None
    launcher._api_client.get_job_status.return_value = V1JobStatus(failed=1)
    assert "crash 1 of this run" in launcher.check_run_worker_health(RUN).msg
    launcher._instance.add_run_tags.assert_called_once_with(RUN.run_id, {CRASHED: RUN.run_id})
    inherited = dg.DagsterRun(job_name="refresh", tags={CRASHED: "another"})
    crashed = dg.DagsterRun(job_name="refresh", run_id=(own := dg.DagsterRun(job_name="r").run_id), tags={CRASHED: own})
    launcher._instance.get_runs.return_value = [inherited, crashed]
    assert "crash 2 of this run" in launcher.check_run_worker_health(RUN).msg
    assert launcher._instance.add_run_tags.call_args.args[1]["dagster/max_retries"] == "0"


def test_a_run_that_ended_while_its_job_was_asked_about_has_not_crashed(launcher) -> None:
    launcher._leases.seen.return_value = None
    launcher._api_client.get_job_status.return_value = V1JobStatus(failed=1)
    ended = dg.DagsterRun(job_name="refresh", run_id=RUN.run_id, status=dg.DagsterRunStatus.SUCCESS)
    launcher._instance.get_run_by_id.return_value = ended
    launcher.check_run_worker_health(RUN)
    launcher._instance.add_run_tags.assert_not_called()


def test_an_api_server_that_never_answers_keeps_nobody_waiting(launcher) -> None:
    launcher._leases.seen.return_value = None
    answers = Event()
    launcher._api_client.get_job_status.side_effect = lambda **_: answers.wait(30)
    with pytest.raises(NoAnswer, match="silent"):
        status(launcher)
    answers.set()


def test_one_that_the_kernel_killed_together_with_the_holder_of_its_lease_has_crashed_too(launcher, clock) -> None:
    launcher._api_client.get_job_status.return_value = V1JobStatus(failed=1)
    launcher.get_run_worker_debug_info.return_value = "Pod x terminated: OOMKilled"
    assert looks(launcher, clock, 3) == ["RUNNING", "FAILED"]
    launcher._instance.add_run_tags.assert_called_once_with(RUN.run_id, {CRASHED: RUN.run_id})


@pytest.mark.parametrize(
    ("code", "deleted", "by_itself"),
    [(1, None, True), (137, None, True), (143, None, False), (1, "now", False), (None, None, False)],
)
def test_a_worker_that_was_asked_to_end_did_not_end_by_itself(launcher, code, deleted, by_itself) -> None:
    terminated = SimpleNamespace(exit_code=code) if code else None
    injected = SimpleNamespace(name="proxy", state=SimpleNamespace(terminated=SimpleNamespace(exit_code=1)))
    worker = SimpleNamespace(name="dagster", state=SimpleNamespace(terminated=terminated))
    status = SimpleNamespace(container_statuses=[injected, worker])
    pods = [SimpleNamespace(metadata=SimpleNamespace(deletion_timestamp=deleted), status=status)]
    launcher._api_client.core_api.list_namespaced_pod.return_value.items = pods
    assert launcher.ended_by_itself(RUN) is by_itself
    launcher._api_client.core_api.list_namespaced_pod.return_value.items = []
    assert not launcher.ended_by_itself(RUN), "its pod went with its node"


@pytest.mark.parametrize(
    ("error", "retried"),
    [
        (Exception("Attempted to create a pod with fields that violated the allowed list: volumes"), False),
        (dg.DagsterInvalidConfigError("the tag can't be read", [], {}), False),
        (ApiException(status=422), False),
        (ApiException(status=403), True),  # no quota left, for the moment
        (ApiException(status=500), True),
        (REFUSED, True),
    ],
    ids=["not allowed", "not a config", "invalid", "no quota", "server error", "no connection"],
)
def test_a_run_that_can_not_be_launched_as_it_is_is_not_launched_again(launcher, monkeypatch, error, retried) -> None:
    monkeypatch.setattr(K8sRunLauncher, "launch_run", Mock(side_effect=error))
    with pytest.raises(type(error)):
        launcher.launch_run(SimpleNamespace(dagster_run=RUN))
    noted = [call.args for call in launcher._instance.add_run_tags.call_args_list]
    assert noted == ([] if retried else [(RUN.run_id, {MOST: "0"})])


def test_a_watcher_forgets_the_leases_of_runs_that_ended_and_no_others() -> None:
    silence = Silence(most=2)
    silence.of("ended", DEADLINE)
    first = silence._seen.setdefault("working", (DEADLINE, 0.0))
    silence.of("working", DEADLINE)
    silence.of("new", DEADLINE)
    assert list(silence._seen) == ["working", "new"]
    assert silence._seen["working"] == first
