"""How much of a training a retry repeats, on a real PostgreSQL and a real Dagster instance.

Without this a worker that was lost in the last minute of a training costs hours, or its retry leaves another model.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from resources.history.facts import ITEMS, ITEMS_COMMITTED, ITEMS_TOTAL, is_committed_block
from resources.store.object_store import ObjectStore
from tests.support.jobs import reconstructable_job

FOLDS = 4


@dataclass(frozen=True)
class Attempt:
    """What a run left in the event log."""

    run: str
    entries: list[dg.EventLogEntry]

    @property
    def messages(self) -> list[str]:
        return [entry.user_message for entry in self.entries]

    @property
    def digests(self) -> dict[str, str]:
        made = [each.asset_materialization for each in self.entries if each.asset_materialization]
        return {each.asset_key.to_user_string(): str(each.metadata["sha256"].value) for each in made}

    def counts(self, items: str) -> list[int]:
        """How many of these items were committed after each block."""
        blocks = [entry for entry in self.entries if is_committed_block(entry)]
        assert all(entry.step_key == "training" for entry in blocks), "a fact that belongs to no step is read by nobody"
        facts = [entry.asset_observation.metadata for entry in blocks if entry.asset_observation]
        return [int(str(each[ITEMS_COMMITTED].value)) for each in facts if each[ITEMS].value == items]


@pytest.fixture
def attempt(instance: dg.DagsterInstance) -> Callable[[str], Attempt]:
    def read(run: str) -> Attempt:
        return Attempt(run, [record.event_log_entry for record in instance.get_records_for_run(run).records])

    return read


@pytest.fixture
def with_folds(lending: Any) -> None:
    settings = Path(os.environ["PLATFORM_SETTINGS"])
    settings.write_text(settings.read_text().replace("[limits]", f"[limits]\ncross_validation_folds = {FOLDS}"))
    assert f"cross_validation_folds = {FOLDS}" in settings.read_text()


def choose_kind(kind: str) -> None:
    """Declares the kind of model in the settings."""
    settings = Path(os.environ["PLATFORM_SETTINGS"])
    settings.write_text(f"{settings.read_text()}\n[model]\nkind = '{kind}'\n")


@pytest.fixture
def short_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """A block for each item, however fast the machine is."""
    monkeypatch.setattr("resources.store.blocks.series.choose_seconds", lambda *_: 0)


@contextmanager
def die_at_block(number: int, folder: str) -> Iterator[None]:
    """Ends the worker before it commits this block, counted from 1, of the blocks below a folder."""
    seen, create = [], ObjectStore.create

    def create_or_die(store: ObjectStore, key: str, data: bytes | Path) -> None:
        if f"/{folder}" in key:
            seen.append(key)
            if len(seen) == number:
                raise KeyboardInterrupt
        create(store, key, data)

    with pytest.MonkeyPatch.context() as dying:
        dying.setattr(ObjectStore, "create", create_or_die)
        with pytest.raises(KeyboardInterrupt):
            yield


@pytest.fixture
def lose_and_retry(refresh: Any, instance: dg.DagsterInstance, attempt: Any) -> Callable[[int, str], Any]:
    """The lost attempt at a training and its retry."""

    def run(number: int, folder: str) -> tuple[Attempt, Attempt]:
        with die_at_block(number, folder):
            refresh("test_split", "trained_model")
        (lost,) = instance.get_runs(limit=1)
        assert not lost.is_success
        options = dg.ReexecutionOptions.from_failure(lost.run_id, instance)
        with dg.execute_job(reconstructable_job(), instance=instance, reexecution_options=options) as retry:
            assert retry.success
        return attempt(lost.run_id), attempt(retry.run_id)

    return run


def test_a_retry_grows_only_the_trees_that_were_not_committed_and_leaves_the_same_bytes(
    short_blocks: None, refresh: Any, lose_and_retry: Any
) -> None:
    refresh("loan_dataset")
    undisturbed = refresh("test_split", "trained_model").digests()
    lost, retry = lose_and_retry(3, "blocks/")
    *_, kept = lost.counts("trees")
    assert len(lost.counts("trees")) == 2
    assert f"{kept} of 100 trees found: an earlier attempt committed them" in retry.messages
    assert min(retry.counts("trees")) > kept, "what was committed was made again"
    assert retry.counts("trees")[-1] == 100
    assert retry.digests == undisturbed


def test_a_retry_of_a_boosting_goes_on_from_the_trees_that_were_committed_and_leaves_the_same_bytes(
    short_blocks: None, refresh: Any, lose_and_retry: Any
) -> None:
    choose_kind("hist_gradient_boosting")
    refresh("loan_dataset")
    undisturbed = refresh("test_split", "trained_model")
    lost, retry = lose_and_retry(3, "blocks/")
    *_, kept = lost.counts("trees")
    assert f"{kept} of 100 trees found: an earlier attempt committed them" in retry.messages
    assert min(retry.counts("trees")) > kept, "what was committed was made again"
    assert retry.counts("trees")[-1] == 100
    assert retry.digests == undisturbed.digests()
    assert undisturbed.logged("trained_model", "kind") == "hist_gradient_boosting"


def test_a_regression_is_promoted_as_any_model_and_has_no_blocks(refresh: Any, attempt: Any) -> None:
    choose_kind("logistic_regression")
    result = refresh()
    assert "promoted_model" in result.assets
    assert result.logged("trained_model", "kind") == "logistic_regression"
    assert attempt(result.run.run_id).counts("trees") == []
    assert result.digests()["trained_model"] == refresh().digests()["trained_model"]


def test_a_hyperparameter_that_the_kind_does_not_have_stops_the_training_before_anything_is_committed(
    refresh: Any,
) -> None:
    choose_kind("logistic_regression")
    config = {"training": {"config": {"n_estimators": 300}}}
    result = refresh("loan_dataset", "test_split", "trained_model", config=config, raise_on_error=False)
    (failure,) = result.events(dg.DagsterEventType.STEP_FAILURE)
    assert "n_estimators: a logistic_regression" in str(failure.step_failure_data.error)
    assert result.assets == ["loan_dataset"]


def test_a_retry_repeats_no_fold_of_the_cross_validation_that_was_committed(
    with_folds: None, short_blocks: None, refresh: Any, lose_and_retry: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from credit_assets.model import cross_validation

    refresh("loan_dataset")
    undisturbed = refresh("test_split", "trained_model").digests()
    fitted, fit = [], cross_validation.fit_pipeline

    def count(*arguments: Any) -> Any:
        fitted.append(arguments)
        return fit(*arguments)

    monkeypatch.setattr(cross_validation, "fit_pipeline", count)
    # The third is fitted and lost.
    lost, retry = lose_and_retry(3, "folds/blocks/")
    assert lost.counts("folds") == [1, 2]
    assert lost.counts("trees")[-1] == 100, "the folds are counted apart from the trees"
    assert retry.counts("trees") == [], "trees that were committed were grown again"
    assert retry.counts("folds") == [3, 4]
    assert f"2 of {FOLDS} folds found: an earlier attempt committed them" in retry.messages
    assert len(fitted) <= FOLDS + 2, "more was lost than the fold that was being committed and the next one"
    assert retry.digests == undisturbed


def test_a_committed_block_is_one_event_of_the_step_with_its_numbers(refresh: Any, attempt: Any) -> None:
    done = attempt(refresh("loan_dataset", "test_split", "trained_model").run.run_id)
    blocks = [entry for entry in done.entries if is_committed_block(entry)]
    assert blocks
    for entry in blocks:
        assert entry.step_key == "training"
        assert entry.asset_observation
        assert entry.asset_observation.asset_key == dg.AssetKey("trained_model")
        assert entry.asset_observation.metadata[ITEMS_TOTAL].value == 100
    assert done.counts("trees")[-1] == 100
    assert done.counts("folds") == []
    assert not [message for message in done.messages if message.endswith(" committed")], "said twice: two rows a block"


def test_the_training_grows_a_tree_on_each_core(refresh: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Or all cores but one wait."""
    from credit_assets.model import forest

    cores, used, make_side_by_side = 3, list[int](), forest.make_side_by_side

    def note_cores(make_one: Any, numbers: Any, at_once: int) -> Any:
        used.append(at_once)
        return make_side_by_side(make_one, numbers, at_once)

    monkeypatch.setattr(forest, "make_side_by_side", note_cores)
    monkeypatch.setattr("joblib.cpu_count", lambda: cores)
    refresh("loan_dataset", "test_split", "trained_model")
    assert used == [cores]
