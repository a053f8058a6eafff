"""One question that stays open must not kill a run that is well; a Job that is gone must not keep a dead one alive."""

from types import SimpleNamespace
from unittest.mock import Mock

import dagster as dg
import pytest
from kubernetes.client import V1JobStatus
from kubernetes.client.rest import ApiException
from urllib3.exceptions import MaxRetryError

from resources.run_launcher import NoAnswer, PatientK8sRunLauncher

RUN = dg.DagsterRun(job_name="refresh", status=dg.DagsterRunStatus.STARTED)
REFUSED = MaxRetryError(pool=Mock(), url="/apis/batch/v1", reason=ConnectionRefusedError())


@pytest.fixture
def launcher(monkeypatch) -> PatientK8sRunLauncher:
    """With an API server that answers as a test says."""
    made = PatientK8sRunLauncher.__new__(PatientK8sRunLauncher)
    monkeypatch.setattr(made, "_api_client", Mock(), raising=False)
    context = SimpleNamespace(namespace="ns")
    monkeypatch.setattr(made, "get_container_context_for_run", lambda run: context)
    monkeypatch.setattr(made, "_get_resume_attempt_number", lambda run: None)
    return made


@pytest.mark.parametrize(
    "error",
    [REFUSED, ApiException(429), ApiException(502), TimeoutError("read timed out")],
    ids=["refused", "429", "502", "timeout"],
)
def test_no_answer_is_no_verdict(launcher, error) -> None:
    launcher._api_client.get_job_status.side_effect = error
    with pytest.raises(NoAnswer, match=RUN.run_id):
        launcher.check_run_worker_health(RUN)


def test_a_job_that_is_gone_is_a_dead_worker(launcher) -> None:
    launcher._api_client.get_job_status.return_value = None
    assert launcher.check_run_worker_health(RUN).status.value == "UNKNOWN", "which the monitor takes for dead"


@pytest.mark.parametrize(
    ("job", "status"),
    [
        (V1JobStatus(active=1), "RUNNING"),
        (V1JobStatus(failed=1), "FAILED"),
        (V1JobStatus(succeeded=1), "FAILED"),  # the pod ended, the run didn't
    ],
    ids=["active", "failed", "ended"],
)
def test_an_answer_is_taken_as_it_is(launcher, job, status) -> None:
    launcher._api_client.get_job_status.return_value = job
    assert launcher.check_run_worker_health(RUN).status.value == status
