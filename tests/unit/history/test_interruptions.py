"""Whoever pays for nodes believes what a loss cost: no loss may be hidden, and none counted that was none."""

from dataclasses import replace

import dagster as dg
import pytest

from resources.history.attempt import Attempt, InterruptionKind, find_interruption
from resources.history.interruptions import count_work_lost, find_interruptions, find_percentile
from resources.history.tags import CRASHED

WELL = Attempt("root", "root", requested=0, began=True, first_step=4, ended=True)
# Began at 3, its step at 4, two blocks; last renewal at 20, failed at 29.
LOST = replace(
    WELL,
    interruption=InterruptionKind.LOST,
    failed=29,
    lost_at=20,
    last_sign=18,
    kept=(3, 4, 15, 18),
    node="spot-1",
    spot=True,
)
NOTICED = replace(LOST, interruption=InterruptionKind.NOTICE, failed=21, lost_at=None, last_sign=21)
CRASHED_ONE = replace(LOST, interruption=InterruptionKind.CRASH, failed=25, lost_at=None)


def retry(number: int, requested: float, like: Attempt = WELL) -> Attempt:
    """An attempt that was requested then, and started its step 5 s later."""
    return replace(like, run=f"retry {number}", requested=requested, first_step=requested + 5)


def test_a_run_that_kept_its_worker_has_no_interruption() -> None:
    assert find_interruptions([WELL]) == []
    by_itself = replace(WELL, failed=20, own_step_failed=True)
    assert find_interruptions([by_itself, retry(1, 30)]) == [], "it failed by its own step, and a person repeated it"


def test_a_loss_without_notice_counts_from_the_last_renewal_of_its_lease() -> None:
    (found,) = find_interruptions([LOST, retry(1, 30)])
    assert (found.run, found.root_run, found.node, found.spot) == ("root", "root", "spot-1", True)
    assert found.kind is InterruptionKind.LOST
    assert (found.when, found.detected_after, found.running_again_after) == (20, 9, 15)
    assert (found.work_lost, found.start_up, found.cost) == (2, 5, 7)


def test_a_worker_that_had_notice_noticed_it_at_once_and_lost_the_work_after_its_last_block() -> None:
    (found,) = find_interruptions([NOTICED, retry(1, 22)])
    assert found.kind is InterruptionKind.NOTICE
    assert (found.when, found.detected_after, found.running_again_after, found.work_lost) == (21, 0, 6, 3)


def test_nobody_sees_a_crash_so_both_figures_are_the_worse_ones() -> None:
    (found,) = find_interruptions([CRASHED_ONE, retry(1, 26)])
    assert found.kind is InterruptionKind.CRASH
    assert (found.when, found.detected_after, found.running_again_after) == (18, 7, 13), "from its last event"
    assert found.work_lost == 7, "up to its failure"


def test_a_loss_without_a_lease_counts_like_a_crash_and_is_none() -> None:
    (found,) = find_interruptions([replace(CRASHED_ONE, interruption=InterruptionKind.LOST), retry(1, 26)])
    assert (found.kind, found.when) == (InterruptionKind.LOST, 18)


def test_a_worker_that_left_no_sign_is_lost_since_it_was_requested() -> None:
    silent = replace(CRASHED_ONE, requested=2, last_sign=None, kept=())
    (found,) = find_interruptions([silent, retry(1, 26)])
    assert (found.when, found.detected_after, found.work_lost) == (2, 23, 0)


def test_each_of_a_chain_has_its_own_next_start_and_runs_again_in_the_first_attempt_that_started_a_step() -> None:
    second = replace(retry(1, 30, LOST), first_step=None, lost_at=33, failed=41, kept=(32,), node=None)
    third = replace(retry(2, 42, NOTICED), failed=50, kept=(45, 47))
    chain = find_interruptions([LOST, second, third, retry(3, 51)])
    assert [each.run for each in chain] == ["root", "retry 1", "retry 2"]
    assert [each.running_again_after for each in chain] == [27, 14, 6]
    assert [each.start_up for each in chain] == [0, 5, 5], "the second attempt never started a step"
    assert [each.work_lost for each in chain] == [2, 1, 3]


def test_a_run_that_never_ran_again_is_counted() -> None:
    for group in ([LOST], [LOST, Attempt("retry 1", "root", requested=30)]):
        (found,) = find_interruptions(group)
        assert found.running_again_after is None
        assert found.cost == 2
    assert find_percentile([1, 2, None], 0.95) is None
    assert find_percentile([1, 2, None], 0.5) == 2


def test_clocks_that_differ_make_no_time_negative() -> None:
    ahead = replace(LOST, lost_at=60)
    (found,) = find_interruptions([ahead, retry(1, 30)])
    assert (found.detected_after, found.running_again_after) == (0, 0)
    late = replace(retry(1, 50), first_step=45)
    assert find_interruptions([LOST, late])[0].start_up == 0


def test_work_that_was_kept_after_the_interruption_belongs_to_another_attempt() -> None:
    assert count_work_lost(20, [3, 18, 25]) == 2
    assert count_work_lost(20, []) == count_work_lost(20, [25]) == 0


def test_a_percentile_is_a_value_that_was_measured() -> None:
    hundred = [float(each) for each in range(1, 101)]
    assert (find_percentile(hundred, 0.5), find_percentile(hundred, 0.95)) == (50, 95)
    assert find_percentile([7.0], 0.5) == find_percentile([7.0], 0.95) == 7
    assert find_percentile([], 0.5) is None


@pytest.mark.parametrize(
    ("began", "lost_at", "tags", "own", "expected"),
    [
        (True, 20.0, {}, False, InterruptionKind.LOST),
        (False, 20.0, {}, False, InterruptionKind.LOST),
        (True, None, {"dagster/failure_reason": "UNEXPECTED_TERMINATION"}, False, InterruptionKind.NOTICE),
        (True, None, {CRASHED: "its own id"}, False, InterruptionKind.CRASH),
        (True, None, {CRASHED: "its parent's"}, False, InterruptionKind.LOST),
        (True, None, {"dagster/failure_reason": "STEP_FAILURE"}, True, None),
        (True, 20.0, {"dagster/failure_reason": "STEP_FAILURE"}, True, None),
        (True, None, {"dagster/failure_reason": "STEP_FAILURE"}, False, InterruptionKind.LOST),
        (False, None, {}, False, None),
    ],
)
def test_only_a_run_whose_worker_was_taken_from_it_was_interrupted(began, lost_at, tags, own, expected) -> None:
    run = dg.DagsterRun(job_name="refresh", status=dg.DagsterRunStatus.FAILURE)
    tags = {name: run.run_id if value == "its own id" else value for name, value in tags.items()}
    assert find_interruption(run.with_tags(tags), began, lost_at, own) is expected
