"""A misspelled field is dropped without a word by whoever reads it, and with it what it was to protect."""

from typing import Any

import pytest

EVERYTHING = {
    "controlPlane": {"onSpot": True},
    "dagsterWebserver": {"allowFrom": [{"podSelector": {}}]},
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


def test_two_daemons_never_overlap(chart) -> None:
    spec = chart.one("Deployment", "rel-daemon")["spec"]
    assert (spec["replicas"], spec["strategy"]) == (1, {"type": "Recreate"})


def test_a_hung_daemon_is_restarted_and_a_busy_one_is_not(chart) -> None:
    (container,) = chart.one("Deployment", "rel-daemon")["spec"]["template"]["spec"]["containers"]
    liveness = container["livenessProbe"]
    assert liveness["exec"]["command"] == ["dagster-daemon", "liveness-check"]
    assert liveness["periodSeconds"] * liveness["failureThreshold"] >= 120
    tolerance = {each["name"]: each.get("value") for each in container["env"]}["DAGSTER_DAEMON_HEARTBEAT_TOLERANCE"]
    assert 60 <= int(tolerance) <= 600


def test_every_control_plane_container_says_when_it_is_up(chart) -> None:
    for kind in ("Deployment", "StatefulSet"):
        for each in chart.of(kind):
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
