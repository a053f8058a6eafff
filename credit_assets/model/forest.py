"""A random forest tree by tree: the same trees as of one fit, in whatever blocks they were grown.

Each tree is a pickle of its own, so that the forest put together from them has the same bytes wherever it was
interrupted; equal trees in another grouping are not yet equal bytes (object identities in the pickle's memo).
"""

import pickle
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from sklearn.ensemble import RandomForestClassifier

# Given how many trees there are to be, and what grows those from one number up to another: all of them, in order.
Grow = Callable[[int, Callable[[int, int], list[bytes]]], list[bytes]]


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

    def between(first: int, last: int) -> list[bytes]:
        shard = clone(forest).set_params(warm_start=True, n_estimators=last)
        # A fit that finds so many trees draws their seeds, and grows those behind them.
        shard.estimators_ = [None] * first
        return [pickle.dumps(tree, protocol=5) for tree in shard.fit(rows, outcomes).estimators_[first:]]

    trees = grow(forest.n_estimators, between)
    fitted = clone(forest).set_params(n_estimators=1).fit(rows, outcomes)
    fitted.estimators_ = [pickle.loads(tree) for tree in trees]  # noqa: S301 - as trusted as the store (decision 0012)
    return fitted.set_params(n_estimators=forest.n_estimators)
