"""A key that Dagster ignores or refuses shows when the daemon does not start, or in the night of the first loss."""

from collections.abc import Iterator

import dagster as dg
import pytest
from dagster_k8s.job import construct_dagster_k8s_job
from psycopg2.extensions import parse_dsn

from resources.launching.starts import PAUSE as PAUSE_BETWEEN_CHECKS
from resources.run_launcher import LeasedK8sRunLauncher
from resources.supervision.leader import MARGIN, PAUSE


@pytest.fixture(scope="module")
def instance(chart, read_by_dagster) -> Iterator[dg.DagsterInstance]:
    with read_by_dagster(chart) as instance:
        yield instance


@dg.job
def refresh() -> None:
    """Its name is all that is asked for."""


def run_pod(instance, tags=None, run=None):
    """The Job that the launcher makes of a run, as the Kubernetes client sends it."""
    launcher = instance.run_launcher
    context = launcher.get_container_context_for_run(run or dg.DagsterRun(job_name="refresh", tags=tags or {}))
    config = context.get_k8s_job_config(None, launcher)
    return construct_dagster_k8s_job(config, ["dagster"], "run", user_defined_k8s_config=context.run_k8s_config)


def test_dagster_reads_the_settings_that_a_lost_node_depends_on(instance) -> None:
    assert instance.run_monitoring_enabled
    assert instance.run_monitoring_poll_interval_seconds == 1
    assert instance.run_monitoring_max_resume_run_attempts == 0
    assert instance.run_retries_enabled
    assert instance.run_retries_max_retries == 20
    assert not instance.run_retries_retry_on_asset_or_op_failure
    assert not instance.telemetry_enabled


def test_a_run_that_is_asked_for_is_dequeued_within_a_second(instance) -> None:
    assert isinstance(instance.run_coordinator, dg.QueuedRunCoordinator)
    assert instance.run_coordinator.dequeue_interval_seconds == 1
    assert instance.get_concurrency_config().run_queue_config.max_concurrent_runs == 10


def test_a_run_gets_what_the_values_give_it_beside_its_own(render, read_by_dagster, instance) -> None:
    more = {
        "envVars": ["MLFLOW_TRACKING_URI=https://registry"],
        "envSecrets": [{"name": "registry-token"}],
        "volumes": [{"name": "authorities", "configMap": {"name": "authorities"}}],
        "volumeMounts": [{"name": "authorities", "mountPath": "/etc/authorities", "readOnly": True}],
    }
    with read_by_dagster(render(runLauncher={"config": {"k8sRunLauncher": more}})) as given:
        spec = run_pod(given).spec.template.spec
    plain = run_pod(instance).spec.template.spec
    (container,), (own,) = spec.containers, plain.containers
    assert {each.name for each in container.env} - {each.name for each in own.env} == {"MLFLOW_TRACKING_URI"}
    assert len(container.env) == len(own.env) + 1
    assert "registry-token" in [each.secret_ref.name for each in container.env_from if each.secret_ref]
    assert [each.name for each in spec.volumes] == [*(each.name for each in plain.volumes), "authorities"]
    assert [each.mount_path for each in container.volume_mounts] == [
        *(each.mount_path for each in own.volume_mounts),
        "/etc/authorities",
    ]


def test_a_run_works_below_the_holder_of_its_lease_for_as_long_as_the_daemon_watches(instance, chart) -> None:
    (container,) = run_pod(instance).spec.template.spec.containers
    assert container.command == ["python", "-m", "resources.worker", "python", "-m", "resources.console_script"]
    assert container.args == ["dagster"], "what Dagster asks for is what it runs"
    env = {each.name: each for each in container.env}
    assert env["PLATFORM_RUN_ID"].value_from.field_ref.field_path == "metadata.labels['dagster/run-id']"
    (daemon,) = chart.pods()["Deployment/rel-daemon"]["spec"]["containers"]
    watching = {each["name"]: each for each in daemon["env"]}
    for name in ("PGHOST", "PGPORT", "PGUSER", "PGDATABASE"):
        assert env[name].value == watching[name]["value"], name
    seconds = chart.instance["run_launcher"]["config"]["lease_seconds"]
    assert float(env["PLATFORM_RUN_LEASE_SECONDS"].value) == seconds > instance.run_monitoring_poll_interval_seconds


