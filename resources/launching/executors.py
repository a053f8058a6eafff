"""Where the steps of a run are computed: in the run's own process, or, on a cluster, each in a pod of its own."""

import dagster as dg

from resources.deployment import Executor


def choose_executor(name: Executor) -> dg.ExecutorDefinition:
    """The executor of this name, which `Deployment` has checked.

    Neither executor retries a step: a node that goes away takes the whole process along, and only the run can be
    retried elsewhere (docs/decisions/recovery/0003-retries-belong-to-runs.md). A run cannot configure the executor for
    pods, because whoever starts a run could then choose the image and the account of its pods.
    """
    if name == "in_process":
        return dg.in_process_executor
    from dagster_k8s import k8s_job_executor

    return k8s_job_executor.configured(
        {
            "retries": {"disabled": {}},
            # Kubernetes deletes the pods of steps together with the run's pod, so that none of them goes on alone.
            "enable_owner_references": True,
            # The run creates the pods; its steps need no rights.
            "step_k8s_config": {"pod_spec_config": {"automount_service_account_token": False}},
        }
    )
