"""Gradient boosting one tree at a time: the same trees as one fit makes, however they are divided into blocks.

Each tree is a pickle of its own, as in a forest (`forest`). It corrects all trees before it, so it can't be made
without them, and other runs can't help.

Belongs here: whatever reads or writes an attribute that is private to scikit-learn (decision 0019).
"""

import pickle
import time
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import TYPE_CHECKING

from credit_assets.model.growth import Growth
from resources.store.blocks.pace import NOTICE_SECONDS, choose_size

if TYPE_CHECKING:
    import numpy as np
    from sklearn.ensemble import HistGradientBoostingClassifier


class Boosting:
    """Makes trees from those before them, and keeps what scikit-learn would compute anew at the begin of every fit.

    That is the binned rows, and the sum of all trees for each row. Both take longer than a tree.

    Args:
        boosting: unfitted; without early stopping, and its random_state is an int.
        rows: shape (rows, features).
        outcomes: shape (rows,).
    """

    def __init__(self, boosting: "HistGradientBoostingClassifier", rows: "np.ndarray", outcomes: "np.ndarray") -> None:
        from sklearn.base import clone

        self._model = clone(boosting).set_params(warm_start=True)
        self._rows, self._outcomes = rows, outcomes
        self._made: list[bytes] = []
        self._mapper = self._binned = self._sums = None
        self._model._bin_data, self._model._raw_predict = self._bin_once, self._sum_up

    def go_on(self, numbers: Iterator[int], earlier: Sequence[bytes]) -> Iterator[bytes]:
        """The trees of the numbers, each as a pickle. Small trees are made several at a time, because a fit takes long.

        Args:
            numbers: they follow each other.
            earlier: the trees before the first one.
        """
        trees, size = [*earlier], 1
        while batch := [*islice(numbers, size)]:
            began = time.monotonic()
            made = self.make(batch[0], batch[-1] + 1, trees)
            size = choose_size(len(made), time.monotonic() - began, NOTICE_SECONDS)
            trees += made
            yield from made

    def make(self, start: int, stop: int, earlier: Sequence[bytes]) -> list[bytes]:
        """Trees start … stop - 1, each as a pickle.

        Args:
            start: the first tree.
            stop: behind the last one.
            earlier: the trees before the first.
        """
        model = self._model
        if earlier and not hasattr(model, "train_score_"):
            # A fit of one tree sets what scikit-learn learns beside the trees. Its tree is then replaced.
            model.set_params(max_iter=1).fit(self._rows, self._outcomes)
        if self._made != [*earlier]:
            model._predictors = [pickle.loads(each) for each in earlier]  # noqa: S301 - as trusted as the store (0012)
            self._made, self._sums = [*earlier], None
        model.set_params(max_iter=stop).fit(self._rows, self._outcomes)
        new = [pickle.dumps(each, protocol=5) for each in model._predictors[start:]]
        self._made += new
        return new

    def _bin_once(self, *rows: object, **how: object) -> "np.ndarray":
        if self._binned is None:
            self._binned = type(self._model)._bin_data(self._model, *rows, **how)
            self._mapper = self._model._bin_mapper
        self._model._bin_mapper = self._mapper
        return self._binned

    def _sum_up(self, binned: "np.ndarray", n_threads: int) -> "np.ndarray":
        if self._sums is None:
            self._sums = type(self._model)._raw_predict(self._model, binned, n_threads)
        return self._sums  # the fit adds its trees to it


def grow_boosting(
    boosting: "HistGradientBoostingClassifier", rows: "np.ndarray", outcomes: "np.ndarray", growth: Growth
) -> "HistGradientBoostingClassifier":
    """The fitted boosting. The number of threads is no part of it.

    Args:
        boosting: unfitted; without early stopping, because a tree must not depend on later ones.
        rows: shape (rows, features).
        outcomes: shape (rows,).
        growth: calls back for the trees that it does not have.

    Raises:
        ValueError: random_state is not an int, or early_stopping is not False.
    """
    from sklearn.base import clone

    if not isinstance(boosting.random_state, int) or boosting.early_stopping is not False:
        raise ValueError(
            f"random_state is {boosting.random_state!r} and early_stopping is {boosting.early_stopping!r}: expected an "
            "int and False, so that trees can be made again"
        )
    trees = growth.chain(boosting.max_iter, Boosting(boosting, rows, outcomes).go_on)
    # As for a forest: a fit of one tree sets what scikit-learn learns beside the trees. Its tree is then replaced.
    fitted = clone(boosting).set_params(max_iter=1).fit(rows, outcomes)
    fitted._predictors = [pickle.loads(tree) for tree in trees]  # noqa: S301 - as above
    fitted._bin_mapper.n_threads = 1
    return fitted.set_params(max_iter=boosting.max_iter)


def sum_gains(boosting: "HistGradientBoostingClassifier") -> "np.ndarray":
    """How much the splits on each encoded number lowered the loss, over all trees; sums to 1. Shape (features,)."""
    import numpy as np

    gains = np.zeros(boosting.n_features_in_)
    for tree in (tree for trees in boosting._predictors for tree in trees):
        splits = tree.nodes[~tree.nodes["is_leaf"].astype(bool)]
        np.add.at(gains, splits["feature_idx"], splits["gain"])
    return gains / total if (total := gains.sum()) else gains
