"""What this platform uses of Dagster without a public name. A release of Dagster that changes it must fail here.

The list and the reasons: docs/decisions/code/0017-names-of-dagster-that-are-not-public.md.
"""

import inspect
from datetime import UTC, datetime, timedelta
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import dagster as dg
import pytest
import yaml
from dagster_k8s import K8sRunLauncher
from dagster_k8s.client import DagsterKubernetesClient
from dagster_k8s.container_context import K8sContainerContext
from dagster_k8s.job import get_job_name_from_run_id
from dagster_k8s.launcher import CheckRunHealthResult, WorkerStatus  # pyright: ignore[reportPrivateImportUsage]
from dagster_postgres import (
    DagsterPostgresStorage,
    PostgresEventLogStorage,
    PostgresRunStorage,
    PostgresScheduleStorage,
)

from resources.launching import kubernetes_jobs
from resources.launching.launcher import HEALTHY
from resources.supervision.fence import WORKER
from resources.supervision.lease_table import LONGEST_CONNECTION_NAME
from tests.support.launching import Launching
from tests.support.pages import ROOT

DAGSTER = Path(dg.__file__).parent
RUN_ID = "12345678-1234-1234-1234-123456789012"


@dg.job
def refresh() -> None:
    """Its place is all that is asked for."""


def test_a_launcher_reaches_its_instance_and_its_client_by_the_names_that_we_use(built: Launching) -> None:
    """`register_instance` sets `_instance`, and `_api_client` is made of the APIs that the config gives."""
    stock = {name for each in K8sRunLauncher.__mro__ for name in vars(each)}
    assert "_instance" in stock
    assert getattr(built.launcher, "_instance") is built.instance  # noqa: B009
    client = getattr(built.launcher, "_api_client")  # noqa: B009
    assert isinstance(client, DagsterKubernetesClient)
    assert client.batch_api is built.cluster
    assert client.core_api is built.cluster


def test_the_monitor_takes_these_statuses_for_a_worker_that_lives_and_no_others() -> None:
    """dagster/_daemon/monitoring/run_monitoring.py fails a run whose worker is neither RUNNING nor SUCCESS."""
    assert {each.name for each in WorkerStatus} == {"RUNNING", "NOT_FOUND", "FAILED", "SUCCESS", "UNKNOWN"}
    assert CheckRunHealthResult._fields[:2] == ("status", "msg")
    assert HEALTHY.status is WorkerStatus.RUNNING
    source = (DAGSTER / "_daemon" / "monitoring" / "run_monitoring.py").read_text()
    assert "check_health_result.status not in [WorkerStatus.RUNNING, WorkerStatus.SUCCESS]" in source
    assert "recheck_run" in source, "the monitor would fail a run that ended while its worker was checked"


def test_the_job_of_a_run_has_the_name_by_which_we_ask_for_it() -> None:
    assert get_job_name_from_run_id(RUN_ID) == f"dagster-run-{RUN_ID}"


def test_the_name_of_a_pod_fits_into_the_name_of_its_connections() -> None:
    """PostgreSQL cuts names off, and the fence would not find the lease of a worker whose name is cut."""
    pod = f"{get_job_name_from_run_id(RUN_ID)}-abcde"
    assert len(f"{WORKER}{pod}") <= LONGEST_CONNECTION_NAME


def test_the_job_of_a_run_has_the_label_and_the_container_by_which_we_find_them(built: Launching) -> None:
    origin = dg.reconstructable(refresh).get_python_origin()
    run = built.instance.add(dg.DagsterRunStatus.STARTING, job_code_origin=origin)
    built.launcher.launch_run(cast("Any", SimpleNamespace(dagster_run=run, workspace=None)))
    (job,) = built.cluster.created
    assert job.metadata.labels[kubernetes_jobs.RUN_LABEL] == run.run_id
    assert kubernetes_jobs.STEP_LABEL not in job.metadata.labels
    assert [each.name for each in job.spec.template.spec.containers] == [kubernetes_jobs.CONTAINER]
    assert job.spec.template.metadata.labels[kubernetes_jobs.RUN_LABEL] == run.run_id, "the pod is told its run by it"


def test_the_job_of_a_step_has_a_label_more_than_that_of_a_run() -> None:
    source = inspect.getsource(import_module("dagster_k8s.executor"))
    assert f'"{kubernetes_jobs.STEP_LABEL}": step_key' in source
    assert f'"{kubernetes_jobs.RUN_LABEL}": step_handler_context' in source


