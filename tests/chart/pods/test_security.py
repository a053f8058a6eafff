"""A pod that Pod Security `restricted` refuses is never created, and a password in a ConfigMap is read by everybody."""

import json

import pytest
import yaml

from tests.chart.managed_database import MANAGED

API_RIGHTS = {
    "rel-daemon": {
        ("batch", "jobs", "create"), ("batch", "jobs", "delete"), ("batch", "jobs", "list"),
        ("batch", "jobs/status", "get"), ("", "pods", "list"), ("", "pods", "delete"),
        ("", "pods/log", "get"), ("", "events", "list"),
    },
    "rel-webserver": {("batch", "jobs", "delete"), ("", "pods", "list"), ("", "pods", "delete")},
}  # fmt: skip


def snake_less(spec, *names):
    """A field by either spelling: Dagster's instance takes both."""
    return next((spec[name] for name in names if name in spec), {})


def pod_specs(chart):
    """Every pod of the release, and the run pod that the instance describes."""
    launcher = chart.instance["run_launcher"]["config"]
    run = launcher["run_k8s_config"]["pod_spec_config"] | {
        "containers": [{"name": "run", "securityContext": launcher["security_context"]}],
        "volumes": launcher["volumes"],
    }
    return {name: template["spec"] for name, template in chart.pods().items()} | {"run pod": run}


@pytest.mark.parametrize("values", [{}, {"controlPlane": {"onSpot": True}}, {"executor": "k8s_job"}])
def test_every_pod_keeps_to_restricted_and_can_change_nothing_in_its_image(render, values) -> None:
    specs = pod_specs(render(**values))
    assert len(specs) >= 6
    for name, spec in specs.items():
        context = snake_less(spec, "securityContext", "security_context")
        assert context["runAsNonRoot"] is True, name
        assert context["runAsUser"] >= 1, name
        assert context["seccompProfile"] == {"type": "RuntimeDefault"}, name
        assert not {"hostNetwork", "hostPID", "hostIPC"} & spec.keys(), name
        for volume in spec["volumes"]:
            assert volume.keys() - {"name"} <= {"emptyDir", "configMap", "secret"}, name
        for container in [*spec.get("initContainers", []), *spec["containers"]]:
            assert container["securityContext"] == {
                "allowPrivilegeEscalation": False,
                "readOnlyRootFilesystem": True,
                "capabilities": {"drop": ["ALL"]},
            }, name


def test_only_webserver_and_daemon_have_a_token_and_exactly_the_verbs_they_use(chart) -> None:
    with_token = {
        name for name, spec in pod_specs(chart).items()
        if snake_less(spec, "automountServiceAccountToken", "automount_service_account_token") is not False
    }  # fmt: skip
    assert with_token == {"Deployment/rel-webserver", "Deployment/rel-daemon"}
    rights = {
        role["metadata"]["name"]: {
            (group, resource, verb)
            for rule in role["rules"]
            for group in rule["apiGroups"]
            for resource in rule["resources"]
            for verb in rule["verbs"]
        }
        for role in chart.of("Role")
    }
    assert rights == API_RIGHTS
    assert not chart.of("ClusterRole")
    assert not chart.of("ClusterRoleBinding")
    bound = {each["roleRef"]["name"]: each["subjects"][0]["name"] for each in chart.of("RoleBinding")}
    assert bound == {name: name for name in rights}


def test_no_password_is_in_anything_but_a_secret(chart) -> None:
    (secret,) = [each for each in chart.of("Secret") if "postgresql-password" in each["stringData"]]
    password = secret["stringData"]["postgresql-password"]
    assert len(password) == 32
    urls = chart.one("Secret", "rel-loans")["stringData"]
    assert password in urls["LOANS_DATABASE_URL"]
    assert urls["LOANS_DATABASE_URL"] == urls["SCORES_DATABASE_URL"]
    for each in chart.objects:
        if each["kind"] != "Secret":
            assert password not in json.dumps(each), each["metadata"]["name"]
    assert chart.instance["storage"]["custom"]["config"]["postgres_db"]["password"] == {"env": "DAGSTER_PG_PASSWORD"}


def test_no_password_is_the_same_in_two_releases(render) -> None:
    first, second = (render().one("Secret", "rel-postgresql")["stringData"] for _ in range(2))
    assert first != second


def test_a_managed_database_needs_no_password_of_the_chart(render) -> None:
    managed = render(**MANAGED)
    assert not managed.of("Secret")
    assert not managed.of("StatefulSet")
    assert managed.instance["storage"]["custom"]["config"]["postgres_db"]["hostname"] == "db.example"


def test_the_webserver_to_expose_changes_nothing_and_has_no_rights_that_could_be_stolen(chart) -> None:
    spec = chart.one("Deployment", "rel-webserver-read-only")["spec"]["template"]["spec"]
    (container,) = spec["containers"]
    assert "--read-only" in container["args"]
    assert spec["automountServiceAccountToken"] is False
    (mount,) = [each for each in container["volumeMounts"] if each["mountPath"].endswith("/dagster.yaml")]
    assert mount["subPath"] == "read-only.yaml"
    config = yaml.safe_load(chart.one("ConfigMap", "rel-instance")["data"]["read-only.yaml"])
    assert config == {key: chart.instance[key] for key in ("storage", "compute_logs", "telemetry", "nux")}
    (other,) = chart.one("Deployment", "rel-webserver")["spec"]["template"]["spec"]["containers"]
    assert "--read-only" not in other["args"]


def test_there_may_be_no_webserver_to_expose(render) -> None:
    names = {each["metadata"]["name"] for each in render(dagsterWebserver={"enableReadOnly": False}).objects}
    assert "rel-webserver" in names
    assert not any("read-only" in name for name in names)
