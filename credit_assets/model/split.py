"""The split: which loans a model learns from, and which are kept for its test.

Belongs here: row numbers of a dataset, and the parts of a stored test split. Does not belong here: what is fitted
(`pipeline`), and what is measured.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from credit_assets.loans.columns import find_loans_with_outcome, select_outcomes
from credit_assets.model.pipeline import TrainingConfig
from credit_assets.settings.file import Settings
from resources.errors import PlatformError

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

# The fact of a test split by time. Without it, all of its loans were drawn by lot.
OUT_OF_TIME = "out_of_time"


class SplitError(PlatformError, ValueError):
    """The loans can't be divided as the settings say: which part lacks what, and what to do."""


@dataclass(frozen=True)
class Split:
    """Row numbers of a dataset, rising, without a common one. Loans without an outcome are in no part.

    Attributes:
        training: what the model learns from.
        test: what it is judged by: drawn by lot, or the newest loans.
        random_test: beside the newest loans, some of the older ones, drawn by lot. None if `test` is drawn by lot.
    """

    training: "np.ndarray"
    test: "np.ndarray"
    random_test: "np.ndarray | None" = None

    @property
    def held_out(self) -> "np.ndarray":
        """The rows of the stored test split, in its order: those of `test`, then those of `random_test`."""
        import numpy as np

        return self.test if self.random_test is None else np.concatenate([self.test, self.random_test])

    @property
    def facts(self) -> dict[str, Any]:
        """What the manifest of the test split says of its parts."""
        rows = {"rows": len(self.held_out)}
        return rows if self.random_test is None else rows | {OUT_OF_TIME: len(self.test)}


def cut_test_split(stored: "pa.Table", facts: Mapping[str, Any]) -> tuple["pa.Table", "pa.Table | None"]:
    """The parts `test` and `random_test` of a stored test split.

    Args:
        stored: its rows.
        facts: those of its manifest.
    """
    newest = facts.get(OUT_OF_TIME)
    return (stored, None) if newest is None else (stored.slice(0, newest), stored.slice(newest))


def split_rows(loans: "pa.Table", settings: Settings, config: TrainingConfig) -> Split:
    """Divides the loans that have an outcome: by lot, or first by time and then the older ones by lot.

    Raises:
        SplitError: a class has too few loans to be in both parts.
    """
    import numpy as np

    rows = find_loans_with_outcome(loans, settings)
    if settings.split.by == "random":
        return Split(*_draw(rows, loans, settings, config))
    newest = _find_newest(rows, loans, settings, config.test_share)
    training, random_test = _draw(np.setdiff1d(rows, newest), loans, settings, config)
    return Split(training, newest, random_test)


def _find_newest(rows: "np.ndarray", loans: "pa.Table", settings: Settings, share: float) -> "np.ndarray":
    """The newest loans; of those that were created at one time, the ones with the greatest ids."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    table = settings.table
    times = pa.table({"created_at": loans.column(table.created_at), "id": loans.column(table.id)}).take(rows)
    order = pc.sort_indices(times, [("created_at", "ascending"), ("id", "ascending")]).to_numpy()
    return np.sort(rows[order[len(rows) - math.ceil(share * len(rows)) :]])


def _draw(
    rows: "np.ndarray", loans: "pa.Table", settings: Settings, config: TrainingConfig
) -> tuple["np.ndarray", "np.ndarray"]:
    """Training and test by lot, both with the classes in the shares that they have in these rows."""
    import numpy as np
    from sklearn.model_selection import train_test_split

    outcomes = select_outcomes(loans.select([settings.target.column]).take(rows), settings)
    rarer = min(int(outcomes.sum()), len(rows) - int(outcomes.sum()))
    if rarer < 2:
        older = " older" if settings.split.by == "time" else ""
        raise SplitError(
            f"of {len(rows):,}{older} loans with an outcome, {rarer} are of the rarer class; expected at least 2, one "
            "for each part of the random split. Wait for more loans, or lower test_share in the config of training"
        )
    training, test = train_test_split(
        rows, test_size=config.test_share, random_state=config.random_state, stratify=outcomes
    )
    return np.sort(training), np.sort(test)
