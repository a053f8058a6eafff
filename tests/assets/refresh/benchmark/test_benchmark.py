"""The benchmark is a second opinion: it is there beside each model, and keeps none from being promoted."""

import os
import time
from typing import Any

import dagster as dg
import pytest

from credit_assets.commands.one_machine.outcome import describe_promotion
from credit_assets.retention.stored.stored_objects import find_stored_removals
from credit_assets.settings.retention import Retention
from resources.store.opening import open_store
from tests.support.jobs import reconstructable_job


def break_benchmark(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any) -> None:
        raise ValueError("no benchmark today")

    monkeypatch.setattr("credit_assets.benchmark.benchmark.fit_benchmark", fail)


def test_it_stands_beside_the_model_with_both_figures_and_what_it_was_measured_on(refresh: Any) -> None:
    result = refresh()
    assert 0.6 < result.logged("benchmark", "roc_auc") < 1
    for figure in ("roc_auc", "gini", "ks", "brier"):
        assert result.logged("benchmark", f"{figure} of the model") == result.logged("model_metrics", figure)
        assert result.logged("benchmark", figure) != result.logged("model_metrics", figure)
    for part in ("loan_dataset", "test_split", "trained_model", "model_metrics"):
        assert result.logged("benchmark", f"{part}_sha256") == result.logged(part, "sha256")
    assert result.assets[-1] == "benchmark", "the promotion came first"


def test_a_benchmark_that_fails_makes_the_run_red_and_the_model_is_promoted_all_the_same(
    refresh: Any, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as broken:
        break_benchmark(broken)
        result = refresh(raise_on_error=False)
    assert not result.run.success
    assert result.assets[-1] == "promoted_model"
    (failure,) = result.events(dg.DagsterEventType.STEP_FAILURE)
    assert failure.step_key == "benchmark"
    (said,) = describe_promotion(result.run)
    assert said.startswith("Promotion: number 1, model "), "`make run` says it beside the error"
    options = dg.ReexecutionOptions.from_failure(result.run.run_id, instance)
    with dg.execute_job(reconstructable_job(), instance=instance, reexecution_options=options) as retry:
        assert retry.success
        made = [each.asset_key for each in retry.get_asset_materialization_events()]
    assert made == [dg.AssetKey("benchmark")], "a retry makes nothing but the benchmark"


def test_a_benchmark_of_parts_that_do_not_belong_together_is_refused(refresh: Any) -> None:
    refresh()
    refresh("loan_dataset")
    result = refresh("benchmark", raise_on_error=False)
    assert not result.run.success
    (failure,) = result.events(dg.DagsterEventType.STEP_FAILURE)
    assert "Materialize all of it in one run" in str(failure.step_failure_data.error)


def test_retention_deletes_the_benchmark_of_a_model_that_was_not_promoted_and_keeps_those_of_the_others(
    refresh: Any, instance: dg.DagsterInstance
) -> None:
    promoted = refresh()
    as_of = promoted.logged("loan_dataset", "as_of")
    refused = refresh(config={"loan_dataset": {"config": {"as_of": as_of}}})
    assert "promoted_model" not in refused.assets, "its loans are not newer"
    newest = refresh()
    store = open_store(os.environ["PLATFORM_STORE"])
    for each in find_stored_removals(store, instance, Retention(), time.time() + 1_000 * 86_400):
        each.delete()
    assert [each.stored("benchmark").exists() for each in (promoted, refused, newest)] == [True, False, True]
