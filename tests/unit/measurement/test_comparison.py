"""Out of time a model does worse: a reader who sees one figure alone does not know which one it is."""

from dataclasses import asdict, replace
from typing import Any

import numpy as np

from credit_assets.measurement.comparison import compare_splits, format_splits
from credit_assets.measurement.presentation import describe_splits
from credit_assets.measurement.scores import compute_scores

OUTCOME = np.array([0, 1] * 50)
NEWEST = compute_scores(OUTCOME, np.where(np.arange(100) % 3 == 0, 1 - OUTCOME, OUTCOME) * 0.8 + 0.1)
DRAWN = replace(NEWEST, rows=1_200, positives=300, roc_auc=0.87654, precision=None)


def measured(*, by_time: bool) -> dict[str, Any]:
    return {"scores": asdict(NEWEST)} | ({"random_split": {"scores": asdict(DRAWN)}} if by_time else {})


def test_every_figure_stands_beside_that_of_the_random_split() -> None:
    rows = {title: (newest, drawn) for title, newest, drawn in compare_splits(measured(by_time=True))}
    assert rows["ROC AUC"] == (f"{NEWEST.roc_auc:.4f}", "0.8765")
    assert rows["Precision"] == (f"{NEWEST.precision:.4f}", "undefined")
    assert rows["Rows"] == ("100", "1,200")
    assert rows["Defaults"] == ("50", "300")
    assert len(rows) == 10


def test_the_text_says_which_column_is_which() -> None:
    text = format_splits(measured(by_time=True))
    heading, first, *_ = text.strip("\n").splitlines()
    assert heading.split("  ")[-1].strip() == "random"
    assert "out of time" in heading
    assert first.split() == ["ROC", "AUC", f"{NEWEST.roc_auc:.4f}", "0.8765"]
    assert heading.index("random") + len("random") == len(first), "figures stand below their heading"


def test_the_page_shows_both_and_draws_the_random_figure_as_a_line() -> None:
    shown = describe_splits(measured(by_time=True))
    assert shown["random_roc_auc"] == 0.8765
    table = shown["out of time and random"]
    assert [column.name for column in table.schema.columns] == ["figure", "out of time", "random"]
    assert table.records[0].data == {
        "figure": "ROC AUC",
        "out of time": f"{NEWEST.roc_auc:.4f}",
        "random": "0.8765",
    }


def test_a_random_split_alone_has_nothing_beside_it() -> None:
    assert compare_splits(measured(by_time=False)) == []
    assert format_splits(measured(by_time=False)) == ""
    assert describe_splits(measured(by_time=False)) == {}