def test_a_silent_holder_is_called_while_all_code_servers_answer_and_given_up_sooner(chart) -> None:
    config = chart.instance["run_launcher"]["config"]
    assert config["unreachable_seconds"] < config["lease_seconds"]
    host, port = config["witness"].split(":")
    service = chart.one("Service", host)["spec"]
    assert service["clusterIP"] == "None", "its name has the address of each code server"
    assert int(port) in [each["port"] for each in service["ports"]]


def test_a_run_that_takes_too_long_to_begin_is_failed_by_the_launcher_before_dagster_fails_it(
    instance, chart, render, read_by_dagster
) -> None:
    """Dagster refuses no lease, so a worker could begin beside the retry."""
    assert chart.instance["run_launcher"]["config"]["start_timeout_seconds"] == 600
    assert instance.run_monitoring_start_timeout_seconds >= 600 + 10 * PAUSE_BETWEEN_CHECKS
    with read_by_dagster(render(dagsterDaemon={"runMonitoring": {"startTimeoutSeconds": 900}})) as given:
        assert given.run_launcher.start_timeout_seconds == 900 < given.run_monitoring_start_timeout_seconds


def test_a_leader_has_ended_before_workers_count_as_lost_because_postgresql_hangs(chart) -> None:
    (daemon,) = chart.pods()["Deployment/rel-daemon"]["spec"]["containers"]
    lease = next(float(each["value"]) for each in daemon["env"] if each["name"] == "PLATFORM_DAEMON_LEASE_SECONDS")
    assert lease - MARGIN < chart.instance["run_launcher"]["config"]["lease_seconds"]
    assert lease > MARGIN + PAUSE


def test_a_retry_avoids_the_node_that_was_lost_and_the_last_ones_spot_nodes(instance) -> None:
    lost = instance.create_run_for_job(refresh, tags={"platform/node": "spot-1"})
    tags = {"dagster/retry_number": "4"}
    retry = instance.create_run_for_job(refresh, tags=tags, parent_run_id=lost.run_id, root_run_id=lost.run_id)
    pod = run_pod(instance, run=retry).spec.template.spec
    assert {"DAGSTER_RETRY_NUMBER": "4"}.items() <= {each.name: each.value for each in pod.containers[0].env}.items()
    avoided = pod.affinity.node_affinity.preferred_during_scheduling_ignored_during_execution
    terms = [term for each in avoided for term in each.preference.match_expressions]
    assert {term.key: term.values for term in terms} == {"kubernetes.io/hostname": ["spot-1"], "capacity": ["spot"]}
    assert not pod.node_selector
    assert run_pod(instance).spec.template.spec.affinity is None


def test_logs_go_to_the_bucket_of_the_store_while_a_step_runs(instance) -> None:
    logs = instance.compute_log_manager
    assert type(logs).__name__ == "S3ComputeLogManager"
    assert logs.upload_interval == 15
    assert logs.inst_data.config_dict["bucket"] == "credit-platform"


def test_a_connection_to_a_database_that_vanished_is_given_up_within_half_a_minute(chart) -> None:
    from dagster_postgres.utils import pg_url_from_config

    storage = chart.instance["storage"]["custom"]["config"]
    storage["postgres_db"]["password"] = "p@ss word"
    parsed = parse_dsn(pg_url_from_config(storage))
    assert parsed["password"] == "p@ss word"
    assert int(parsed["connect_timeout"]) <= 10
    assert int(parsed["keepalives_idle"]) + int(parsed["keepalives_interval"]) * int(parsed["keepalives_count"]) <= 30
    assert int(parsed["tcp_user_timeout"]) <= 30_000


