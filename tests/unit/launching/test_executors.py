"""A setting that is misread puts every step into a pod nobody asked for, or lets a run choose its pods' image."""

import subprocess
import sys

import dagster as dg
import pytest

from credit_assets.definitions import build_defs
from resources.deployment import Deployment
from resources.environment import DeploymentError
from resources.launching.executors import choose_executor


def test_a_whole_run_runs_in_one_process_unless_the_deployment_asks_for_pods() -> None:
    assert choose_executor(Deployment.from_environment({}).executor) is dg.in_process_executor
    assert choose_executor("in_process") is dg.in_process_executor


def test_whoever_starts_a_run_can_not_configure_the_pods_of_its_steps() -> None:
    tried = {"config": {"job_image": "another", "step_k8s_config": {"pod_spec_config": {"host_network": True}}}}
    configured = (choose_executor("k8s_job").apply_config_mapping(tried).value or {})["config"]
    assert "job_image" not in configured
    assert configured["step_k8s_config"]["pod_spec_config"] == {"automount_service_account_token": False}
    assert configured["enable_owner_references"]


def test_the_definitions_take_the_executor_of_their_deployment() -> None:
    assert build_defs(Deployment()).executor is dg.in_process_executor
    assert build_defs(Deployment(executor="k8s_job")).executor is not dg.in_process_executor


def test_another_executor_is_refused_with_the_choices() -> None:
    with pytest.raises(DeploymentError, match="PLATFORM_EXECUTOR='celery': expected in_process or k8s_job"):
        Deployment.from_environment({"PLATFORM_EXECUTOR": "celery"})


def test_a_run_in_one_process_imports_nothing_of_kubernetes() -> None:
    done = subprocess.run(
        [sys.executable, "-c", "import credit_assets.definitions, sys; print('kubernetes' in sys.modules)"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout.strip() == "False"
