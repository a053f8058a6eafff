"""What a scrape gets, by HTTP, of a real instance."""

import threading
import time

import dagster as dg
import pytest
import requests
from prometheus_client import CollectorRegistry, start_http_server
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy.exc import OperationalError

from credit_assets.promotion.table_pointer import POINTER
from resources.history import attempt, run_groups
from resources.instance import collector as metrics
from resources.instance.collector import PlatformCollector, find_overdue_retries, read_latest_attempts


@pytest.fixture
def scrape():
    """Serves a collector, and returns what a scrape of it gets: values by name and labels' values."""
    servers = []

    def scraped(collector) -> dict:
        registry = CollectorRegistry(auto_describe=True)
        registry.register(collector)
        server, thread = start_http_server(0, "127.0.0.1", registry)
        servers.append((server, thread))
        page = requests.get(f"http://127.0.0.1:{server.server_port}/metrics", timeout=30)
        assert page.status_code == 200
        families = text_string_to_metric_families(page.text)
        samples = [each for family in families for each in family.samples]
        return {(each.name, *(label for _, label in sorted(each.labels.items()))): each.value for each in samples}

    yield scraped
    for server, thread in servers:
        server.shutdown()
        server.server_close()
        thread.join()


def test_a_power_loss_a_promotion_and_no_missing_retry_are_scraped(past, scrape) -> None:
    collector = PlatformCollector(lambda: past.instance)
    before = scrape(collector)
    assert before["platform_storage_answers",] == 1
    assert before["platform_interruptions", "spot", "lost"] == 0
    assert before["platform_last_promotion_timestamp_seconds",] == 0
    past.power_loss()
    past.instance.report_runless_asset_event(dg.AssetMaterialization(POINTER))
    metrics = scrape(collector)
    assert metrics["platform_interruptions", "spot", "lost"] == 1
    assert metrics["platform_interruptions", "spot", "notice"] == 0
    assert metrics["platform_running_again_seconds", "0.95"] == pytest.approx(15, abs=0.1)
    assert metrics["platform_work_lost_seconds",] == pytest.approx(2, abs=0.1)
    assert metrics["platform_retries_missing",] == 0
    assert metrics["platform_last_promotion_timestamp_seconds",] == pytest.approx(time.time(), abs=60)


def test_a_run_that_waits_for_more_than_a_minute_is_reported_and_a_new_one_is_not(past, scrape) -> None:
    past.happens(past.run(), RUN_STARTING=290)
    collector = PlatformCollector(lambda: past.instance)
    assert scrape(collector)["platform_runs_waiting", "starting"] == 0
    past.happens(past.run(), RUN_STARTING=200)
    metrics = scrape(collector)
    assert (metrics["platform_runs_waiting", "starting"], metrics["platform_runs_waiting", "queued"]) == (1, 0)


def test_a_retry_that_nobody_made_is_missing_after_a_minute_and_not_before(past, monkeypatch) -> None:
    monkeypatch.setattr(attempt, "is_relaunchable", lambda run: True)
    run = past.run()
    past.happens(run, RUN_STARTING=0, RUN_START=3, RUN_FAILURE=10)
    failed = past.began + 10

    def missing(now: float) -> list[str]:
        return find_overdue_retries(past.instance, read_latest_attempts(past.instance, now), now)

    assert missing(failed + 61) == [], "retries are off"
    monkeypatch.setattr(dg.DagsterInstance, "run_retries_enabled", True)
    monkeypatch.setattr(dg.DagsterInstance, "run_retries_max_retries", 3)
    assert missing(failed + 59) == []
    assert missing(failed + 61) == [run]
    past.run(of=run)
    assert missing(failed + 61) == []


def test_a_storage_that_is_away_is_reported_and_nothing_else(past, scrape, monkeypatch) -> None:
    collector = PlatformCollector(lambda: past.instance)

    def away(*_, **__) -> None:
        raise OperationalError("SELECT", {}, Exception("server closed the connection"))

    with monkeypatch.context() as gone:
        gone.setattr(metrics, "read_latest_attempts", away)
        assert scrape(collector) == {("platform_storage_answers",): 0}
    assert scrape(collector)["platform_storage_answers",] == 1


def test_while_one_scrape_waits_for_the_storage_others_do_not_pile_up(past, monkeypatch) -> None:
    monkeypatch.setattr(metrics, "TURN_SECONDS", 0.05)
    asked, answer = threading.Event(), threading.Event()

    def slow(*_, **__) -> list:
        asked.set()
        answer.wait(30)
        return []

    monkeypatch.setattr(metrics, "read_latest_attempts", slow)
    collector = PlatformCollector(lambda: past.instance)
    first = threading.Thread(target=lambda: list(collector.collect()))
    first.start()
    assert asked.wait(30)
    (only,) = collector.collect()
    assert (only.name, only.samples[0].value) == ("platform_storage_answers", 0)
    answer.set()
    first.join()


def test_what_has_ended_is_read_once_and_what_has_not_again(past, monkeypatch) -> None:
    run, retry = past.power_loss()
    going = past.run(of=retry, root=run)
    past.happens(going, RUN_STARTING=60, RUN_START=62)
    collector = PlatformCollector(lambda: past.instance)
    list(collector.collect())
    read, original = [], run_groups.read_events
    monkeypatch.setattr(
        run_groups, "read_events", lambda instance, run, types: read.append(run) or original(instance, run, types)
    )
    list(collector.collect())
    assert read == [going]
