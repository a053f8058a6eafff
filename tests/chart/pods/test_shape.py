"""A misspelled field is dropped without a word by whoever reads it, and with it what it was to protect."""

from typing import Any

import pytest

EVERYTHING = {
    "controlPlane": {"onSpot": True},
    "dagsterWebserver": {"allowFrom": [{"podSelector": {}}]},
    "metrics": {"allowFrom": [{"namespaceSelector": {}}]},
    "networkPolicy": {"egress": {"allow": [{"ports": [{"port": 443}]}]}},
    "executor": "k8s_job",
    "settings": {"toml": "[table]"},
    "alerts": {"secretName": "alerts"},
    "store": {"secretName": "store", "endpointUrl": "http://store"},
}


@pytest.mark.parametrize("values", [{}, EVERYTHING], ids=["defaults", "everything"])
def test_every_field_is_one_that_the_kubernetes_api_knows(render, round_trip, values) -> None:
    chart = render(**values)
    assert len(chart.objects) > 25
    for each in chart.objects:
        assert without_empty(round_trip(each)) == without_empty(each), each["metadata"]["name"]


def without_empty(thing: Any) -> Any:
    """The client leaves out what is empty but for an emptyDir."""
    if isinstance(thing, dict):
        return {key: without_empty(value) for key, value in thing.items() if value not in ({}, [], None)}
    return [without_empty(value) for value in thing] if isinstance(thing, list) else thing


def test_no_budget_keeps_a_node_with_a_run_from_being_drained(chart) -> None:
    budgets = chart.of("PodDisruptionBudget")
    components = {each["spec"]["selector"]["matchLabels"]["app.kubernetes.io/component"] for each in budgets}
    assert components == {"webserver", "webserver-read-only", "daemon", "code-server", "postgresql"}
    assert all(each["spec"]["maxUnavailable"] == 1 for each in budgets)


def test_one_daemon_leads_and_can_be_ended_by_its_alarm(chart) -> None:
    spec = chart.one("Deployment", "rel-daemon")["spec"]
    pod = spec["template"]["spec"]
    (container,) = pod["containers"]
    assert spec["replicas"] == 2
    assert container["args"][:3] == ["python", "-m", "resources.instance.daemon"], "without the lease both would act"
    assert pod["shareProcessNamespace"] is True, "process 1 ignores the alarm"


def test_a_daemon_finds_its_lease_where_dagster_keeps_its_runs(chart) -> None:
    (container,) = chart.one("Deployment", "rel-daemon")["spec"]["template"]["spec"]["containers"]
    given = {each["name"]: each for each in container["env"]}
    storage = chart.instance["storage"]["custom"]["config"]["postgres_db"]
    assert given["PGHOST"]["value"] == storage["hostname"]
    assert given["PGDATABASE"]["value"] == storage["db_name"]
    assert given["PGUSER"]["value"] == storage["username"]
    assert int(given["PGPORT"]["value"]) == storage["port"]
    assert given["PGPASSWORD"]["valueFrom"] == given["DAGSTER_PG_PASSWORD"]["valueFrom"]
    assert float(given["PLATFORM_DAEMON_LEASE_SECONDS"]["value"]) == 5
    assert 60 <= int(given["PLATFORM_HEARTBEAT_SECONDS"]["value"]) <= 600


def test_every_control_plane_container_says_when_it_is_up(chart) -> None:
    for kind in ("Deployment", "StatefulSet"):
        for each in chart.of(kind):
            if each["metadata"]["name"] == "rel-daemon":
                continue  # it ends by itself when it hangs
            for container in each["spec"]["template"]["spec"]["containers"]:
                assert {"startupProbe", "livenessProbe"} <= container.keys(), each["metadata"]["name"]
                assert "requests" in container["resources"], each["metadata"]["name"]


def test_a_changed_instance_restarts_what_has_read_it(render) -> None:
    before, after = render(), render(dagsterDaemon={"runRetries": {"maxRetries": 9}})
    for name in ("rel-webserver", "rel-daemon", "rel-code-server"):
        assert annotations(before, name) != annotations(after, name), name
    assert annotations(before, "rel-daemon") == annotations(render(), "rel-daemon"), "nothing changed, nothing restarts"


def annotations(chart: Any, name: str) -> dict[str, str]:
    return chart.one("Deployment", name)["spec"]["template"]["metadata"]["annotations"]