def test_the_instance_has_the_storage_and_the_launcher_of_the_platform(instance) -> None:
    assert isinstance(instance.run_launcher, LeasedK8sRunLauncher), "a stock launcher gives up runs that are well"
    with instance.run_storage.connect() as of_runs, instance.event_log_storage.connect() as of_events:
        assert of_runs.engine.pool.size() == 5, "stock storage opens a connection for every query"
        assert of_events.engine is of_runs.engine, "runs and events have a pool each"


def test_a_run_gets_one_pod_that_is_never_replaced(instance) -> None:
    job = run_pod(instance)
    assert job.spec.backoff_limit == 0
    assert job.spec.pod_failure_policy is None, "with one, a pod on a dead node no longer counts as failed"
    assert job.spec.template.spec.restart_policy == "Never"
    assert job.spec.template.spec.termination_grace_period_seconds == 120


def test_a_run_goes_to_spot_nodes_and_lets_go_of_a_silent_one_in_seconds(instance) -> None:
    spec = run_pod(instance).spec.template.spec
    assert spec.node_selector == {"capacity": "spot"}
    tolerations = {each.key: each for each in spec.tolerations}
    assert tolerations["capacity"].value == "spot"
    for silence in ("node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"):
        assert tolerations[silence].toleration_seconds == 5
        assert tolerations[silence].effect == "NoExecute"


def test_a_run_pod_has_its_own_account_without_a_token(instance) -> None:
    spec = run_pod(instance).spec.template.spec
    assert spec.service_account_name == "rel-run"
    assert spec.automount_service_account_token is False


def test_a_run_pod_has_its_own_resources_whatever_the_code_server_has(render, read_by_dagster) -> None:
    chart = render(codeServer={"resources": {"limits": {"memory": "9Gi"}}, "nodeSelector": {"disk": "ssd"}})
    with read_by_dagster(chart) as instance:
        spec = run_pod(instance).spec.template.spec
    assert spec.containers[0].resources.requests == {"cpu": "500m", "memory": "1Gi"}
    assert spec.containers[0].resources.limits == {"cpu": "1", "memory": "2Gi"}
    assert "disk" not in spec.node_selector
    (server,) = chart.one("Deployment", "rel-code-server")["spec"]["template"]["spec"]["containers"]
    assert not any("container-context" in argument for argument in server["args"])


def test_a_run_has_the_image_of_the_code_server(render) -> None:
    image = {"repository": "registry/platform", "digest": "sha256:" + "0" * 64}
    chart = render(image=image)
    expected = f"{image['repository']}@{image['digest']}"
    (server,) = chart.one("Deployment", "rel-code-server")["spec"]["template"]["spec"]["containers"]
    current_image = {each["name"]: each.get("value") for each in server["env"]}["DAGSTER_CURRENT_IMAGE"]
    assert {server["image"], current_image, chart.instance["run_launcher"]["config"]["job_image"]} == {expected}


def test_whoever_starts_a_run_may_size_its_pod_and_nothing_else(instance) -> None:
    sized = {"dagster-k8s/config": '{"container_config": {"resources": {"requests": {"cpu": "3"}}}}'}
    assert run_pod(instance, sized).spec.template.spec.containers[0].resources.requests["cpu"] == "3"
    for forbidden in (
        '{"container_config": {"image": "other"}}',
        '{"container_config": {"security_context": {"privileged": true}}}',
        '{"pod_spec_config": {"service_account_name": "rel-daemon"}}',
        '{"pod_spec_config": {"host_network": true}}',
    ):
        with pytest.raises(Exception, match="violated the allowed list"):
            run_pod(instance, {"dagster-k8s/config": forbidden})


def test_a_pod_for_each_step_lets_the_run_create_them(render, read_by_dagster) -> None:
    chart = render(executor="k8s_job")
    with read_by_dagster(chart) as instance:
        spec = run_pod(instance).spec.template.spec
    assert spec.automount_service_account_token is True
    assert {each.name: each.value for each in spec.containers[0].env}["PLATFORM_EXECUTOR"] == "k8s_job"
    assert chart.one("Role", "rel-run")
