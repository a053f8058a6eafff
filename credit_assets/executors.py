"""Where the steps of a run are computed: in the run's own process, or, on a cluster, each in a pod of its own."""

import os

import dagster as dg

SETTING, IN_PROCESS, K8S_JOB = "CREDIT_EXECUTOR", "in_process", "k8s_job"


class ExecutorError(ValueError):
    """The setting names no executor."""


def chosen_executor() -> dg.ExecutorDefinition:
    """The executor that CREDIT_EXECUTOR names; one process if it is not set.

    Neither retries a step: a node that goes away takes the process along, and only the run can be retried elsewhere
    (docs/decisions/0003-retries-belong-to-runs.md). The one for pods is configured here and can't be by a run: its run
    config would let whoever starts a run choose the image and the account of its pods.

    Raises:
        ExecutorError: another name.
    """
    name = os.environ.get(SETTING, IN_PROCESS)
    if name == IN_PROCESS:
        return dg.in_process_executor
    if name == K8S_JOB:
        from dagster_k8s import k8s_job_executor

        return k8s_job_executor.configured(
            {
                "retries": {"disabled": {}},
                # Step pods go with the run's pod, instead of writing on after it is gone.
                "enable_owner_references": True,
                # Creating pods is the run's business; its steps need no rights.
                "step_k8s_config": {"pod_spec_config": {"automount_service_account_token": False}},
            }
        )
    raise ExecutorError(f"{SETTING}={name!r}: expected {IN_PROCESS} or {K8S_JOB}")
