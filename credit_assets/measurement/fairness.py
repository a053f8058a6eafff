"""How the model treats groups of people: a table of figures by personal attribute, for people to look at.

It gives no verdict. Nothing here is used to train, choose or promote a model, and no person can be read off it.
"""

from bisect import bisect_right
from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from credit_assets.measurement.figures import format_figure

if TYPE_CHECKING:
    import numpy as np

SMALLEST_GROUP = 10
# An attribute with thousands of groups would make a table that nobody reads, and an event that nobody can load.
MOST_GROUPS = 50
SMALL = f"groups of fewer than {SMALLEST_GROUP}"
UNKNOWN = "unknown"
UNNAMED = {SMALL, UNKNOWN, f"{UNKNOWN}, with {SMALL}"}
REST = "other groups ("

COLUMNS = {
    "attribute": "attribute",
    "group": "group",
    "rows": "rows",
    "default_share": "defaulted",
    "declined_share": "declined",
    "true_positive_rate": "TPR",
    "false_positive_rate": "FPR",
    "mean_probability": "mean predicted",
    "roc_auc": "AUC",
    "adverse_impact_ratio": "impact ratio",
}
PERCENT = {"default_share", "declined_share", "true_positive_rate", "false_positive_rate", "mean_probability"}
NOTE = (
    "Impact ratio: approval rate of the group over that of the named group with the highest; a figure, not a verdict. "
    f"Groups of fewer than {SMALLEST_GROUP} rows are shown together, with the largest group if they are still fewer. "
    f"Of more than {MOST_GROUPS} groups, all but the {MOST_GROUPS} largest are one row, with their number."
)


def compare_groups(
    attribute_groups: Mapping[str, Sequence[str | None]],
    outcome: "np.ndarray",
    decision: "np.ndarray",
    probability: "np.ndarray",
) -> list[dict[str, Any]]:
    """A row for each group of each attribute, the largest group first; None where a figure is not defined.

    A group of fewer than 10 rows would show persons. Small groups become one, `groups of fewer than 10`. If that has
    fewer than 10 rows itself it joins the largest group, whose figures it hardly moves: left out, it would still show
    as the difference between the other groups and the whole. Of more than 50 groups, the smallest become one row.

    Args:
        attribute_groups: for each attribute the group of each loan, None or NaN where it is not known.
        outcome: 1 for a loan that defaulted, else 0; shape (rows,).
        decision: true for a loan that is predicted to default and so declined; shape (rows,).
        probability: the predicted probability of default; shape (rows,).

    Returns:
        The keys of `COLUMNS`. `adverse_impact_ratio` is the approval rate of the group over that of the named group
        with the highest: the ratio of the four-fifths rule of 29 CFR 1607.4(D), which is about hiring; here it is a
        figure to look at and no legal test. None for small groups and the unknown, who are not one group.

    Raises:
        ValueError: lengths differ, or there are fewer than 10 loans.
    """
    lengths = {name: len(groups) for name, groups in attribute_groups.items()}
    lengths |= {"outcome": len(outcome), "decision": len(decision), "probability": len(probability)}
    if len(set(lengths.values())) > 1:
        raise ValueError(f"attributes, outcome, decision and probability must be of one length; got {lengths}")
    if len(outcome) < SMALLEST_GROUP:
        raise ValueError(
            f"a fairness table of {len(outcome)} loans would show persons; expected at least {SMALLEST_GROUP}: "
            "test on more loans"
        )
    return [
        row
        for name, groups in attribute_groups.items()
        for row in _attribute(name, _join_rest(_hide_small(groups)), outcome, decision, probability)
    ]


def _hide_small(groups: Sequence[str | None]) -> list[str]:
    named = [UNKNOWN if group is None or group != group else str(group) for group in groups]
    counts = Counter(named)
    small = {group for group, rows in counts.items() if rows < SMALLEST_GROUP}
    if not small:
        return named
    if sum(counts[group] for group in small) >= SMALLEST_GROUP:
        return [SMALL if group in small else group for group in named]
    host = max(counts.keys() - small, key=lambda group: (group != UNKNOWN, counts[group], group))
    return [f"{host}, with {SMALL}" if group in {host, *small} else group for group in named]


def _join_rest(groups: list[str]) -> list[str]:
    counts = Counter(group for group in groups if not _is_unnamed(group))
    largest_first = sorted(counts, key=lambda group: (-counts[group], group))
    rest = set(largest_first[MOST_GROUPS:])
    joined = f"{REST}{len(rest):,})"
    return [joined if group in rest else group for group in groups]


def _is_unnamed(group: str) -> bool:
    return group in UNNAMED or group.startswith(REST)


def _attribute(
    name: str, groups: list[str], outcome: "np.ndarray", decision: "np.ndarray", probability: "np.ndarray"
) -> list[dict[str, Any]]:
    import numpy as np
    from sklearn.metrics import roc_auc_score

    labels, rows = np.array(groups), []
    for group, count in sorted(Counter(groups).items(), key=lambda item: (_is_unnamed(item[0]), -item[1], item[0])):
        chosen = labels == group
        defaulted, declined, predicted = outcome[chosen] == 1, decision[chosen].astype(bool), probability[chosen]
        mixed = bool(defaulted.any() and not defaulted.all())
        rows.append(
            {
                "attribute": name,
                "group": group,
                "rows": count,
                "default_share": float(defaulted.mean()),
                "declined_share": float(declined.mean()),
                "true_positive_rate": float(declined[defaulted].mean()) if defaulted.any() else None,
                "false_positive_rate": None if defaulted.all() else float(declined[~defaulted].mean()),
                "mean_probability": float(predicted.mean()),
                "roc_auc": float(roc_auc_score(defaulted, predicted)) if mixed else None,
            }
        )
    approved = {row["group"]: 1 - row["declined_share"] for row in rows if not _is_unnamed(row["group"])}
    best = max(approved.values(), default=0)
    return [
        row | {"adverse_impact_ratio": approved[row["group"]] / best if row["group"] in approved and best else None}
        for row in rows
    ]


def assign_bands(values: Sequence[float | None], bounds: Sequence[float]) -> list[str]:
    """The band of each value: `under 25`, `25 to 39`, `40 to 59`, `60 and over` for the bounds 25, 40 and 60.

    Each lower bound belongs to its band. Whole bounds count completed units, as ages do: 39.5 is in `25 to 39`.
    A missing value is `unknown`.

    Raises:
        ValueError: there is no bound, or bounds don't rise.
    """
    if not bounds or not all(low < high for low, high in pairwise(bounds)):
        raise ValueError(f"bands of a personal attribute must be numbers that rise; got {list(bounds)}")
    labels = [f"under {_plain(bounds[0])}", *map(_between, bounds, bounds[1:]), f"{_plain(bounds[-1])} and over"]
    return [UNKNOWN if value is None or value != value else labels[bisect_right(bounds, value)] for value in values]


def _between(low: float, high: float) -> str:
    if low % 1 or high % 1:
        return f"{_plain(low)} to under {_plain(high)}"
    return _plain(low) if high - low == 1 else f"{_plain(low)} to {_plain(high - 1)}"


def _plain(bound: float) -> str:
    return f"{bound:,.12g}"


def shorten(key: str, value: Any) -> str:
    """A figure of the table in short, for people; "undefined" without a value.

    Args:
        key: the column, one of `COLUMNS`.
        value: what `compare_groups` gives for it.
    """
    if value is None or isinstance(value, float):
        return format_figure(value, ".1%" if key in PERCENT else ".2f")
    return f"{value:,}" if isinstance(value, int) else str(value)
