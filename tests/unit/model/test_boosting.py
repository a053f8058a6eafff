"""A boosting that was continued must have the bytes of an undisturbed one, or a retry promotes another model.

It is also the contract with what is private to scikit-learn (decision 0019): it fails if a version works otherwise.
"""

import hashlib
import io

import joblib
import numpy as np
import pytest
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.ensemble._hist_gradient_boosting.binning import _BinMapper
from threadpoolctl import threadpool_limits

from credit_assets.model.boosting import Boosting, grow_boosting, sum_gains
from credit_assets.model.growth import AtOnce
from resources.store.blocks.series import Blocks

TREES = 23
ROWS = np.random.default_rng(7).normal(size=(2_000, 5))
ROWS[:, 4] = np.where(ROWS[:, 4] > 1, np.nan, ROWS[:, 4])
OUTCOMES = (ROWS[:, 0] + ROWS[:, 1] + np.random.default_rng(8).normal(size=2_000) > 0.5).astype("int8")
BOOSTING = HistGradientBoostingClassifier(max_iter=TREES, max_depth=4, random_state=42, early_stopping=False)


class InBlocks:
    """Makes so many trees at a time. Every block is made by another attempt, which knows only the bytes of the others.

    Args:
        sizes: of the blocks; the rest is one more block.
        attempts: whether each block has an attempt of its own.
    """

    def __init__(self, *sizes: int, boosting=BOOSTING, attempts: bool = True) -> None:
        self.sizes, self.boosting, self.attempts = sizes, boosting, attempts

    def grow(self, total, make):
        raise AssertionError("a tree of a boosting can't be made without those before it")

    def chain(self, total, make):
        made: list[bytes] = []
        for size in [*self.sizes, total]:
            if (stop := min(total, len(made) + size)) > len(made):
                each = Boosting(self.boosting, ROWS, OUTCOMES).go_on if self.attempts else make
                made += each(iter(range(len(made), stop)), list(made))
        return made


def sha256(boosting) -> str:
    written = io.BytesIO()
    joblib.dump(boosting, written, compress=3)
    return hashlib.sha256(written.getvalue()).hexdigest()


def grown(growth, boosting=BOOSTING):
    return grow_boosting(boosting, ROWS, OUTCOMES, growth)


@pytest.mark.parametrize("attempts", [True, False], ids=["one attempt a block", "one attempt"])
@pytest.mark.parametrize("sizes", [(1,), (22,), (5, 5, 5, 5), (1,) * 22, (2, 1, 7)], ids=str)
def test_the_bytes_are_the_same_however_the_training_is_divided(sizes, attempts: bool) -> None:
    assert sha256(grown(InBlocks(*sizes, attempts=attempts))) == sha256(grown(AtOnce()))


def test_it_is_what_scikit_learns_own_fit_makes() -> None:
    own = HistGradientBoostingClassifier(max_iter=TREES, max_depth=4, random_state=42, early_stopping=False)
    own.fit(ROWS, OUTCOMES)
    ours = grown(InBlocks(3, 9))
    assert np.array_equal(ours.predict_proba(ROWS), own.predict_proba(ROWS))
    assert ours.n_iter_ == TREES
    assert ours.get_params() == own.get_params()
    assert ours.__dict__.keys() == own.__dict__.keys()


def test_the_number_of_threads_changes_no_byte() -> None:
    with threadpool_limits(1):
        one = sha256(grown(AtOnce()))
    with threadpool_limits(3):
        assert sha256(grown(InBlocks(4))) == one


def test_another_seed_or_depth_is_another_model() -> None:
    rows = np.tile(ROWS, (101, 1))  # from 200,000 rows on the seed chooses those that bins are made from
    outcomes = np.tile(OUTCOMES, 101)
    few = {"max_iter": 2, "early_stopping": False}
    seeds = [
        sha256(grow_boosting(HistGradientBoostingClassifier(random_state=seed, **few), rows, outcomes, AtOnce()))
        for seed in (1, 2)
    ]
    assert seeds[0] != seeds[1]
    other = HistGradientBoostingClassifier(max_iter=TREES, max_depth=2, random_state=42, early_stopping=False)
    assert sha256(grown(AtOnce(), other)) != sha256(grown(AtOnce()))


def test_rows_are_binned_once_by_an_attempt_however_many_blocks_it_makes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Or a training of many rows would spend most of its time on that."""
    binned = []
    fit_transform = _BinMapper.fit_transform

    def count(mapper, *arguments, **more):
        binned.append(mapper)
        return fit_transform(mapper, *arguments, **more)

    monkeypatch.setattr(_BinMapper, "fit_transform", count)
    grown(InBlocks(*(1,) * 22, attempts=False))
    assert len(binned) == 2, "once for the trees, and once for what they are put into"


def test_blocks_in_a_store_that_a_retry_finds_give_the_same_bytes(store) -> None:
    def dies_at(tree: int):
        class Dying(Blocks):
            def _commit(self, first, made):
                if first >= tree:
                    raise KeyboardInterrupt
                return super()._commit(first, made)

        return Dying(store, "place", max_seconds=0)

    for tree in (1, 5, 6, 20):
        with pytest.raises(KeyboardInterrupt):
            grown(dies_at(tree))
    committed = []
    retry = Blocks(store, "place", max_seconds=0, on_commit=lambda number, _: committed.append(number))
    assert sha256(grown(retry)) == sha256(grown(AtOnce()))
    assert committed == [21, 22, 23], "what was committed was made again"


def test_trees_that_could_not_be_made_again_are_refused() -> None:
    with pytest.raises(ValueError, match="random_state is None"):
        grown(AtOnce(), HistGradientBoostingClassifier(early_stopping=False))
    with pytest.raises(ValueError, match="early_stopping is 'auto'"):
        grown(AtOnce(), HistGradientBoostingClassifier(random_state=1))


def test_the_gains_are_of_the_numbers_that_decide() -> None:
    gains = sum_gains(grown(AtOnce()))
    assert gains.sum() == pytest.approx(1)
    assert gains[:2].sum() > 0.8
    assert gains.min() >= 0


def test_without_a_split_there_is_no_gain_and_no_division_by_zero() -> None:
    flat = HistGradientBoostingClassifier(max_iter=2, random_state=1, early_stopping=False, min_samples_leaf=5_000)
    assert sum_gains(grown(AtOnce(), flat)).tolist() == [0] * 5
