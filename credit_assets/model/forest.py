"""A random forest tree by tree: the same trees as one fit grows, however they are divided into blocks.

Each tree is a pickle of its own. So the forest that is put together from them has the same bytes wherever it was
interrupted: a pickle of several trees would depend on which of them share an object.

Belongs here: whatever of a forest is private to scikit-learn (decision 0012).
"""

import pickle
from collections.abc import Iterator
from typing import TYPE_CHECKING

from credit_assets.model.growth import Grow
from resources.store.blocks.side_by_side import make_side_by_side

if TYPE_CHECKING:
    import numpy as np
    from sklearn.ensemble import RandomForestClassifier


class TreeMaker:
    """Grows any trees of a forest, on as many cores as the forest may use.

    A fit of scikit-learn checks all rows again and waits for its last tree. So each tree is grown by the function that
    a fit calls, from what a fit gives to it.

    Args:
        forest: unfitted; its random_state is an int, and it has no class_weight.
        rows: shape (rows, features), numbers of 32 bits.
        outcomes: shape (rows,).

    Attributes:
        fitted: the forest with one tree, and with all that scikit-learn learns beside the trees.
    """

    fitted: "RandomForestClassifier"

    def __init__(self, forest: "RandomForestClassifier", rows: "np.ndarray", outcomes: "np.ndarray") -> None:
        import numpy as np
        from sklearn.base import clone

        self._rows, self._at_once = np.asarray(rows, dtype=np.float32), forest.n_jobs or 1
        self.fitted = clone(forest).set_params(n_estimators=1).fit(rows, outcomes)
        self._classes = np.searchsorted(self.fitted.classes_, outcomes).astype(np.float64).reshape(-1, 1)
        self._missing = self.fitted.estimator_._compute_missing_values_in_feature_mask(self._rows)
        # The seeds that a fit draws for its trees, one for each.
        draw = np.random.RandomState(forest.random_state)
        self._seeds = draw.randint(np.iinfo(np.int32).max, size=forest.n_estimators)

    def make(self, numbers: Iterator[int]) -> Iterator[bytes]:
        """The trees of the numbers, each as a pickle."""
        return make_side_by_side(self._make_one, numbers, self._at_once)

    def _make_one(self, number: int) -> bytes:
        from sklearn.ensemble._forest import _parallel_build_trees

        forest = self.fitted
        tree = forest._make_estimator(append=False).set_params(random_state=int(self._seeds[number]))
        _parallel_build_trees(
            tree,
            forest.bootstrap,
            self._rows,
            self._classes,
            None,
            number,
            forest.n_estimators,
            n_samples_bootstrap=forest._n_samples_bootstrap,
            missing_values_in_feature_mask=self._missing,
        )
        return pickle.dumps(tree, protocol=5)


def grow_forest(
    forest: "RandomForestClassifier", rows: "np.ndarray", outcomes: "np.ndarray", grow: Grow
) -> "RandomForestClassifier":
    """The fitted forest.

    Args:
        forest: unfitted; its random_state must be an int, or two blocks would not belong to one forest.
        rows: shape (rows, features).
        outcomes: shape (rows,).
        grow: calls back for the trees that it does not have.

    Raises:
        ValueError: random_state is not an int, or the classes have weights.
    """
    if not isinstance(forest.random_state, int) or forest.class_weight is not None:
        raise ValueError(
            f"random_state is {forest.random_state!r} and class_weight is {forest.class_weight!r}: expected an int and "
            "None, so that trees can be grown again"
        )
    trees = TreeMaker(forest, rows, outcomes)
    grown = grow(forest.n_estimators, trees.make)
    # What scikit-learn learns beside the trees (classes_, n_features_in_, …) is set by its own fit of one tree, in its
    # own order, on which the bytes of the artifact depend. That tree is replaced.
    fitted = trees.fitted
    fitted.estimators_ = [pickle.loads(tree) for tree in grown]  # noqa: S301 - as trusted as the store (decision 0012)
    return fitted.set_params(n_estimators=forest.n_estimators)
