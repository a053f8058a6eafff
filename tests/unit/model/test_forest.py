"""A resumed training whose model has other bytes than an undisturbed one can't be told from a wrong one.

It is also the contract with what is private to scikit-learn (decision 0012): it fails if a version works otherwise.
"""

import hashlib
import io
import pickle

import joblib
import numpy as np
import pytest
from sklearn.base import clone
from sklearn.ensemble import RandomForestClassifier

from credit_assets.model.forest import TreeMaker, grow_forest

ROWS = np.random.default_rng(7).normal(size=(400, 5))
ROWS[:, 4] = np.where(ROWS[:, 4] > 1, np.nan, ROWS[:, 4])
OUTCOMES = (ROWS[:, 0] + ROWS[:, 1] > 0.5).astype("int8")
FOREST = RandomForestClassifier(n_estimators=23, max_depth=4, random_state=42, n_jobs=2)


def at_once(trees, make):
    return [*make(iter(range(trees)))]


def in_blocks_of(*sizes):
    def grow(trees, make):
        grown = []
        for size in [*sizes, trees]:
            grown += make(iter(range(len(grown), min(trees, len(grown) + size))))
        return grown

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


def test_weights_of_classes_are_refused_because_they_would_be_ignored() -> None:
    with pytest.raises(ValueError, match="class_weight is 'balanced'"):
        grown(at_once, RandomForestClassifier(n_estimators=2, random_state=1, class_weight="balanced"))


@pytest.mark.parametrize("cores", [1, 2, 3])
def test_each_tree_has_the_bytes_of_the_same_tree_of_scikit_learns_own_fit(cores: int) -> None:
    own = RandomForestClassifier(n_estimators=23, max_depth=4, random_state=42, n_jobs=2).fit(ROWS, OUTCOMES)
    maker = TreeMaker(clone(FOREST).set_params(n_jobs=cores), ROWS, OUTCOMES)
    assert [*maker.make(iter(range(23)))] == [pickle.dumps(tree, protocol=5) for tree in own.estimators_]
    assert [*maker.make(iter(range(5, 9)))] == [pickle.dumps(tree, protocol=5) for tree in own.estimators_[5:9]]
