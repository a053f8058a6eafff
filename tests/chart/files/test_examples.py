"""An example that the cluster refuses, or that stands before nothing, is worse than none."""

from pathlib import Path

import yaml

EXAMPLES = Path(__file__).parents[3] / "docs" / "examples"
OBJECTS = list(yaml.safe_load_all((EXAMPLES / "authenticating-proxy.yaml").read_text()))


def one(kind, name):
    (found,) = [each for each in OBJECTS if (each["kind"], each["metadata"]["name"]) == (kind, name)]
    return found


def test_every_field_of_an_example_is_one_that_the_kubernetes_api_knows(round_trip) -> None:
    assert len(OBJECTS) == 4
    for each in OBJECTS:
        assert round_trip(each) == each, each["metadata"]["name"]


def test_the_proxy_stands_before_the_webserver_that_can_change_things(chart) -> None:
    upstream = one("Service", "webserver-pods")["spec"]
    assert upstream["clusterIP"] == "None", "behind one address the proxy can't tell a dead webserver from the other"
    webserver = chart.one("Deployment", "rel-webserver")["spec"]["template"]
    labels = webserver["metadata"]["labels"] | {"app.kubernetes.io/instance": "platform"}
    assert upstream["selector"].items() <= labels.items()
    other = chart.one("Deployment", "rel-webserver-read-only")["spec"]["template"]["metadata"]["labels"]
    assert not upstream["selector"].items() <= (other | {"app.kubernetes.io/instance": "platform"}).items()
    (container,) = webserver["spec"]["containers"]
    assert upstream["ports"][0]["port"] == container["ports"][0]["containerPort"]


def test_nobody_gets_past_the_proxy_without_a_password_and_no_password_is_in_the_example() -> None:
    config = one("ConfigMap", "authenticating-proxy")["data"]["haproxy.cfg"]
    assert "http-request auth realm Dagster unless { http_auth(people) }" in config
    assert "userlist" not in config
    (people,) = [each for each in one("Deployment", "authenticating-proxy")["spec"]["template"]["spec"]["volumes"]
                 if each["name"] == "people"]  # fmt: skip
    assert people["secret"]["secretName"] == "authenticating-proxy"


def test_the_proxy_keeps_to_restricted() -> None:
    spec = one("Deployment", "authenticating-proxy")["spec"]["template"]["spec"]
    assert spec["automountServiceAccountToken"] is False
    assert spec["securityContext"]["runAsNonRoot"] is True
    assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    (container,) = spec["containers"]
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
