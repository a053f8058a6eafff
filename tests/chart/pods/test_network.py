"""Who calls whom. A cluster whose network plug-in enforces no policy runs all of this and keeps none of it."""

import ipaddress

import pytest

from resources.supervision.port import PORT

METADATA = ("169.254.169.254", "fd00:ec2::254")


def policy(chart, name):
    return chart.one("NetworkPolicy", f"rel-{name}")["spec"]


def selects(policy, labels) -> bool:
    """Whether the policy is one of a pod with these labels."""
    selector = policy["podSelector"]
    named = all(labels.get(key) == value for key, value in selector.get("matchLabels", {}).items())
    outside = all(
        (labels.get(each["key"]) in each["values"]) == (each["operator"] == "In")
        for each in selector.get("matchExpressions", [])
    )
    return named and outside


def reaches(policy, address: str) -> bool:
    """Whether the policy lets out a call to an address that is no pod's."""
    here = ipaddress.ip_address(address)
    blocks = [peer["ipBlock"] for rule in policy["egress"] for peer in rule.get("to", []) if "ipBlock" in peer]
    return any(
        here in ipaddress.ip_network(block["cidr"])
        and not any(here in ipaddress.ip_network(each) for each in block["except"])
        for block in blocks
    )


def labels_of(chart, template):
    return chart.pods()[template]["metadata"]["labels"]


def run_labels(chart):
    return chart.instance["run_launcher"]["config"]["labels"]


def test_nobody_calls_the_code_server_but_webserver_and_daemon(chart) -> None:
    assert "ingress" not in policy(chart, "default"), "what no policy allows is closed, run pods among it"
    assert selects(policy(chart, "default"), run_labels(chart))
    (rule,) = policy(chart, "code-server")["ingress"]
    (peer,) = rule["from"]
    (expression,) = peer["podSelector"]["matchExpressions"]
    assert set(expression["values"]) == {"webserver", "webserver-read-only", "daemon"}


def test_only_the_daemon_calls_the_holder_of_a_run_and_at_its_port_alone(chart) -> None:
    run = {**run_labels(chart), "dagster/run-id": "1234"}
    run_policy = policy(chart, "run")
    assert run_policy["podSelector"]["matchLabels"].items() <= run.items()
    assert run_policy["podSelector"]["matchExpressions"] == [{"key": "dagster/run-id", "operator": "Exists"}]
    (rule,) = run_policy["ingress"]
    assert rule["ports"] == [{"port": PORT}]
    (peer,) = rule["from"]
    assert peer["podSelector"]["matchLabels"].items() <= labels_of(chart, "Deployment/rel-daemon").items()
    assert peer["podSelector"]["matchLabels"]["app.kubernetes.io/component"] == "daemon"


def test_only_named_pods_reach_the_ui_if_any_are_named(chart, render) -> None:
    assert "from" not in policy(chart, "webserver")["ingress"][0]
    proxy = {"podSelector": {"matchLabels": {"app.kubernetes.io/component": "proxy"}}}
    closed = render(dagsterWebserver={"allowFrom": [proxy]})
    test, code_server, *named = policy(closed, "webserver")["ingress"][0]["from"]
    assert named == [proxy]
    assert selects(test, labels_of(closed, "Pod/rel-test")), "helm test asks the webserver"
    assert selects(code_server, labels_of(closed, "Deployment/rel-code-server")), "lost retries are asked for there"
    for own in (test, code_server):
        assert not selects(own, run_labels(closed))
    assert "from" not in policy(closed, "webserver-read-only")["ingress"][0], "the one to expose stays open"


@pytest.mark.parametrize("address", METADATA)
def test_what_runs_your_code_gets_no_credentials_of_the_node(chart, address) -> None:
    egress = policy(chart, "egress")
    assert egress["policyTypes"] == ["Egress"]
    assert not reaches(egress, address)
    for labels in (
        run_labels(chart),
        labels_of(chart, "Deployment/rel-code-server"),
        labels_of(chart, "Job/rel-migrate"),
    ):
        assert selects(egress, labels)


def test_no_other_address_is_out_of_reach_by_default(chart) -> None:
    egress = policy(chart, "egress")
    for address in ("52.216.0.1", "10.0.0.1", "169.254.170.23", "2600::1", "fd00:ec2::23"):
        assert reaches(egress, address), address
    assert {"namespaceSelector": {}} in [peer for rule in egress["egress"] for peer in rule["to"]]
    for name in ("webserver", "webserver-read-only", "daemon"):
        assert not selects(egress, labels_of(chart, f"Deployment/rel-{name}")), "the Kubernetes API may be a node"


def test_with_a_list_of_its_own_no_pod_reaches_anything_else(render) -> None:
    store = {"to": [{"ipBlock": {"cidr": "10.9.0.0/16"}}], "ports": [{"port": 443}]}
    chart = render(networkPolicy={"egress": {"allow": [store]}})
    egress = policy(chart, "egress")
    dns, own, theirs = egress["egress"]
    assert theirs == store
    assert {each["port"] for each in dns["ports"]} == {53}
    assert own == {"to": [{"podSelector": {"matchLabels": {"app.kubernetes.io/instance": "rel"}}}]}
    for name in chart.pods():
        assert selects(egress, labels_of(chart, name)), name


def test_identities_that_come_from_the_metadata_address_can_be_had(render) -> None:
    names = [each["metadata"]["name"] for each in render(networkPolicy={"egress": {"deny": []}}).of("NetworkPolicy")]
    assert "rel-default" in names
    assert "rel-egress" not in names
