"""An alert on a metric that nobody exports never fires; one whose runbook is not there wakes somebody for nothing."""

import re
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from resources.instance.collector import PlatformCollector
from resources.instance.metrics_server import LEADS
from tests.chart.managed_database import MANAGED

RUNBOOKS = Path(__file__).parents[3] / "docs" / "runbooks"
ALL = {"podMonitor": {"enabled": True}, "prometheusRule": {"enabled": True}}
# Of kube-state-metrics.
FOREIGN = {"kube_cronjob_status_last_successful_time", "kube_cronjob_created"}


def daemon(chart) -> Any:
    return chart.one("Deployment", "rel-daemon")["spec"]["template"]


def alerts(chart) -> dict[str, dict[str, Any]]:
    (group,) = chart.one("PrometheusRule", "rel-daemon")["spec"]["groups"]
    return {rule["alert"]: rule for rule in group["rules"]}


@pytest.fixture(scope="module")
def exported() -> set[str]:
    """What a scrape of the leader can return."""
    with dg.DagsterInstance.ephemeral() as instance:
        return {LEADS, *(family.name for family in PlatformCollector(lambda: instance).collect())}


def test_each_daemon_serves_where_it_is_scraped(chart) -> None:
    (container,) = daemon(chart)["spec"]["containers"]
    given = {each["name"]: each.get("value") for each in container["env"]}
    assert given["PLATFORM_METRICS_PORT"] == "9464"
    assert container["ports"] == [{"name": "metrics", "containerPort": 9464}]
    assert daemon(chart)["metadata"]["annotations"]["prometheus.io/port"] == "9464"
    assert not chart.of("PodMonitor") + chart.of("PrometheusRule"), "kinds that not every cluster knows"


def test_switched_off_nothing_is_served_and_no_alert_waits_for_it(render) -> None:
    off = render(metrics={"enabled": False, "allowFrom": [{"podSelector": {}}], **ALL})
    (container,) = daemon(off)["spec"]["containers"]
    assert "ports" not in container
    assert "PLATFORM_METRICS_PORT" not in {each["name"] for each in container["env"]}
    assert "prometheus.io/scrape" not in daemon(off)["metadata"]["annotations"]
    assert not off.of("PodMonitor") + off.of("PrometheusRule")
    assert "rel-daemon" not in {each["metadata"]["name"] for each in off.of("NetworkPolicy")}


def test_nobody_may_scrape_but_who_is_named(chart, render) -> None:
    assert "rel-daemon" not in {each["metadata"]["name"] for each in chart.of("NetworkPolicy")}
    scraper = {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "monitoring"}}}
    policy = render(metrics={"allowFrom": [scraper]}).one("NetworkPolicy", "rel-daemon")["spec"]
    assert policy["ingress"] == [{"ports": [{"port": "metrics"}], "from": [scraper]}]
    assert policy["podSelector"]["matchLabels"].items() <= daemon(chart)["metadata"]["labels"].items()


def test_the_operators_monitor_finds_the_daemons_and_they_are_not_scraped_twice(render) -> None:
    chart = render(metrics={**ALL, "podMonitor": {"enabled": True, "labels": {"release": "prometheus"}}})
    monitor = chart.one("PodMonitor", "rel-daemon")
    assert monitor["metadata"]["labels"]["release"] == "prometheus"
    assert monitor["spec"]["selector"]["matchLabels"].items() <= daemon(chart)["metadata"]["labels"].items()
    assert monitor["spec"]["podMetricsEndpoints"] == [{"port": "metrics", "interval": "30s"}]
    assert monitor["spec"]["podTargetLabels"] == ["app.kubernetes.io/instance"], "alerts select by it"
    assert "prometheus.io/scrape" not in daemon(chart)["metadata"]["annotations"]


def test_every_alert_has_its_page_and_every_page_its_alert(render) -> None:
    pages = {}
    for name, rule in alerts(render(metrics=ALL)).items():
        page = re.sub(r"(?<!^)([A-Z])", r"-\1", name).lower()
        assert rule["annotations"]["runbook_url"] == f"docs/runbooks/{page}.md"
        assert name in (RUNBOOKS / f"{page}.md").read_text().splitlines()[0]
        pages[page] = rule
    assert len(pages) == 6
    assert {path.stem for path in RUNBOOKS.glob("*.md")} == {*pages, "restore-postgresql", "README"}
    elsewhere = {**ALL["prometheusRule"], "runbooks": "https://example.com/runbooks"}
    runbook_url = alerts(render(metrics={"prometheusRule": elsewhere}))["NoLeader"]["annotations"]["runbook_url"]
    assert runbook_url == "https://example.com/runbooks/no-leader.md"


def test_every_metric_that_an_alert_names_is_exported_and_of_this_release(render, exported) -> None:
    rules = alerts(render(metrics=ALL))
    for name, rule in rules.items():
        named = set(re.findall(r"\b(?:platform|kube)_\w+", rule["expr"]))
        assert named, name
        assert named <= exported | FOREIGN, name
        selectors = re.findall(r"\{(.*?)\}", rule["expr"])
        assert len(selectors) == len(named)
        assert all('namespace="ns"' in each for each in selectors), name
    assert 'kind="crash"' in rules["WorkersCrash"]["expr"]
    assert 'quantile="0.95"' in rules["RecoverySlow"]["expr"]


def test_limits_are_the_values_own(render) -> None:
    limits = {"enabled": True, "recoverySeconds": 33, "promotionDays": 2, "backupHours": 1}
    rules = alerts(render(metrics={"prometheusRule": limits}))
    assert rules["RecoverySlow"]["expr"].endswith("> 33")
    assert rules["NothingPromoted"]["expr"].endswith("> 172800")
    assert rules["BackupFailed"]["expr"].endswith("> 3600")


def test_no_alert_waits_for_backups_that_nobody_makes(render) -> None:
    assert "BackupFailed" not in alerts(render(metrics=ALL, **MANAGED))
    assert "BackupFailed" not in alerts(render(metrics=ALL, postgresql={"backup": {"enabled": False}}))
    assert "BackupFailed" in alerts(render(metrics=ALL))
