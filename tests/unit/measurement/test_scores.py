"""Scores decide whether a model goes out and what a bank is told about it.

Without these tests a wrong formula, a NaN that breaks the JSON, or a score of something that can't be scored would be
mailed around as a fact.
"""

import json
from dataclasses import asdict

import numpy as np
import pytest
from scipy.stats import ks_2samp
from sklearn.calibration import calibration_curve
from sklearn.metrics import auc, roc_auc_score

from credit_assets.measurement.scores import Scores, compute_curves, compute_scores, format_text_report

# Ten loans, four of them defaults; at 0.5 TP 3, FN 1, FP 2, TN 4. Of the 24 pairs of a default and a repaid loan 19
# are in the right order and one is a tie.
OUTCOME = np.array([1, 1, 0, 1, 0, 1, 0, 0, 0, 0])
PROBABILITY = np.array([0.9, 0.8, 0.7, 0.6, 0.5, 0.2, 0.2, 0.1, 0.4, 0.0])


@pytest.fixture
def many() -> tuple[np.ndarray, np.ndarray]:
    """4,000 loans with a fair model, probabilities in steps of 0.01 so that there are ties."""
    rng = np.random.default_rng(7)
    probability = rng.beta(1.3, 4, 4_000).round(2)
    return (rng.random(4_000) < probability).astype("int8"), probability


def test_ten_loans_score_what_they_score_by_hand():
    scores = compute_scores(OUTCOME, PROBABILITY)
    counts = (scores.true_positives, scores.false_negatives, scores.false_positives, scores.true_negatives)
    assert counts == (3, 1, 2, 4)
    assert (scores.rows, scores.positives, scores.threshold) == (10, 4, 0.5)
    assert scores.accuracy == pytest.approx(0.7)
    assert scores.precision == pytest.approx(3 / 5)
    assert scores.recall == pytest.approx(3 / 4)
    assert scores.f1 == pytest.approx(2 * 3 / (2 * 3 + 2 + 1))
    assert scores.roc_auc == pytest.approx(19.5 / 24)
    assert scores.gini == pytest.approx(2 * 19.5 / 24 - 1)
    assert scores.ks == pytest.approx(3 / 4 - 1 / 6)
    squares = 0.01 + 0.04 + 0.49 + 0.16 + 0.25 + 0.64 + 0.04 + 0.01 + 0.16 + 0.0
    assert scores.brier == pytest.approx(squares / 10)


def test_a_probability_at_the_threshold_predicts_a_default_and_one_just_below_does_not():
    at, below = compute_scores(OUTCOME, PROBABILITY, 0.5), compute_scores(OUTCOME, PROBABILITY, np.nextafter(0.5, 1))
    assert at.false_positives == 2
    assert below.false_positives == 1


def test_the_threshold_moves_the_decisions_and_not_the_ranking():
    low, high = compute_scores(OUTCOME, PROBABILITY, 0.15), compute_scores(OUTCOME, PROBABILITY, 0.75)
    assert (low.recall, high.precision) == (1.0, 1.0)
    assert low.precision != high.precision
    assert (low.roc_auc, low.ks, low.brier) == (high.roc_auc, high.ks, high.brier)


def test_ks_is_the_two_sample_statistic_of_kolmogorov_and_smirnov(many):
    outcome, probability = many
    expected = ks_2samp(probability[outcome == 1], probability[outcome == 0]).statistic
    assert compute_scores(outcome, probability).ks == pytest.approx(expected)


def test_a_ranking_upside_down_has_the_same_ks_and_the_opposite_gini(many):
    outcome, probability = many
    upright, inverted = compute_scores(outcome, probability), compute_scores(outcome, 1 - probability)
    assert inverted.ks == pytest.approx(upright.ks)
    assert inverted.gini == pytest.approx(-upright.gini)
    assert upright.gini > 0.3


def test_a_perfect_ranking_scores_one_and_one_constant_scores_nothing():
    perfect, constant = compute_scores(OUTCOME, OUTCOME.astype(float)), compute_scores(OUTCOME, np.full(10, 0.4))
    assert (perfect.roc_auc, perfect.gini, perfect.ks, perfect.brier, perfect.f1) == (1, 1, 1, 0, 1)
    assert (constant.roc_auc, constant.gini, constant.ks) == (0.5, 0, 0)
    assert constant.brier == pytest.approx(0.4 * 0.6)


def test_a_random_ranking_scores_about_a_half():
    rng = np.random.default_rng(3)
    scores = compute_scores(rng.integers(0, 2, 20_000), rng.random(20_000))
    assert scores.roc_auc == pytest.approx(0.5, abs=0.02)
    assert scores.ks < 0.03


def test_the_order_of_the_rows_changes_nothing(many):
    outcome, probability = many
    order = np.random.default_rng(5).permutation(len(outcome))
    assert asdict(compute_scores(outcome[order], probability[order])) == pytest.approx(
        asdict(compute_scores(outcome, probability))
    )
    assert compute_curves(outcome[order], probability[order]) == compute_curves(outcome, probability)