def test_a_container_context_has_the_parts_that_the_launcher_replaces() -> None:
    context = K8sContainerContext()
    config = context.run_k8s_config._replace(pod_spec_config={"affinity": {}}, container_config={"env": []})
    replaced = context._replace(run_k8s_config=config)
    assert replaced.run_k8s_config.pod_spec_config == {"affinity": {}}
    assert replaced.namespace is None


def test_stock_still_has_the_methods_that_we_override() -> None:
    overridden = [
        "check_run_worker_health",
        "config_type",
        "get_container_context_for_run",
        "get_run_worker_debug_info",
        "launch_run",
    ]
    for name in overridden:
        assert callable(getattr(K8sRunLauncher, name)), name
    assert {"get_job_status", "delete_job", "create_namespaced_job_with_retries"} <= set(dir(DagsterKubernetesClient))


def test_the_manager_of_logs_starts_the_processes_that_copy_them_where_we_keep_ctrl_c_from_them() -> None:
    with dg.DagsterInstance.local_temp() as instance:
        manager: Any = instance.compute_log_manager
        assert "mirror_stream_to_file" in inspect.getsource(type(manager).capture_logs)


def test_the_local_instance_names_a_scheduler_that_exists() -> None:
    config = yaml.safe_load((ROOT / "local" / "dagster.yaml").read_text())["scheduler"]
    scheduler: Any = getattr(import_module(config["module"]), config["class"])
    made = scheduler.from_config_value(None, config["config"])
    assert made.max_tick_retries == 5


@pytest.mark.parametrize("kind", ["run", "event_log", "schedule"])
def test_a_storage_is_made_of_the_three_that_we_put_in_their_place(kind) -> None:
    part = inspect.getattr_static(DagsterPostgresStorage, f"{kind}_storage")
    assert f"return self._{kind}_storage" in inspect.getsource(part.fget)


@pytest.mark.parametrize("storage", [PostgresRunStorage, PostgresEventLogStorage, PostgresScheduleStorage])
def test_each_storage_asks_for_its_connections_where_we_answer(storage) -> None:
    source = inspect.getsource(storage)
    assert "self._engine" in source
    assert "self.connect(" in source or "self._connect(" in source
    assert list(inspect.signature(storage.optimize_for_webserver).parameters) == [
        "self",
        "statement_timeout",
        "pool_recycle",
        "max_overflow",
    ]


def test_a_storage_of_runs_takes_a_failure_before_its_event_is_written() -> None:
    names = list(inspect.signature(PostgresRunStorage.handle_run_event).parameters)
    assert names[:4] == ["self", "run_id", "event", "update_timestamp"]


@pytest.mark.parametrize(
    "settings",
    [
        {"run_queue": {"dequeue_interval_seconds": 0.5}},
        {"run_monitoring": {"enabled": True, "poll_interval_seconds": 0.5}},
    ],
)
def test_a_retry_waits_for_whole_seconds_because_dagster_takes_no_others(tmp_path, settings) -> None:
    """With a release that takes parts of a second, a lost run could be retried sooner (decision 0025)."""
    (tmp_path / "dagster.yaml").write_text(yaml.safe_dump(settings))
    with pytest.raises(dg.DagsterInvalidConfigError), dg.DagsterInstance.from_config(str(tmp_path)):
        pass


def test_a_part_of_the_daemon_with_a_pause_of_no_seconds_never_pauses() -> None:
    source = (DAGSTER / "_daemon" / "daemon.py").read_text()
    assert "while time.time() - start_time < interval:\n                shutdown_event.wait(0.5)" in source
    source = (DAGSTER / "_daemon" / "auto_run_reexecution" / "event_log_consumer.py").read_text()
    assert 'int(os.environ.get("DAGSTER_EVENT_LOG_CONSUMER_DAEMON_INTERVAL_SECONDS"' in source


def test_runs_that_failed_a_moment_ago_are_found_and_no_others() -> None:
    """The launcher avoids their nodes, so a filter that Dagster ignores would make each node look lost."""
    now = datetime.now(UTC)
    with dg.DagsterInstance.ephemeral() as instance:
        failed, _ = (
            instance.create_run_for_job(refresh, status=status)
            for status in (dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.SUCCESS)
        )

        def find(since: datetime) -> list[str]:
            filters = dg.RunsFilter(statuses=[dg.DagsterRunStatus.FAILURE], updated_after=since)
            return [run.run_id for run in instance.get_runs(filters, limit=100)]

        assert find(now - timedelta(minutes=1)) == [failed.run_id]
        assert find(now + timedelta(minutes=1)) == []
