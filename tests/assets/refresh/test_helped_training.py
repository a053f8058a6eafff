"""Runs that help a training must leave the bytes of a training that nobody helps, or two models answer to one name."""

import re
from collections.abc import Callable
from typing import Any

import dagster as dg
import pytest

from credit_assets.definitions import build_defs
from credit_assets.helping.helper_run import HELP_TRAINING, find_part
from credit_assets.helping.order import HELPERS, PLACE
from credit_assets.jobs import REFRESH
from resources.deployment import Deployment
from resources.history.facts import ITEMS_COMMITTED
from sensors.training_helpers import request_helpers
from tests.support.jobs import reconstructable_job

TRAINED = [dg.AssetKey("test_split"), dg.AssetKey("trained_model")]


@pytest.fixture
def lost(refresh: Any, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch) -> dg.DagsterRun:
    """A run that wants one helper, and whose worker was lost when it was about to commit its first trees."""
    refresh("loan_dataset")

    def die(*_: Any) -> None:
        raise KeyboardInterrupt

    job = build_defs(Deployment.from_environment()).resolve_job_def(REFRESH)
    with monkeypatch.context() as dying:
        dying.setattr("resources.store.blocks.series.encode_block", die)
        with pytest.raises(KeyboardInterrupt):
            job.execute_in_process(instance=instance, asset_selection=TRAINED, tags={HELPERS: "1"})
    (run,) = instance.get_runs(limit=1)
    return run


@pytest.fixture
def help_with(instance: dg.DagsterInstance) -> Callable[[dg.DagsterRun], Any]:
    """Runs the helpers that the sensor would ask for."""

    def run(helped: dg.DagsterRun) -> Any:
        (request,) = request_helpers([helped])
        return (
            build_defs(Deployment.from_environment())
            .resolve_job_def(HELP_TRAINING)
            .execute_in_process(instance=instance, run_config=request.run_config, raise_on_error=False)
        )

    return run


def read_digests(instance: dg.DagsterInstance) -> list[str]:
    events = [instance.get_latest_materialization_event(key) for key in TRAINED]
    made = [event.asset_materialization for event in events if event]
    return [str(each.metadata["sha256"].value) for each in made if each]


def read_committed(instance: dg.DagsterInstance, run: str) -> list[int]:
    """How many trees a run said that are committed, each time that it said so."""
    observations = [each.asset_observation for each in instance.all_logs(run) if each.asset_observation]
    return [int(str(each.metadata[ITEMS_COMMITTED].value)) for each in observations if ITEMS_COMMITTED in each.metadata]


def read_reason(result: Any) -> str:
    (failure,) = [each for each in result.all_events if each.event_type == dg.DagsterEventType.STEP_FAILURE]
    return failure.step_failure_data.error.cause.message


def test_a_model_whose_trees_two_runs_have_grown_has_the_bytes_of_one_that_one_run_has_grown(
    refresh: Any, instance: dg.DagsterInstance, lost: dg.DagsterRun, help_with: Any
) -> None:
    helper = help_with(lost)
    assert helper.success
    assert read_committed(instance, helper.run_id) == [50]
    options = dg.ReexecutionOptions(lost.run_id, step_selection=["training"])
    with dg.execute_job(reconstructable_job(), instance=instance, reexecution_options=options) as retry:
        assert retry.success
    assert max(read_committed(instance, retry.run_id)) == 50, "trees that a helper had grown were grown again"
    helped = read_digests(instance)
    refresh("test_split", "trained_model")
    assert read_digests(instance) == helped


def test_a_helper_of_a_training_that_has_ended_does_nothing(
    refresh: Any, instance: dg.DagsterInstance, lost: dg.DagsterRun, help_with: Any
) -> None:
    options = dg.ReexecutionOptions(lost.run_id, step_selection=["training"])
    with dg.execute_job(reconstructable_job(), instance=instance, reexecution_options=options) as retry:
        assert retry.success
    helper = help_with(lost)
    assert helper.success
    messages = [each.user_message for each in instance.all_logs(helper.run_id)]
    assert "the training has ended, so there is nothing to help with" in messages


def test_a_helper_of_other_settings_or_of_another_place_is_refused(
    lost: dg.DagsterRun, help_with: Any, lending: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    elsewhere = lost.with_tags({**lost.tags, PLACE: "trained_model/nobody/0000"})
    assert "order.json does not exist" in read_reason(help_with(elsewhere))
    settings = tmp_path / "loans.toml"
    settings.write_text(re.sub("minimum_rows = .*", "minimum_rows = 51", settings.read_text()))
    assert "are not those of the training" in read_reason(help_with(lost))


def test_a_run_without_the_tag_leaves_no_order_and_asks_for_nobody(refresh: Any, instance: dg.DagsterInstance) -> None:
    refresh("loan_dataset", "test_split", "trained_model")
    (run,) = instance.get_runs(limit=1)
    assert PLACE not in run.tags
    assert list(request_helpers([run])) == []


def test_a_boosting_that_wants_helpers_says_that_nobody_can_help_and_asks_for_none(
    refresh: Any, instance: dg.DagsterInstance, lending: Any, tmp_path: Any
) -> None:
    settings = tmp_path / "loans.toml"
    settings.write_text(f"{settings.read_text()}\n[model]\nkind = 'hist_gradient_boosting'\n")
    refresh("loan_dataset")
    job = build_defs(Deployment.from_environment()).resolve_job_def(REFRESH)
    assert job.execute_in_process(instance=instance, asset_selection=TRAINED, tags={HELPERS: "2"}).success
    (run,) = instance.get_runs(limit=1)
    assert PLACE not in run.tags
    assert list(request_helpers([run])) == []
    (warning,) = [each.user_message for each in instance.all_logs(run.run_id) if HELPERS in each.user_message]
    assert warning.startswith("the tag platform/helpers has no effect: a hist_gradient_boosting (model.kind")


@pytest.mark.parametrize("trees", [1, 7, 100])
def test_the_parts_of_all_helpers_and_of_the_training_are_all_trees_once(trees: int) -> None:
    parts = [find_part(trees, part, 4) for part in range(4)]
    assert [tree for first, stop in parts for tree in range(first, stop)] == list(range(trees))
