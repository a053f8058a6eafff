"""The fairness table is read by people who decide about people, and it is made from what is most personal in the data.

Without these tests a wrong rate would clear or accuse a model, and a group of one would tell a colleague who defaulted.
"""

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from credit_assets.measurement.fairness import COLUMNS, assign_bands, compare_groups
from credit_assets.measurement.presentation import tabulate_fairness


def table(groups, outcome=None, decision=None, probability=None, attribute="sex"):
    """The rows by group; what is not given is alternating."""
    rows = len(groups)
    outcome = np.arange(rows) % 2 if outcome is None else np.array(outcome)
    decision = np.zeros(rows, bool) if decision is None else np.array(decision, bool)
    probability = np.full(rows, 0.5) if probability is None else np.array(probability)
    return {row["group"]: row for row in compare_groups({attribute: groups}, outcome, decision, probability)}


def test_two_groups_have_the_figures_of_a_count_by_hand():
    women = {
        "outcome": [1] * 2 + [0] * 8,
        "decision": [1, 0] + [1] * 3 + [0] * 5,
        "probability": [0.6, 0.2] + [0.4] * 8,
    }
    men = {"outcome": [1] * 5 + [0] * 5, "decision": [1] * 4 + [0] * 6, "probability": [0.7] * 5 + [0.3] * 5}
    rows = table(["f"] * 10 + ["m"] * 10, *(women[name] + men[name] for name in ("outcome", "decision", "probability")))
    assert rows["f"] == {
        "attribute": "sex",
        "group": "f",
        "rows": 10,
        "default_share": pytest.approx(0.2),
        "declined_share": pytest.approx(0.4),
        "true_positive_rate": pytest.approx(1 / 2),
        "false_positive_rate": pytest.approx(3 / 8),
        "mean_probability": pytest.approx((0.6 + 0.2 + 8 * 0.4) / 10),
        "roc_auc": pytest.approx(8 / 16),
        "adverse_impact_ratio": pytest.approx(1.0),
    }
    assert (rows["m"]["true_positive_rate"], rows["m"]["false_positive_rate"], rows["m"]["roc_auc"]) == (0.8, 0, 1)


def test_the_impact_ratio_is_the_approval_rate_over_that_of_the_best_group():
    rows = table(["a"] * 20 + ["b"] * 20, decision=[1] * 2 + [0] * 18 + [1] * 11 + [0] * 9)
    assert rows["a"]["adverse_impact_ratio"] == 1
    assert rows["b"]["adverse_impact_ratio"] == pytest.approx(0.45 / 0.90)


def test_each_attribute_is_compared_within_itself_and_holds_every_loan_once():
    rng = np.random.default_rng(0)
    outcome, probability = rng.integers(0, 2, 300), rng.random(300)
    groups = {
        "sex": rng.choice(["f", "m"], 300).tolist(),
        "age": assign_bands(rng.integers(18, 80, 300).tolist(), [25, 40, 60]),
    }
    rows = compare_groups(groups, outcome, probability >= 0.5, probability)
    for attribute in groups:
        own = [row for row in rows if row["attribute"] == attribute]
        assert sum(row["rows"] for row in own) == 300
        assert max(row["adverse_impact_ratio"] for row in own) == 1
    chosen = np.array(groups["sex"]) == "f"
    women = next(row for row in rows if row["group"] == "f")
    assert women["roc_auc"] == roc_auc_score(outcome[chosen], probability[chosen])


def test_what_is_not_defined_is_none_and_not_zero():
    rows = table(["repaid"] * 10 + ["defaulted"] * 10, outcome=[0] * 10 + [1] * 10, decision=[1] * 20)
    assert rows["repaid"]["true_positive_rate"] is rows["repaid"]["roc_auc"] is None
    assert rows["repaid"]["false_positive_rate"] == 1
    assert rows["defaulted"]["false_positive_rate"] is rows["defaulted"]["roc_auc"] is None
    assert rows["defaulted"]["true_positive_rate"] == 1
    assert rows["repaid"]["adverse_impact_ratio"] is None  # nobody was approved: there is no best rate


def test_ten_rows_are_a_group_and_nine_are_not():
    assert set(table(["m"] * 30 + ["f"] * 10)) == {"m", "f"}
    assert set(table(["m"] * 30 + ["f"] * 9)) == {"m, with groups of fewer than 10"}


def test_small_groups_that_are_ten_together_are_one_row_without_a_name():
    rows = table(["m"] * 30 + ["f"] * 6 + ["x"] * 5)
    assert {group: row["rows"] for group, row in rows.items()} == {"m": 30, "groups of fewer than 10": 11}
    assert rows["groups of fewer than 10"]["adverse_impact_ratio"] is None
    assert rows["m"]["adverse_impact_ratio"] == 1


def test_no_row_nor_the_difference_to_the_whole_shows_fewer_than_ten_people():
    rng = np.random.default_rng(4)
    for _ in range(50):
        sizes = rng.integers(1, 25, rng.integers(1, 7))
        groups = [f"group {each}" for each, size in enumerate(sizes) for _ in range(size)]
        if len(groups) < 10:
            continue
        rows = table(groups)
        assert all(row["rows"] >= 10 for row in rows.values())
        assert sum(row["rows"] for row in rows.values()) == len(groups)
        small = [f"group {each}" for each, size in enumerate(sizes) if size < 10]
        assert not any(name in group for name in small for group in rows)
        shown = {record.data["group"] for record in tabulate_fairness(list(rows.values())).records}
        assert not any(str(group).startswith(name) for name in small for group in shown)


