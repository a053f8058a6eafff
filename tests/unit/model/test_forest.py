"""A resumed training whose model has other bytes than an undisturbed one can't be told from a wrong one."""

import hashlib
import io

import joblib
import numpy as np
import pytest
from sklearn.ensemble import RandomForestClassifier

from credit_assets.model.forest import grow_forest

ROWS = np.random.default_rng(7).normal(size=(400, 5))
ROWS[:, 4] = np.where(ROWS[:, 4] > 1, np.nan, ROWS[:, 4])
OUTCOMES = (ROWS[:, 0] + ROWS[:, 1] > 0.5).astype("int8")
FOREST = RandomForestClassifier(n_estimators=23, max_depth=4, random_state=42, n_jobs=2)


def at_once(trees, between):
    return between(0, trees)


def in_blocks_of(*sizes):
    def grow(trees, between):
        grown = []
        for size in sizes:
            grown += between(len(grown), min(trees, len(grown) + size))
        return grown + between(len(grown), trees)

    return grow


def sha256(forest) -> str:
    written = io.BytesIO()
    joblib.dump(forest.set_params(n_jobs=1), written, compress=3)
    return hashlib.sha256(written.getvalue()).hexdigest()


def grown(grow, forest=FOREST):
    return grow_forest(forest, ROWS, OUTCOMES, grow)


@pytest.mark.parametrize("sizes", [(1,), (22,), (5, 5, 5, 5), (1,) * 22], ids=str)
def test_the_bytes_are_the_same_wherever_it_was_interrupted(sizes) -> None:
    assert sha256(grown(in_blocks_of(*sizes))) == sha256(grown(at_once))


def test_another_seed_is_another_forest() -> None:
    other = RandomForestClassifier(n_estimators=23, max_depth=4, random_state=43)
    assert sha256(grown(at_once, other)) != sha256(grown(at_once))


def test_it_scores_as_scikit_learns_own_fit_does() -> None:
    own = RandomForestClassifier(n_estimators=23, max_depth=4, random_state=42, n_jobs=1).fit(ROWS, OUTCOMES)
    ours = grown(in_blocks_of(3, 9)).set_params(n_jobs=1)
    assert np.array_equal(ours.predict_proba(ROWS), own.predict_proba(ROWS))
    assert np.array_equal(ours.feature_importances_, own.feature_importances_)
    assert ours.get_params() == own.get_params()


def test_a_forest_whose_seed_is_drawn_anew_is_refused() -> None:
    with pytest.raises(ValueError, match="random_state is None"):
        grown(at_once, RandomForestClassifier(n_estimators=2))
