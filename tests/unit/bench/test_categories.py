"""A benchmark of memory that compares with other loans, or trains nothing, would call any encoding small."""

from bench.memory.categories import SIZES, tabulate, train_once
from bench.timing.children import ProcessResult


def peaks(times: float) -> dict[tuple[int, int], list[ProcessResult]]:
    return {
        (loans, with_levels): [ProcessResult(1.0, (times if with_levels else 1.0) * 2**20, {})]
        for loans, levels in SIZES
        for with_levels in (0, levels)
    }


def test_a_category_that_takes_too_much_memory_misses_its_goal() -> None:
    assert [goal.is_met for goal in tabulate(peaks(1.5), 1).goals] == [True, True]
    assert [goal.is_met for goal in tabulate(peaks(1.6), 1).goals] == [False, False]


def test_loans_with_and_without_the_category_pass_their_checks_and_are_trained_on() -> None:
    for levels in (0, 200):
        assert train_once(1_000, levels)["roc_auc"] > 0.7
