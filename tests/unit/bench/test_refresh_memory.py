"""A benchmark that forgets the step with the highest peak would say that a run fits into its pod."""

from bench.memory.refresh import LIMIT_MIB, STEPS, list_kinds, tabulate
from bench.timing.children import ProcessResult


def peaks(highest: float) -> list[ProcessResult]:
    return [ProcessResult(1.0, 1.0, dict.fromkeys(STEPS, 100.0) | {"training": highest})]


def test_one_step_above_the_limit_of_the_pod_misses_the_goal() -> None:
    assert [goal.is_met for goal in tabulate(peaks(LIMIT_MIB), 1_000, 1).goals] == [True]
    assert [goal.is_met for goal in tabulate(peaks(LIMIT_MIB + 1), 1_000, 1).goals] == [False]
    assert [row.what for row in tabulate(peaks(1.0), 1_000, 1).rows] == list(STEPS)


def test_a_fifth_of_the_features_are_categories() -> None:
    kinds = list(list_kinds(50).values())
    assert (len(kinds), kinds.count("category"), kinds.count("integer")) == (50, 10, 10)
