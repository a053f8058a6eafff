"""A metric that is missing, or well by default, keeps an alert silent on the day that it was made for."""

import math
from dataclasses import replace

import pytest
from prometheus_client import CollectorRegistry

from resources.history.interruptions import Interruption
from resources.instance import metrics_server as metrics
from sensors.metrics import of_interruptions
from tests.support.interruption import LOST


def samples(*lost: Interruption) -> dict[tuple[str, ...], float]:
    """Values by name and labels' values."""
    families = [each for metric in of_interruptions(lost) for each in metric.samples]
    return {(each.name, *each.labels.values()): each.value for each in families}


def test_without_a_loss_counts_are_zero_and_there_is_no_time_of_recovery() -> None:
    told = samples()
    assert told["platform_interruptions", "crash", "spot"] == 0, "an alert needs a series to be silent about"
    assert len([name for name, *_ in told if name == "platform_interruptions"]) == 9
    assert (told["platform_work_lost_seconds",], told["platform_not_running_again",]) == (0, 0)
    assert not [name for name, *_ in told if name == "platform_running_again_seconds"]


def test_each_loss_is_counted_by_its_kind_and_where_it_was() -> None:
    noticed = replace(LOST, notice=True, detected_after=0, running_again_after=6, spot=None)
    told = samples(LOST, noticed, replace(LOST, crash=True, spot=False))
    counted = {
        labels: value
        for (name, *labels), value in told.items()
        if name == "platform_interruptions"
        for labels in [tuple(labels)]
    }
    assert {labels for labels, value in counted.items() if value} == {
        ("lost", "spot"),
        ("notice", "unknown"),
        ("crash", "any"),
    }
    assert told["platform_running_again_seconds", "0.5"] == 15
    assert told["platform_noticed_seconds", "0.5"] == 9
    assert told["platform_work_lost_seconds",] == 6


def test_a_run_that_never_ran_again_is_slower_than_any_limit() -> None:
    told = samples(LOST, replace(LOST, running_again_after=None))
    assert told["platform_running_again_seconds", "0.95"] == math.inf
    assert told["platform_running_again_seconds", "0.5"] == 15
    assert told["platform_not_running_again",] == 1


def test_without_a_port_nothing_is_served(monkeypatch) -> None:
    monkeypatch.setattr("prometheus_client.start_http_server", lambda *_: pytest.fail("it was served"))
    assert metrics.serve(None) is None


def test_a_port_that_is_taken_costs_the_metrics_and_not_the_daemon(monkeypatch, caplog) -> None:
    def refuse(*_) -> None:
        raise OSError(98, "Address already in use")

    monkeypatch.setattr("prometheus_client.start_http_server", refuse)
    monkeypatch.setattr("prometheus_client.metrics.REGISTRY", CollectorRegistry())
    metrics.serve(9464)
    assert "port 9464 can't be had: there are no metrics" in caplog.text
