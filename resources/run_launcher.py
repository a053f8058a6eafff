"""The run launcher: Dagster's for Kubernetes, for which no answer is not a death."""

from typing import Any

from dagster_k8s import K8sRunLauncher


class NoAnswer(Exception):
    """The API server can't be asked about a run's Job."""


class PatientK8sRunLauncher(K8sRunLauncher):
    """`K8sRunLauncher`, with its config, that declares a run dead only if the API server says so.

    Stock takes one refused connection, 429 or 502 for the death of the worker: it fails a run that is well, and retries
    it beside itself. Here the monitor writes the error to its log, and looks again at its next round. A worker whose
    Job is gone is still found dead, as that is an answer.
    """

    def check_run_worker_health(self, run: Any) -> Any:
        """What stock finds.

        Raises:
            NoAnswer: nothing, as the API server didn't answer.
        """
        found = super().check_run_worker_health(run)
        if found.status.value == "UNKNOWN" and "could not be found" not in (found.msg or ""):
            raise NoAnswer(f"run {run.run_id} is taken to be as it was: {found.msg}")
        return found