def test_precision_without_a_predicted_default_is_undefined_and_the_other_figures_stay():
    scores = compute_scores(OUTCOME, PROBABILITY, 0.95)
    assert scores.precision is None
    assert (scores.recall, scores.f1, scores.accuracy) == (0, 0, 0.6)
    assert "Precision: undefined" in format_text_report(scores, {})
    assert "undefined" not in format_text_report(compute_scores(OUTCOME, PROBABILITY), {})


@pytest.mark.parametrize("threshold", [0.0, 0.5, 1.0])
def test_scores_and_curves_survive_json_which_knows_no_nan(many, threshold):
    scores = compute_scores(many[0], many[1], threshold)
    text = json.dumps({"scores": asdict(scores), "curves": compute_curves(*many)}, allow_nan=False)
    assert Scores(**json.loads(text)["scores"]) == scores
    assert len(text) < 5_000


@pytest.mark.parametrize(
    ("outcome", "probability", "message"),
    [
        ([0, 0, 0], [0.1, 0.2, 0.3], "both classes; all 3 rows are 0"),
        ([1, 1], [0.1, 0.2], "both classes; all 2 rows are 1"),
        ([], [], "both classes; all 0 rows are missing"),
        ([0, 1, 2], [0.1, 0.2, 0.3], "outcome must be 0 or 1; 1 of 3"),
        ([0, 1, np.nan], [0.1, 0.2, 0.3], "outcome must be 0 or 1; 1 of 3"),
        ([0, 1, 1], [0.1, np.nan, np.nan], "within 0 to 1; 2 of 3"),
        ([0, 1], [0.1, 1.0000001], "within 0 to 1; 1 of 2"),
        ([0, 1], [-0.1, np.inf], "within 0 to 1; 2 of 2"),
        ([0, 1, 1], [0.1, 0.2], r"one length.*\(3,\) and \(2,\)"),
        ([[0, 1]], [[0.1, 0.2]], "one length"),
    ],
)
def test_what_can_not_be_scored_is_refused_with_its_reason(outcome, probability, message):
    for refusing in (compute_scores, compute_curves):
        with pytest.raises(ValueError, match=message):
            refusing(np.array(outcome), np.array(probability))


def test_the_stored_roc_curve_is_short_and_keeps_the_area_and_the_point_of_ks():
    rng = np.random.default_rng(7)
    probability = rng.beta(1.3, 4, 4_000)  # no ties: the full curve has about a thousand points
    outcome = (rng.random(4_000) < probability).astype("int8")
    roc, scores = compute_curves(outcome, probability)["roc"], compute_scores(outcome, probability)
    false_positive_rate, true_positive_rate = np.array(roc["false_positive_rate"]), np.array(roc["true_positive_rate"])
    assert len(false_positive_rate) == len(true_positive_rate) <= 101
    assert (false_positive_rate[0], true_positive_rate[0]) == (0, 0)
    assert (false_positive_rate[-1], true_positive_rate[-1]) == (1, 1)
    assert auc(false_positive_rate, true_positive_rate) == pytest.approx(scores.roc_auc, abs=1e-3)
    assert (true_positive_rate - false_positive_rate).max() == pytest.approx(scores.ks, abs=2e-6)


def test_calibration_agrees_with_scikit_learn_and_counts_every_loan_once(many):
    outcome, probability = many
    calibration = compute_curves(outcome, probability)["calibration"]
    observed, predicted = calibration_curve(outcome, probability, n_bins=10, strategy="quantile")
    assert [each["observed"] for each in calibration] == pytest.approx(observed, abs=1e-6)
    assert [each["predicted"] for each in calibration] == pytest.approx(predicted, abs=1e-6)
    assert sum(each["rows"] for each in calibration) == len(outcome)


def test_a_model_that_always_says_the_same_has_one_calibration_bin():
    calibration = compute_curves(OUTCOME, np.full(10, 0.25))["calibration"]
    assert calibration == [{"predicted": 0.25, "observed": 0.4, "rows": 10}]


def test_the_text_starts_with_the_lines_that_people_and_scripts_expect():
    head = (
        "Model Performance Metrics\n"
        "========================\n"
        "Accuracy: 0.7000\n"
        "Precision: 0.6000\n"
        "Recall: 0.7500\n"
        "F1 Score: 0.6667\n"
        "\n"
    )
    assert format_text_report(compute_scores(OUTCOME, PROBABILITY), {}).startswith(head)


def test_the_text_holds_every_figure_and_fact_aligned_and_fits_on_a_screen():
    facts = {f"{name} sha256": "e3" * 32 for name in ("trained model", "test split", "dataset content")}
    text = format_text_report(compute_scores(OUTCOME, PROBABILITY), facts | {"run": "4f1c"})
    head, figures, stated = text.split("\n\n")
    assert len(text.splitlines()) < 40
    assert stated.count("e3" * 32) == 3
    for figure in ("0.8125", "0.6250", "0.5833", "0.1800", "4 (40.0%)"):
        assert figure in figures
        assert figure not in head
    indented = [line.partition(":") for line in f"{figures}\n{stated}".splitlines()]
    starts = {len(label) + 1 + len(value) - len(value.lstrip()) for label, _, value in indented}
    assert starts == {len("dataset content sha256: ")}


def test_auc_is_the_one_of_scikit_learn(many):
    assert compute_scores(*many).roc_auc == roc_auc_score(*many)
