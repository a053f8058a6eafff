"""The report as people find it in the UI, on a real instance and store."""

import os
import time
from pathlib import Path

import dagster as dg
import pytest

from credit_assets.definitions import build_defs
from credit_assets.jobs import REFRESH, RESILIENCE
from credit_assets.operations.audit import Audit, Promoted
from credit_assets.resilience_report import CHECK, REPORT, make_report
from credit_assets.settings.limits import Prices
from resources.deployment import Deployment
from resources.store.opening import open_store
from tests.support.settings import LOANS_SETTINGS


@pytest.fixture
def settings(tmp_path, monkeypatch) -> Path:
    path = tmp_path / "loans.toml"
    path.write_text(LOANS_SETTINGS.read_text())
    monkeypatch.setenv("PLATFORM_SETTINGS", str(path))
    monkeypatch.setenv("PLATFORM_STORE", (tmp_path / "store").as_uri())
    return path


def report(instance, **config):
    job = build_defs(Deployment.from_environment()).resolve_job_def(RESILIENCE)
    return job.execute_in_process(instance=instance, run_config={"ops": {REPORT: {"config": config}}})


def logged(result) -> dict:
    (event,) = result.get_asset_materialization_events()
    return {name: each.value for name, each in event.materialization.metadata.items()}


def test_a_loss_is_in_the_report_with_its_run_its_node_and_what_it_cost(settings, past) -> None:
    run, _ = past.power_loss()
    shown = logged(report(past.instance))
    assert shown["interruptions"] == 1
    assert shown["running_again_p95"] == pytest.approx(15, abs=0.1)
    (row,) = shown["latest_interruptions"].records
    figures = ["9.0 s", "15.0 s", "2.0 s", "7.0 s"]
    assert list(row.data.values())[1:] == [run, "spot-1 (spot)", "without notice", *figures]
    assert [each.data["interruptions"] for each in shown["weeks"].records][-2:] == ["1", "1"]
    assert "no cost is computed" in shown["prices"]
    (path,) = [each for each in Path(os.environ["PLATFORM_STORE"][7:]).rglob("*.json") if each.name != "manifest.json"]
    assert f'"run": "{run}"' in path.read_text()


def test_without_a_loss_it_says_so_and_its_check_passes(settings, past) -> None:
    result = report(past.instance, weeks=1)
    shown = logged(result)
    assert (shown["interruptions"], shown["damaged"]) == (0, 0)
    assert shown["running_again_p95"] == "undefined", "a loss that never happened has no time"
    assert shown["latest_interruptions"].records == []
    assert [each.data["week of"] for each in shown["weeks"].records][1:] == ["all"]
    (check,) = result.get_asset_check_evaluations()
    assert (check.check_name, check.passed) == (CHECK, True)


def test_with_prices_a_week_has_its_cost_and_that_on_demand(settings, past) -> None:
    past.power_loss()
    settings.write_text(settings.read_text() + "\n[prices]\non_demand = 360.0\nspot = 36.0\n")
    assert logged(report(past.instance))["prices"] == {"on_demand": 360.0, "spot": 36.0}
    store = open_store(os.environ["PLATFORM_STORE"])
    document = make_report(past.instance, store, "loans", Prices(on_demand=360, spot=36), past.began + 300, weeks=2)
    *_, whole = document.data["weeks"]
    assert whole["worker_seconds"] >= 17 + 17 + 5
    assert 0 < whole["cost"] < whole["cost_on_demand"]


def test_what_happened_before_the_window_is_not_in_it(settings, past) -> None:
    past.power_loss()
    store = open_store(os.environ["PLATFORM_STORE"])
    later = make_report(past.instance, store, "loans", Prices(), past.began + 15 * 24 * 3600, weeks=1)
    assert later.data["interruptions"] == []


def test_damage_fails_the_check_and_not_the_report(settings, past, monkeypatch) -> None:
    monkeypatch.setattr(
        "credit_assets.resilience_report.audit_promotions", lambda *_: Audit((), ["number 1: it was changed"])
    )
    result = report(past.instance)
    (check,) = result.get_asset_check_evaluations()
    assert not check.passed
    assert check.severity is dg.AssetCheckSeverity.ERROR
    assert "number 1: it was changed" in str(check.description)
    assert logged(result)["damaged"] == 1


def test_a_report_with_a_limit_goes_on_from_what_the_last_one_read(settings, past, monkeypatch) -> None:
    settings.write_text(settings.read_text() + "\n[retention]\naudit_sets = 7\n")
    given = []

    def audit(store, table, now, last, most) -> Audit:
        given.append((last, most))
        return Audit([Promoted(1, now, None, now)])

    monkeypatch.setattr("credit_assets.resilience_report.audit_promotions", audit)
    first, second = report(past.instance), report(past.instance)
    assert logged(first)["audit"] == logged(second)["audit"] == "all 1 are whole"
    assert given[0] == ({}, 7)
    assert list(given[1][0]) == [1]
    assert time.time() - 60 < given[1][0][1].read_at <= time.time()
    settings.write_text(settings.read_text().replace("[retention]\naudit_sets = 7\n", ""))
    report(past.instance)
    assert given[2] == (None, None), "without [retention] every set is read"


def test_a_last_report_that_is_gone_counts_as_none_and_says_so(settings, past) -> None:
    settings.write_text(settings.read_text() + "\n[retention]\n")
    report(past.instance)
    store = open_store(os.environ["PLATFORM_STORE"])
    for key in store.list_keys(REPORT):
        store.delete(key)
    result = report(past.instance)
    said = [each.user_message for each in past.instance.all_logs(result.run_id)]
    assert any("every promoted set counts as never read" in each for each in said)
    (check,) = result.get_asset_check_evaluations()
    assert check.passed


def test_a_refresh_makes_no_report_and_a_schedule_does() -> None:
    selected = build_defs(Deployment.from_environment()).resolve_job_def(REFRESH).asset_layer.executable_asset_keys
    assert dg.AssetKey("trained_model") in selected
    assert dg.AssetKey(REPORT) not in selected
    schedule = build_defs(Deployment.from_environment()).resolve_schedule_def("resilience_schedule")
    assert schedule.job_name == RESILIENCE
    assert schedule.default_status is dg.DefaultScheduleStatus.RUNNING
