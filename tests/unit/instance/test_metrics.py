"""A metric that is missing, or 0 although nothing was measured, keeps an alert silent on the day that it is needed."""

import math
from dataclasses import replace

import pytest
from prometheus_client import CollectorRegistry

from credit_assets.promotion.table_pointer import POINTER
from resources.history.attempt import InterruptionKind
from resources.history.interruptions import Interruption
from resources.instance import metrics_server
from resources.instance.collector import PROMOTED_ASSET, PlatformCollector, describe_interruptions, make_gauge
from tests.support.interruption import LOST


def sample(*lost: Interruption) -> dict[tuple[str, ...], float]:
    """Values by name and labels' values."""
    samples = [each for metric in describe_interruptions(lost) for each in metric.samples]
    return {(each.name, *each.labels.values()): each.value for each in samples}


def test_without_a_loss_counts_are_zero_and_there_is_no_time_of_recovery() -> None:
    values = sample()
    assert values["platform_interruptions", "crash", "spot"] == 0, "an alert needs a series to be silent about"
    assert len([name for name, *_ in values if name == "platform_interruptions"]) == 9
    assert (values["platform_work_lost_seconds",], values["platform_not_running_again",]) == (0, 0)
    assert not [name for name, *_ in values if name == "platform_running_again_seconds"]


def test_each_loss_is_counted_by_its_kind_and_by_its_node() -> None:
    noticed = replace(LOST, kind=InterruptionKind.NOTICE, detected_after=0, running_again_after=6, spot=None)
    values = sample(LOST, noticed, replace(LOST, kind=InterruptionKind.CRASH, spot=False))
    interruptions = {
        tuple(labels): value for (name, *labels), value in values.items() if name == "platform_interruptions"
    }
    assert {labels for labels, value in interruptions.items() if value} == {
        ("lost", "spot"),
        ("notice", "unknown"),
        ("crash", "any"),
    }
    assert values["platform_running_again_seconds", "0.5"] == 15
    assert values["platform_noticed_seconds", "0.5"] == 9, "a loss with notice had not to be noticed"
    assert values["platform_work_lost_seconds",] == 6


def test_a_run_that_never_ran_again_is_slower_than_any_limit() -> None:
    values = sample(LOST, replace(LOST, running_again_after=None))
    assert values["platform_running_again_seconds", "0.95"] == math.inf
    assert values["platform_running_again_seconds", "0.5"] == 15
    assert values["platform_not_running_again",] == 1


def test_the_promotion_that_is_reported_is_that_of_the_asset_that_promotes() -> None:
    assert PROMOTED_ASSET == POINTER


def test_the_leader_s_metrics_join_those_that_are_served(monkeypatch) -> None:
    registry = CollectorRegistry()
    monkeypatch.setattr("prometheus_client.REGISTRY", registry)
    monkeypatch.setattr(PlatformCollector, "collect", lambda _: [make_gauge("platform_test", "A figure.", 1)])
    metrics_server.register_collector()
    assert [each.name for each in registry.collect()] == ["platform_test"]


def test_without_a_port_nothing_is_served(monkeypatch) -> None:
    monkeypatch.setattr("prometheus_client.start_http_server", lambda *_: pytest.fail("it was served"))
    assert metrics_server.serve(None) is None


def test_a_port_that_is_taken_costs_the_metrics_and_not_the_daemon(monkeypatch, caplog) -> None:
    def refuse(*_) -> None:
        raise OSError(98, "Address already in use")

    monkeypatch.setattr("prometheus_client.start_http_server", refuse)
    monkeypatch.setattr("prometheus_client.metrics.REGISTRY", CollectorRegistry())
    metrics_server.serve(9464)
    assert "port 9464 can't be opened: there are no metrics" in caplog.text
