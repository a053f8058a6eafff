"""An API server that hangs, refuses or errs must not be read as an answer; an answer must be read as it is."""

import logging
from threading import Event
from unittest.mock import Mock

import pytest
from kubernetes.client import V1Job, V1JobCondition, V1JobStatus, V1ObjectMeta
from kubernetes.client.rest import ApiException
from urllib3.exceptions import MaxRetryError

from resources.launching.kubernetes_jobs import Job, KubernetesJobs, NoAnswer
from resources.launching.verdict import JobState
from tests.support.launching import ACTIVE, DEADLINE, FAILED, SUCCEEDED, Launching
from tests.support.servers.pods import ended_with, pod

JOB = Job("dagster-run-1", "ns")
REFUSED = MaxRetryError(pool=Mock(), url="/apis/batch/v1", reason=ConnectionRefusedError())
ERRORS = [REFUSED, ApiException(429), ApiException(502), TimeoutError("read timed out"), ConnectionResetError()]


@pytest.fixture
def jobs(built: Launching) -> KubernetesJobs:
    return built.launcher.jobs


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (V1JobStatus(), JobState.ACTIVE),
        (ACTIVE, JobState.ACTIVE),
        (V1JobStatus(active=1, failed=1), JobState.ACTIVE),
        (V1JobStatus(terminating=1), JobState.ACTIVE),
        (FAILED, JobState.ENDED),
        (SUCCEEDED, JobState.ENDED),
        (None, JobState.GONE),
    ],
    ids=["no pod yet", "works", "works again", "its pod ends", "failed", "succeeded", "not there"],
)
def test_the_state_of_a_job_is_read_as_it_is(built, jobs, status, expected) -> None:
    built.cluster.status = status
    assert jobs.find_state(JOB) is expected
    (question,) = built.cluster.asked
    assert (question["name"], question["namespace"]) == ("dagster-run-1", "ns")
    assert question["_request_timeout"] == 2, "a call that hangs would keep its thread for ever"


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (pod(node="spot-1"), "spot-1"),
        (pod(node="spot-1", taken=DEADLINE), None),
        (pod(), None),
        (pod(node="spot-1", deleted=DEADLINE), None),
    ],
    ids=["chosen", "taken", "no node has room", "being deleted"],
)
def test_a_node_has_not_taken_a_pod_that_it_was_chosen_for_and_that_has_no_start_time(
    built, jobs, found, expected
) -> None:
    built.cluster.pods = [found]
    assert jobs.find_untaken_node(JOB) == expected
    built.cluster.pods = []
    assert jobs.find_untaken_node(JOB) is None


@pytest.mark.parametrize("error", ERRORS, ids=["refused", "429", "502", "timeout", "reset"])
def test_an_error_is_no_answer(built, jobs, error) -> None:
    built.cluster.error = error
    for question in (
        jobs.find_state,
        jobs.ended_by_itself,
        jobs.ran_out_of_memory,
        jobs.find_untaken_node,
        jobs.delete,
    ):
        with pytest.raises(NoAnswer):
            question(JOB)
    with pytest.raises(NoAnswer):
        jobs.list_active_runs("ns")


def test_an_api_server_that_never_answers_keeps_nobody_waiting(jobs) -> None:
    answers = Event()
    for _ in range(10):  # more than any pool of threads would have
        with pytest.raises(NoAnswer, match=r"silent for 0\.01 s"):
            jobs.ask(answers.wait, 30, time_limit=0.01)
    assert jobs.find_state(JOB) is JobState.ACTIVE, "calls that hang must not block later ones"
    answers.set()


def test_an_error_of_this_program_is_not_taken_for_a_silent_api_server(jobs) -> None:
    with pytest.raises(ZeroDivisionError):
        jobs.ask(lambda: 1 // 0)


def test_jobs_that_have_ended_or_are_being_deleted_are_not_active(built, jobs) -> None:
    def job(run: str, *conditions: V1JobCondition, deleted=None) -> V1Job:
        metadata = V1ObjectMeta(labels={"dagster/run-id": run}, deletion_timestamp=deleted)
        return V1Job(metadata=metadata, status=V1JobStatus(conditions=list(conditions) or None))

    built.cluster.jobs = [
        job("works"),
        job("waits", V1JobCondition(type="Suspended", status="True")),
        job("almost failed", V1JobCondition(type="Failed", status="False")),
        job("failed", V1JobCondition(type="Failed", status="True")),
        job("done", V1JobCondition(type="Complete", status="True")),
        job("deleted", deleted=DEADLINE),
    ]
    assert jobs.list_active_runs("ns") == ["works", "waits", "almost failed"]
    (question,) = built.cluster.asked
    assert question["label_selector"] == "dagster/run-id,!dagster/op", "the Job of a step is its run's to end"


@pytest.mark.parametrize(
    ("code", "deleted", "by_itself"),
    [
        (1, None, True),
        (137, None, True),
        (0, None, True),
        (143, None, False),
        (1, DEADLINE, False),
        (None, None, False),
    ],
)
def test_a_worker_that_was_asked_to_end_did_not_end_by_itself(built, jobs, code, deleted, by_itself) -> None:
    injected = ("proxy", ended_with(1))
    built.cluster.pods = [pod(injected, ("dagster", None if code is None else ended_with(code)), deleted=deleted)]
    assert jobs.ended_by_itself(JOB) is by_itself
    assert built.cluster.asked[0]["label_selector"] == "job-name=dagster-run-1"


def test_a_pod_that_went_with_its_node_or_never_began_did_not_end_by_itself(built, jobs) -> None:
    for pods in ([], [pod()]):
        built.cluster.pods = pods
        assert not jobs.ended_by_itself(JOB)
        assert not jobs.ran_out_of_memory(JOB)


def test_only_the_kernel_ends_a_worker_for_its_memory(built, jobs) -> None:
    built.cluster.pods = [pod(("dagster", ended_with(137, "OOMKilled")))]
    assert jobs.ran_out_of_memory(JOB)
    built.cluster.pods = [pod(("dagster", ended_with(137, "Error")), ("proxy", ended_with(137, "OOMKilled")))]
    assert not jobs.ran_out_of_memory(JOB), "another container ran out of memory"


def test_a_job_is_deleted_with_its_pods_and_one_that_is_gone_is_deleted_already(built, jobs) -> None:
    built.cluster.pods = [pod()]
    jobs.delete(JOB)
    assert built.deeds == ["delete dagster-run-1", "delete pod a-pod"]
    built.cluster.error = ApiException(404)
    jobs.delete(JOB)


def test_a_deletion_that_fails_in_the_background_is_logged(built, jobs, caplog, monkeypatch) -> None:
    built.cluster.error = ApiException(403, "Forbidden")
    logged, after = Event(), logging.Handler()
    monkeypatch.setattr(after, "emit", lambda _: logged.set())
    # Behind the handler that keeps the text, so that the text is there.
    monkeypatch.setattr(logging.getLogger(), "handlers", [*logging.getLogger().handlers, after])
    jobs.delete_in_background(JOB)
    assert logged.wait(10)
    assert "Job dagster-run-1, whose run was given up, could not be deleted" in caplog.text
