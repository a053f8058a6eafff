"""Two replicas on one node, or on nodes that are reclaimed together, are one replica that costs twice."""

import pytest

TWICE = ("rel-webserver", "rel-code-server", "rel-daemon")


def spec_of(chart, kind, name):
    return chart.one(kind, name)["spec"]["template"]["spec"]


def away_from_spot(spec) -> bool:
    required = spec["affinity"].get("nodeAffinity", {}).get("requiredDuringSchedulingIgnoredDuringExecution")
    if not required:
        return False
    ((expression,),) = [term["matchExpressions"] for term in required["nodeSelectorTerms"]]
    return expression == {"key": "capacity", "operator": "NotIn", "values": ["spot"]}


def onto_spot(spec) -> bool:
    selected = spec.get("nodeSelector", {}).get("capacity") == "spot"
    tolerated = "capacity" in {each["key"] for each in spec.get("tolerations", [])}
    assert selected == tolerated, "a pod that selects spot nodes and does not tolerate them is never scheduled"
    return selected


def test_everything_but_a_run_stays_away_from_spot_nodes_and_ahead_of_runs(chart) -> None:
    classes = {each["metadata"]["name"]: each for each in chart.of("PriorityClass")}
    assert classes["ns-rel-control-plane"]["value"] > classes["ns-rel-runs"]["value"]
    assert classes["ns-rel-runs"]["preemptionPolicy"] == "Never"
    for name, template in chart.pods().items():
        assert template["spec"]["priorityClassName"] == "ns-rel-control-plane", name
        assert away_from_spot(template["spec"]), name
        assert not onto_spot(template["spec"]), name
    run = chart.instance["run_launcher"]["config"]["run_k8s_config"]["pod_spec_config"]
    assert run["priority_class_name"] == "ns-rel-runs"


def test_the_control_plane_goes_to_spot_nodes_if_told_to_and_postgresql_never(render) -> None:
    chart = render(controlPlane={"onSpot": True})
    for name, template in chart.pods().items():
        assert away_from_spot(template["spec"]) is (name == "StatefulSet/rel-postgresql"), name
        assert onto_spot(template["spec"]) is (name != "StatefulSet/rel-postgresql"), name


def test_without_spot_nodes_nothing_is_asked_of_a_node(render) -> None:
    for chart in (render(spot={"enabled": False}), render(spot={"enabled": False}, controlPlane={"onSpot": True})):
        for name, template in chart.pods().items():
            assert not away_from_spot(template["spec"]), name
            assert not onto_spot(template["spec"]), name
        run = chart.instance["run_launcher"]["config"]["run_k8s_config"]["pod_spec_config"]
        assert "node_selector" not in run
        assert {each["key"].partition("/")[0] for each in run["tolerations"]} == {"node.kubernetes.io"}


@pytest.mark.parametrize("name", TWICE)
def test_there_are_two_that_share_neither_node_nor_zone_nor_type_if_they_need_not(chart, name) -> None:
    deployment = chart.one("Deployment", name)
    assert deployment["spec"]["replicas"] == 2
    selector = deployment["spec"]["selector"]
    spec = deployment["spec"]["template"]["spec"]
    (node,) = spec["topologySpreadConstraints"]
    assert (node["topologyKey"], node["whenUnsatisfiable"]) == ("kubernetes.io/hostname", "DoNotSchedule")
    assert node["nodeTaintsPolicy"] == "Honor", "a lost node would count as an empty place, and nothing be scheduled"
    assert node["labelSelector"] == selector
    anti = spec["affinity"]["podAntiAffinity"]
    assert anti.keys() == {"preferredDuringSchedulingIgnoredDuringExecution"}, "a required one fails on a laptop"
    terms = [each["podAffinityTerm"] for each in anti["preferredDuringSchedulingIgnoredDuringExecution"]]
    assert [each["topologyKey"] for each in terms] == [
        "topology.kubernetes.io/zone",
        "node.kubernetes.io/instance-type",
    ]
    assert all(each["labelSelector"] == selector for each in terms)


def test_a_descheduler_may_move_a_replica_and_neither_the_database_nor_a_job(chart) -> None:
    movable = {
        name
        for name, template in chart.pods().items()
        if template["metadata"].get("annotations", {}).get("descheduler.alpha.kubernetes.io/evict") == "true"
    }
    assert movable == {f"Deployment/{name}" for name in (*TWICE, "rel-webserver-read-only")}
    run = chart.instance["run_launcher"]["config"]["run_k8s_config"]["pod_template_spec_metadata"]["annotations"]
    assert not [key for key in run if "descheduler" in key], "a run that is moved loses work"


def test_a_restart_parts_replicas_that_are_together(chart) -> None:
    for name in TWICE:
        deployment = chart.one("Deployment", name)["spec"]
        (node,) = deployment["template"]["spec"]["topologySpreadConstraints"]
        assert node["matchLabelKeys"] == ["pod-template-hash"], (
            "the old pods would count, and the new ones stay together"
        )
        assert deployment["strategy"]["rollingUpdate"] == {"maxUnavailable": 0, "maxSurge": 1}, "nobody would answer"


def test_the_labels_that_tell_nodes_apart_are_the_clusters_own(render) -> None:
    spec = spec_of(render(controlPlane={"spreadOver": ["rack"]}), "Deployment", "rel-webserver")
    terms = spec["affinity"]["podAntiAffinity"]["preferredDuringSchedulingIgnoredDuringExecution"]
    assert [each["podAffinityTerm"]["topologyKey"] for each in terms] == ["rack"]


def test_the_control_plane_lets_go_of_a_silent_node_in_seconds_and_a_database_does_not(render) -> None:
    chart = render(controlPlane={"lostNodeTolerationSeconds": 7}, postgresql={"tolerations": [{"key": "db"}]})
    for name in (*TWICE, "rel-webserver-read-only"):
        tolerations = {each["key"]: each for each in spec_of(chart, "Deployment", name)["tolerations"]}
        for silence in ("node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"):
            assert tolerations[silence]["tolerationSeconds"] == 7, name
            assert tolerations[silence]["effect"] == "NoExecute", name
    assert spec_of(chart, "StatefulSet", "rel-postgresql")["tolerations"] == [{"key": "db"}]


def test_what_a_component_asks_of_nodes_is_added_to_where_it_goes(render) -> None:
    theirs = {"nodeSelector": {"disk": "ssd"}, "tolerations": [{"key": "gpu", "operator": "Exists"}]}
    spec = spec_of(render(controlPlane={"onSpot": True}, codeServer=theirs), "Deployment", "rel-code-server")
    assert spec["nodeSelector"] == {"disk": "ssd", "capacity": "spot"}
    assert {"gpu", "capacity"} <= {each["key"] for each in spec["tolerations"]}
