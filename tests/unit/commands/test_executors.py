"""A setting that is misread puts every step into a pod nobody asked for, or lets a run choose its pods' image."""

import subprocess
import sys

import dagster as dg
import pytest

from credit_assets.executors import ExecutorError, chosen_executor


def test_one_process_is_what_runs_a_whole_run_if_nothing_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CREDIT_EXECUTOR", raising=False)
    assert chosen_executor() is dg.in_process_executor
    monkeypatch.setenv("CREDIT_EXECUTOR", "in_process")
    assert chosen_executor() is dg.in_process_executor


def test_a_pod_for_each_step_can_not_be_configured_by_whoever_starts_a_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CREDIT_EXECUTOR", "k8s_job")
    tried = {"config": {"job_image": "another", "step_k8s_config": {"pod_spec_config": {"host_network": True}}}}
    configured = (chosen_executor().apply_config_mapping(tried).value or {})["config"]
    assert "job_image" not in configured
    assert configured["step_k8s_config"]["pod_spec_config"] == {"automount_service_account_token": False}
    assert configured["enable_owner_references"]


def test_another_name_is_refused_with_the_choices(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CREDIT_EXECUTOR", "celery")
    with pytest.raises(ExecutorError, match="CREDIT_EXECUTOR='celery': expected in_process or k8s_job"):
        chosen_executor()


def test_a_run_in_one_process_imports_nothing_of_kubernetes() -> None:
    done = subprocess.run(
        [sys.executable, "-c", "import credit_assets.definitions, sys; print('kubernetes' in sys.modules)"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout.strip() == "False"
