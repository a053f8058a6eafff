"""Shards of a wave know of each other only by what each leaves in the store, and one of them judges the wave."""

from pathlib import Path

import pytest

from credit_assets.waves.outcomes import Failed, Outcome, Scored
from credit_assets.waves.runs.shards import Shard, ShardError
from resources.store.object_store import ObjectStore
from resources.store.opening import open_store

SCORED: list[Outcome] = [Scored("a", 2, 0.1, "d" * 64)]
FAILED: list[Outcome] = [Failed("b", "rows break the schema", "income: 1 of 3 rows is NULL", 0.1)]


@pytest.fixture
def store(tmp_path: Path) -> ObjectStore:
    return open_store(tmp_path.as_uri())


def test_the_shard_that_ends_last_sees_the_outcomes_of_all_and_the_others_are_not_last(store: ObjectStore) -> None:
    first, second = Shard(store, "wave/w", 1, 2), Shard(store, "wave/w", 2, 2)
    assert second.read_others() == []
    assert not first.leave(SCORED)
    assert second.read_others() == SCORED
    assert second.leave(FAILED)
    assert first.read_others() == FAILED


def test_a_retry_of_the_last_shard_is_the_last_again_and_one_of_another_shard_is_not(store: ObjectStore) -> None:
    first, second = Shard(store, "wave/w", 1, 2), Shard(store, "wave/w", 2, 2)
    assert not first.leave(SCORED)
    assert second.leave(FAILED)
    assert second.leave(FAILED)
    assert not first.leave(SCORED), "two shards would judge the wave, and send two alerts"


def test_a_wave_of_one_run_leaves_nothing_and_judges_itself(store: ObjectStore) -> None:
    alone = Shard(store, "wave/w", 1, 1)
    assert alone.leave(FAILED)
    assert alone.read_others() == []
    assert list(store.list_keys("wave/w")) == []


def test_shards_of_another_wave_or_of_another_division_are_not_taken_for_ones_own(store: ObjectStore) -> None:
    assert not Shard(store, "wave/other", 1, 2).leave(SCORED)
    assert not Shard(store, "wave/w", 1, 3).leave(SCORED)
    assert Shard(store, "wave/w", 2, 2).read_others() == []
    assert not Shard(store, "wave/w", 2, 2).leave(SCORED)


def test_outcomes_that_were_changed_are_refused_and_not_passed_over(store: ObjectStore) -> None:
    store.create("wave/w/shards/1-of-2.json", b"{")
    with pytest.raises(ShardError, match=r"1-of-2\.json can't be read"):
        Shard(store, "wave/w", 2, 2).read_others()
