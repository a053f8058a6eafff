"""Promotion in the pipeline, on a real PostgreSQL and a real Dagster instance.

Without these a run that was killed publishes twice or never, a worse model takes the place of a good one, and a person
who brings back the good one leaves no trace.
"""

import os
import re
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from credit_assets.commands.main import main
from credit_assets.promotion.table_pointer import POINTER
from resources.store.pointers.pointer import Pointer
from resources.store.pointers.positions import Position
from tests.assets.refresh.promotion.support import ByHand, names, pointer, verdict
from tests.support.jobs import reconstructable_job


def numbers() -> list[int]:
    return [each.number for each in pointer().history()]


def retried(instance: dg.DagsterInstance, run: str) -> bool:
    """Retries a run from its failure, with the tags that the daemon and the UI give a retry."""
    options = dg.ReexecutionOptions.from_failure(run, instance)
    job, group = reconstructable_job(), {"dagster/root_run_id": run, "dagster/parent_run_id": run}
    with dg.execute_job(job, instance=instance, reexecution_options=options, tags=group) as retry:
        return retry.success


def set_limits(text: str) -> None:
    settings = Path(os.environ["PLATFORM_SETTINGS"])
    settings.write_text(re.sub(r"(?<=\[promotion]\n)minimum_auc = .*", text, settings.read_text()))


def test_every_run_promotes_its_model_and_records_where_it_came_from(refresh: Any) -> None:
    first, second = refresh(), refresh()
    assert names(pointer().at(1), first)
    assert names(pointer().latest(), second)
    assert numbers() == [2, 1]
    assert verdict(second.run).passed
    assert second.logged(POINTER, "number") == 2
    assert second.logged(POINTER, "rows") == 2_000
    assert second.logged(POINTER, "seed") == 42
    assert second.logged(POINTER, "content_sha256") == second.logged("loan_dataset", "content_sha256")
    assert second.logged(POINTER, "trained_model")["libraries"]["scikit-learn"]