def test_a_few_of_unknown_group_do_not_take_the_smaller_group_out_of_the_table():
    rows = table(["m"] * 60 + ["f"] * 20 + [None] * 3)
    assert {group: row["rows"] for group, row in rows.items()} == {"m, with groups of fewer than 10": 63, "f": 20}
    assert None not in [row["adverse_impact_ratio"] for row in rows.values()]


def test_null_and_nan_are_one_unknown_group() -> None:
    rows = table([25.0] * 20 + [None] * 12 + [float("nan")] * 12)
    assert {group: row["rows"] for group, row in rows.items()} == {"25.0": 20, "unknown": 24}


def test_of_an_attribute_with_thousands_of_groups_the_largest_are_named_and_the_rest_is_one_row_with_their_number():
    groups = [f"p{number:04d}" for number in range(2_000) for _ in range(10)] + ["large"] * 40 + [None] * 12
    outcome = np.arange(len(groups)) % 2
    table = compare_groups({"postcode": groups}, outcome, outcome == 0, outcome / 2)
    assert [row["group"] for row in table[:2]] == ["large", "p0000"]
    assert [(row["group"], row["rows"]) for row in table[50:]] == [("other groups (1,951)", 19_510), ("unknown", 12)]
    assert sum(row["rows"] for row in table) == len(groups)
    assert table[50]["adverse_impact_ratio"] is None
    fifty = [group for group in groups if group and "p" <= group < "p0050"]
    whole = compare_groups(
        {"postcode": fifty}, outcome[: len(fifty)], outcome[: len(fifty)] == 0, outcome[: len(fifty)] / 2
    )
    assert not [row for row in whole if "other groups" in row["group"]]


def test_people_of_unknown_group_are_a_row_but_never_the_measure_of_others():
    rows = table(["m"] * 20 + [None] * 20, decision=[1] * 10 + [0] * 30)
    assert rows["unknown"]["rows"] == 20
    assert rows["unknown"]["adverse_impact_ratio"] is None
    assert rows["m"]["adverse_impact_ratio"] == 1
    assert set(table(["f"] * 4 + [None] * 20)) == {"unknown, with groups of fewer than 10"}
    assert set(table(["f"] * 4 + ["m"] * 20 + [None] * 30)) == {"m, with groups of fewer than 10", "unknown"}


def test_the_largest_group_comes_first_and_the_order_of_the_rows_changes_nothing():
    rng = np.random.default_rng(1)
    groups, outcome = rng.choice(["a", "b", "c"], 200, p=[0.2, 0.5, 0.3]), rng.integers(0, 2, 200)
    probability, order = rng.random(200), rng.permutation(200)
    rows = table(groups.tolist(), outcome, probability >= 0.5, probability)
    shuffled = table(groups[order].tolist(), outcome[order], probability[order] >= 0.5, probability[order])
    assert list(rows) == list(shuffled) == ["b", "c", "a"]
    assert all(shuffled[group] == pytest.approx(rows[group]) for group in rows)


@pytest.mark.parametrize(
    ("groups", "rows", "message"),
    [(["m"] * 11, 12, r"one length; got .*'sex': 11, 'outcome': 12"), (["m"] * 9, 9, "9 loans would show persons")],
)
def test_what_can_not_be_tabled_is_refused_with_its_reason(groups, rows, message):
    with pytest.raises(ValueError, match=message):
        compare_groups({"sex": groups}, np.ones(rows), np.ones(rows), np.ones(rows))


def test_a_bound_belongs_to_the_band_that_it_opens():
    values = [18, 24.9, 25, 39, 39.5, 40, 59, 60, 99, None, float("nan")]
    assert assign_bands(values, [25, 40, 60]) == [
        *["under 25"] * 2,
        *["25 to 39"] * 3,
        *["40 to 59"] * 2,
        *["60 and over"] * 2,
        *["unknown"] * 2,
    ]


@pytest.mark.parametrize(
    ("bounds", "labels"),
    [
        ([0.5, 1.5], ["under 0.5", "0.5 to under 1.5", "1.5 and over"]),
        ([1.0, 2.0], ["under 1", "1", "2 and over"]),
        ([1_000_000, 2_500_000], ["under 1,000,000", "1,000,000 to 2,499,999", "2,500,000 and over"]),
        ([65], ["under 65", "65 and over"]),
    ],
)
def test_labels_read_as_a_person_would_say_them(bounds, labels):
    assert assign_bands([-1, *bounds], bounds) == labels


@pytest.mark.parametrize("bounds", [[], [40, 25], [25, 25], [25, float("nan")]])
def test_bounds_that_do_not_rise_are_refused(bounds):
    with pytest.raises(ValueError, match="must be numbers that rise"):
        assign_bands([30], bounds)


def test_the_table_of_the_ui_has_a_cell_for_every_figure_in_short_numbers():
    rows = table(["a|b"] * 1_200 + [None] * 300, decision=[1] * 400 + [0] * 1_100)
    shown = tabulate_fairness(list(rows.values()))
    assert [column.name for column in shown.schema.columns] == list(COLUMNS.values())
    first, second = (record.data for record in shown.records)
    assert list(first) == list(COLUMNS.values())
    assert list(first.values()) == [
        "sex",
        "a|b",
        "1,200",
        *("50.0%", "33.3%", "33.3%", "33.3%", "50.0%"),
        "0.50",
        "1.00",
    ]
    assert list(second.values())[-2:] == ["0.50", "undefined"], "an impact ratio of the unknown"
