"""What a loss cost is believed by whoever pays for nodes: none may be hidden, and none counted that was not one."""

from dataclasses import replace

import dagster as dg
import pytest

from resources.history.attempts import Attempt, How, how, is_kept
from resources.history.interruptions import interruptions, percentile, work_lost
from resources.history.tags import CRASHED

WELL = Attempt("root", "root", launched=0, first_step=4)
# Began at 3, its step at 4, two blocks; last heard of at 20, failed at 29.
LOST = replace(WELL, how=How.LOST, failed=29, lost_at=20, last_sign=18, kept=(3, 4, 15, 18), node="spot-1", spot=True)
NOTICED = replace(LOST, how=How.NOTICE, failed=21, lost_at=None, last_sign=21)
CRASHED_ONE = replace(LOST, how=How.CRASH, failed=25, lost_at=None)


def retry(number: int, launched: float, like: Attempt = WELL) -> Attempt:
    """An attempt that was launched then, and started its step 5 s later."""
    return replace(like, run=f"retry {number}", launched=launched, first_step=launched + 5)


def test_a_run_that_nothing_befell_has_no_interruption() -> None:
    assert interruptions([WELL]) == []
    assert interruptions([WELL, retry(1, 30)]) == [], "a run that failed by itself, and was repeated by hand"


def test_a_loss_without_notice_counts_from_when_its_worker_was_last_heard_of() -> None:
    (found,) = interruptions([LOST, retry(1, 30)])
    assert (found.run, found.root_run, found.node, found.spot) == ("root", "root", "spot-1", True)
    assert (found.notice, found.crash) == (False, False)
    assert (found.when, found.detected_after, found.running_again_after) == (20, 9, 15)
    assert (found.work_lost, found.start_up, found.cost) == (2, 5, 7)


def test_a_worker_that_had_notice_noticed_it_at_once_and_lost_what_was_behind_its_last_block() -> None:
    (found,) = interruptions([NOTICED, retry(1, 22)])
    assert (found.notice, found.crash) == (True, False)
    assert (found.when, found.detected_after, found.running_again_after, found.work_lost) == (21, 0, 6, 3)


def test_a_crash_has_no_witness_so_that_both_figures_are_the_worse_ones() -> None:
    (found,) = interruptions([CRASHED_ONE, retry(1, 26)])
    assert (found.notice, found.crash) == (False, True)
    assert (found.when, found.detected_after, found.running_again_after) == (18, 7, 13), "from its last event"
    assert found.work_lost == 7, "up to its failure"


def test_a_loss_that_no_lease_told_of_is_bounded_like_a_crash_and_is_none() -> None:
    (found,) = interruptions([replace(CRASHED_ONE, how=How.LOST), retry(1, 26)])
    assert (found.notice, found.crash, found.when) == (False, False, 18)


def test_each_of_a_chain_counts_its_own_next_start_and_runs_again_in_the_first_that_got_to_a_step() -> None:
    second = replace(retry(1, 30, LOST), first_step=None, lost_at=33, failed=41, kept=(32,), node=None)
    third = replace(retry(2, 42, NOTICED), failed=50, kept=(45, 47))
    chain = interruptions([LOST, second, third, retry(3, 51)])
    assert [each.run for each in chain] == ["root", "retry 1", "retry 2"]
    assert [each.running_again_after for each in chain] == [27, 14, 6]
    assert [each.start_up for each in chain] == [0, 5, 5], "the second never started up"
    assert [each.work_lost for each in chain] == [2, 1, 3]


def test_a_run_that_never_ran_again_is_counted() -> None:
    for group in ([LOST], [LOST, Attempt("retry 1", "root", launched=30)]):
        (found,) = interruptions(group)
        assert found.running_again_after is None
        assert found.cost == 2
    assert percentile([1, 2, None], 0.95) is None
    assert percentile([1, 2, None], 0.5) == 2


def test_clocks_that_disagree_make_no_time_negative() -> None:
    ahead = replace(LOST, lost_at=60)
    (found,) = interruptions([ahead, retry(1, 30)])
    assert (found.detected_after, found.running_again_after) == (0, 0)


def test_what_was_kept_after_the_interruption_is_another_attempts() -> None:
    assert work_lost(20, [3, 18, 25]) == 2
    assert work_lost(20, []) == work_lost(20, [25]) == 0


def test_only_a_committed_block_keeps_work() -> None:
    assert is_kept("40 of 100 committed")
    assert not is_kept("40 of 100 found, as an earlier attempt committed them")


def test_percentiles_are_values_that_were_measured() -> None:
    hundred = [float(each) for each in range(1, 101)]
    assert (percentile(hundred, 0.5), percentile(hundred, 0.95)) == (50, 95)
    assert percentile([7.0], 0.5) == percentile([7.0], 0.95) == 7
    assert percentile([], 0.5) is None


@pytest.mark.parametrize(
    ("status", "gave_up", "tags", "own", "expected"),
    [
        ("FAILURE", True, {}, False, How.LOST),
        ("FAILURE", False, {"dagster/failure_reason": "UNEXPECTED_TERMINATION"}, False, How.NOTICE),
        ("FAILURE", False, {CRASHED: "its own id"}, False, How.CRASH),
        ("FAILURE", False, {CRASHED: "its parent's"}, False, How.LOST),
        ("FAILURE", False, {"dagster/failure_reason": "STEP_FAILURE"}, True, None),
        ("FAILURE", False, {"dagster/failure_reason": "STEP_FAILURE"}, False, How.LOST),
        ("CANCELED", False, {}, False, None),
        ("SUCCESS", True, {}, False, None),
        ("STARTED", False, {}, False, None),
    ],
)
def test_only_a_run_whose_worker_was_taken_from_it_was_interrupted(status, gave_up, tags, own, expected) -> None:
    run = dg.DagsterRun(job_name="refresh", status=dg.DagsterRunStatus(status))
    tags = {name: run.run_id if value == "its own id" else value for name, value in tags.items()}
    assert how(run.with_tags(tags), gave_up, own) is expected