@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_run_killed_around_the_pointer_publishes_once(
    refresh: Any, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    move = Pointer.move

    def die(self: Pointer, *arguments: Any) -> Position:
        if moment == "after":
            move(self, *arguments)
        raise KeyboardInterrupt

    with monkeypatch.context() as dying:
        dying.setattr(Pointer, "move", die)
        with pytest.raises(KeyboardInterrupt):
            refresh()
    (lost,) = instance.get_runs(limit=1)
    assert not lost.is_success
    assert numbers() == ([] if moment == "before" else [1])
    assert retried(instance, lost.run_id)
    assert numbers() == [1]
    assert pointer().latest().value["root_run"] == lost.run_id
    event = instance.get_latest_materialization_event(dg.AssetKey(POINTER))
    assert event
    assert event.run_id != lost.run_id
    assert event.asset_materialization
    attempts = str(event.asset_materialization.metadata["attempts"].value)
    assert f"- {lost.run_id} {lost.status.value}, " in attempts
    assert f"- {event.run_id} STARTED, " in attempts


def test_a_run_that_is_overtaken_does_not_take_the_place_of_the_newer_one(
    refresh: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    move, newer = Pointer.move, []

    def overtaken(self: Pointer, *arguments: Any) -> Position:
        monkeypatch.setattr(Pointer, "move", move)
        newer.append(refresh())
        return move(self, *arguments)

    monkeypatch.setattr(Pointer, "move", overtaken)
    late = refresh()
    assert late.run.success
    assert "newer ones only" in verdict(late.run).description
    assert POINTER not in late.assets
    assert numbers() == [1]
    assert names(pointer().latest(), newer[0])


def test_a_worse_model_is_a_recorded_outcome_and_the_promoted_one_stays(
    refresh: Any, instance: dg.DagsterInstance
) -> None:
    good = refresh()
    set_limits("minimum_auc = 0.99")
    worse = refresh()
    assert worse.run.success
    assert POINTER not in worse.assets
    refused = verdict(worse.run)
    assert not refused.passed
    assert "expected at least 0.99 (promotion.minimum_auc)" in refused.description
    assert "number 1 stays" in refused.description
    assert numbers() == [1]
    assert names(pointer().latest(), good)
    latest = instance.get_latest_materialization_event(dg.AssetKey(POINTER))
    assert latest
    assert latest.run_id == good.run.run_id


def test_a_rebuild_of_older_loans_is_not_promoted(refresh: Any) -> None:
    good = refresh()
    older = {"loan_dataset": {"config": {"as_of": "2100-01-01"}}}
    future = refresh(config=older, raise_on_error=False)
    (failure,) = future.events(dg.DagsterEventType.STEP_FAILURE)
    assert "still to come" in str(failure.step_failure_data.error)
    older["loan_dataset"]["config"]["as_of"] = str(good.logged("loan_dataset", "as_of"))
    rebuilt = refresh(config=older)
    assert "newer ones only" in verdict(rebuilt.run).description
    assert numbers() == [1]


def test_a_person_rolls_back_in_the_ui_and_it_is_recorded(
    refresh: Any, by_hand: ByHand, instance: dg.DagsterInstance
) -> None:
    good, bad = refresh(), refresh()
    back = by_hand("1")
    assert back.success
    latest = pointer().latest()
    assert latest.number == 3
    assert names(latest, good)
    assert not names(latest, bad)
    assert latest.value["decision"]["who"] == "Ada"
    event = instance.get_latest_materialization_event(dg.AssetKey(POINTER))
    assert event
    assert event.run_id == back.run_id
    assert event.asset_materialization
    metadata: Any = event.asset_materialization.metadata
    assert metadata["number"].value == 3
    assert metadata["decision"].value["why"] == "the newer one is wrong about Mondays"
    assert metadata["trained_model"].value["sha256"] == good.logged("trained_model", "sha256")
    # The run that made what was rolled back is repeated as a whole: it adopts all it made, and promotes nothing.
    options = dg.ReexecutionOptions(parent_run_id=bad.run.run_id)
    with dg.execute_job(reconstructable_job(), instance=instance, reexecution_options=options) as again:
        assert again.success
    assert pointer().latest() == latest


def test_a_promotion_by_hand_that_is_repeated_later_shows_nothing_that_is_not_in_use(
    refresh: Any, by_hand: ByHand, instance: dg.DagsterInstance
) -> None:
    refresh()
    refresh()
    first = by_hand("1")
    newer = refresh()
    assert numbers() == [4, 3, 2, 1]
    with dg.execute_job(
        reconstructable_job("promote_by_hand"),
        instance=instance,
        run_config=first.dagster_run.run_config,
        reexecution_options=dg.ReexecutionOptions(parent_run_id=first.run_id),
    ) as again:
        assert again.success
    assert numbers() == [4, 3, 2, 1]
    assert names(pointer().latest(), newer)
    event = instance.get_latest_materialization_event(dg.AssetKey(POINTER))
    assert event
    assert event.run_id == newer.run.run_id


def test_a_person_promotes_the_refused_model_of_a_run_by_its_id(refresh: Any, by_hand: ByHand) -> None:
    refresh()
    set_limits("minimum_auc = 0.99")
    refused = refresh()
    assert by_hand(refused.run.run_id).success
    assert names(pointer().latest(), refused)


@pytest.mark.parametrize("chosen", ["7", "00000000-0000-4000-8000-000000000000", "latest"])
def test_a_mistyped_choice_moves_nothing(refresh: Any, by_hand: ByHand, chosen: str) -> None:
    refresh()
    failed = by_hand(chosen)
    assert not failed.success
    assert numbers() == [1]
    assert not failed.get_asset_materialization_events()


def test_a_mixture_of_two_runs_is_refused(refresh: Any) -> None:
    refresh()
    refresh("test_split", "trained_model", "model_metrics", config={"training": {"config": {"max_depth": 3}}})
    mixed = refresh(POINTER, raise_on_error=False)
    assert not mixed.run.success
    (failure,) = mixed.events(dg.DagsterEventType.STEP_FAILURE)
    assert "what is promoted together is made together" in str(failure.step_failure_data.error)
    assert numbers() == [1]


def test_a_set_with_a_damaged_file_is_refused(refresh: Any) -> None:
    refresh()
    set_limits("minimum_auc = 0.99")
    next_one = refresh()
    set_limits("minimum_auc = 0.65")
    path = next_one.stored("trained_model")
    whole = path.read_bytes()
    path.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    damaged = refresh(POINTER, raise_on_error=False)
    assert not damaged.run.success
    (failure,) = damaged.events(dg.DagsterEventType.STEP_FAILURE)
    assert "was changed after it was written" in str(failure.step_failure_data.error)
    assert numbers() == [1]
    path.write_bytes(whole)
    assert verdict(refresh(POINTER).run).passed
    assert names(pointer().latest(), next_one)


def test_a_promotion_reads_no_table_and_no_model(refresh: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from resources.store.formats import Joblib, Parquet

    refresh()
    for format in (Parquet, Joblib):
        monkeypatch.setattr(format, "decode", lambda *_: pytest.fail("it was decoded only to be promoted"))
    assert verdict(refresh(POINTER).run).passed


def test_a_model_that_predicts_no_default_is_promoted_and_its_precision_is_shown_as_undefined(
    refresh: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    shallow = refresh(config={"training": {"config": {"max_depth": 1}}})
    assert verdict(shallow.run).passed
    assert pointer().latest().value["metrics"]["precision"] is None
    for asset in ("model_metrics", POINTER):
        assert shallow.logged(asset, "precision") == "undefined"
        assert shallow.logged(asset, "recall") == 0
    assert refresh().run.success
    capsys.readouterr()
    assert main(["lineage", "1"]) == 0
    assert "precision undefined" in capsys.readouterr().out
