"""A random forest tree by tree: the same trees as one fit grows, however they are divided into blocks.

Each tree is a pickle of its own. So the forest that is put together from them has the same bytes wherever it was
interrupted: a pickle of several trees would depend on which of them share an object.
"""

import pickle
from functools import partial
from typing import TYPE_CHECKING

from credit_assets.model.growth import Grow

if TYPE_CHECKING:
    import numpy as np
    from sklearn.ensemble import RandomForestClassifier


def grow_trees(
    forest: "RandomForestClassifier", rows: "np.ndarray", outcomes: "np.ndarray", start: int, stop: int
) -> list[bytes]:
    """Trees start … stop - 1 of the forest, each as a pickle.

    Args:
        forest: unfitted; its random_state is an int.
        rows: shape (rows, features).
        outcomes: shape (rows,).
        start: the first tree.
        stop: behind the last one.

    Source: `RandomForestClassifier(warm_start=True)` of scikit-learn, which grows the trees that are missing.
    """
    from sklearn.base import clone

    part = clone(forest).set_params(warm_start=True, n_estimators=stop)
    # A fit that finds so many trees draws their seeds without using them, and grows the trees behind them.
    part.estimators_ = [None] * start
    return [pickle.dumps(tree, protocol=5) for tree in part.fit(rows, outcomes).estimators_[start:]]


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
        ValueError: random_state is not an int.
    """
    from sklearn.base import clone

    if not isinstance(forest.random_state, int):
        raise ValueError(f"random_state is {forest.random_state!r}: expected an int, so that trees can be grown again")

    trees = grow(forest.n_estimators, partial(grow_trees, forest, rows, outcomes))
    # A fit of one tree sets what scikit-learn learns beside the trees (classes_, n_features_in_, …), with its own names
    # and in its own order, on which the bytes of the artifact depend. Its tree is then replaced.
    fitted = clone(forest).set_params(n_estimators=1).fit(rows, outcomes)
    fitted.estimators_ = [pickle.loads(tree) for tree in trees]  # noqa: S301 - as trusted as the store (decision 0012)
    return fitted.set_params(n_estimators=forest.n_estimators)
