"""A figure that is read wrongly from the event log is wrong on every page, in every alert and in the retry rule."""

import time
from contextlib import suppress
from dataclasses import replace

import dagster as dg
import pytest

from resources.history import run_groups
from resources.history.attempt import InterruptionKind
from resources.history.interruptions import find_interruptions
from resources.history.run_groups import read_attempts, read_failed_groups, read_worker_times

HOUR = 3600


def read_all(instance):
    return [read_attempts(instance, group) for group in read_failed_groups(instance, time.time() - HOUR)]


def read_group(instance, root):
    (group,) = [each for each in read_all(instance) if each[0].run == root]
    return group


def find_all(instance):
    return [each for group in read_all(instance) for each in find_interruptions(group)]


def test_a_power_loss_is_read_with_its_node_and_all_its_times(postgres_past) -> None:
    past = postgres_past()
    run, _ = past.power_loss()
    (loss,) = find_interruptions(read_group(past.instance, run))
    assert (loss.node, loss.spot, loss.kind) == ("spot-1", True, InterruptionKind.LOST)
    assert loss.when == pytest.approx(past.began + 20, abs=0.06)
    assert loss.detected_after == pytest.approx(9, abs=0.06)
    assert loss.running_again_after == pytest.approx(15, abs=0.06)
    assert loss.work_lost == pytest.approx(2, abs=0.06)
    assert loss.start_up == pytest.approx(5, abs=0.06)
    assert run in [each.run for each in find_all(past.instance)]


@pytest.mark.parametrize(
    ("message", "work_lost"),
    [("80 of 100 committed", 2), ("80 of 100 found, as an earlier attempt committed them", 16), ("committed", 16)],
)
def test_only_a_committed_block_keeps_work_in_the_log_of_an_older_release_too(past, message, work_lost) -> None:
    run = past.run()
    past.happens(run, RUN_STARTING=0, RUN_START=3, STEP_START=4)
    past.says(run, message, 18)
    past.tag(run, platform__lost_at=f"{past.began + 20:.1f}")
    past.happens(run, RUN_FAILURE=29)
    (loss,) = find_all(past.instance)
    assert loss.work_lost == pytest.approx(work_lost, abs=0.06)


def test_the_tags_that_a_retry_inherited_are_not_its_own(past) -> None:
    run, _ = past.power_loss()
    second = past.run(of=run)
    past.happens(second, RUN_STARTING=60, RUN_START=63, RUN_FAILURE=64)
    past.tag(second, platform__crashed=second)
    crash = find_interruptions(read_group(past.instance, run))[1]
    assert (crash.run, crash.kind) == (second, InterruptionKind.CRASH), "its parent was given up, and it was not"
    assert crash.node is None, "it never said where it is: its tag is its parent's"
    third = past.run(of=second, root=run)
    past.happens(third, RUN_STARTING=65, RUN_START=68, STEP_START=69)
    past.tag(third, platform__lost_at=f"{past.began + 80:.1f}", platform__node="spot-3")
    past.happens(third, RUN_FAILURE=89)
    lost = find_interruptions(read_group(past.instance, run))[2]
    assert (lost.run, lost.kind, lost.node) == (third, InterruptionKind.LOST, "spot-3")
    assert lost.detected_after == pytest.approx(9, abs=0.06)
    assert lost.running_again_after is None


def test_a_run_that_waited_in_vain_interrupted_nobody_and_never_began(past) -> None:
    run = past.run()
    past.happens(run, RUN_STARTING=0, RUN_FAILURE=600)
    assert find_all(past.instance) == []
    (attempt,) = read_group(past.instance, run)
    assert (attempt.began, attempt.ended, attempt.own_step_failed) == (False, True, False)
    assert attempt.failed == pytest.approx(past.began + 600, abs=0.06)


def test_the_tags_of_a_run_are_read_as_the_retry_rule_needs_them(past) -> None:
    run = past.run()
    past.happens(run, RUN_START=3, RUN_FAILURE=10)
    past.tag(run, dagster__max_retries="7")
    (attempt,) = read_group(past.instance, run)
    assert (attempt.began, attempt.max_retries, attempt.will_retry, attempt.relaunchable) == (True, 7, None, False)
    past.tag(run, dagster__will_retry="true", dagster__max_retries="many")
    (attempt,) = read_group(past.instance, run)
    assert (attempt.max_retries, attempt.will_retry) == (None, True)


def test_the_decision_of_dagster_s_daemon_is_read_again_although_the_run_has_ended(past) -> None:
    run = past.run()
    past.happens(run, RUN_START=3, RUN_FAILURE=10)
    (group,) = read_failed_groups(past.instance, past.began)
    known = {each.run: each for each in read_attempts(past.instance, group)}
    past.tag(run, dagster__will_retry="false")
    (group,) = read_failed_groups(past.instance, past.began)
    assert read_attempts(past.instance, group, known) == [replace(known[run], will_retry=False)]


def test_a_run_that_succeeded_or_failed_by_its_own_step_is_no_interruption(past) -> None:
    @dg.op(config_schema=str)
    def end(context) -> None:
        if context.op_config == "killed":
            raise KeyboardInterrupt
        if context.op_config == "bad input":
            raise ValueError("bad input")

    @dg.job(executor_def=dg.in_process_executor)
    def doomed() -> None:
        end()

    def execute(ending) -> None:
        with suppress(KeyboardInterrupt):
            config = {"ops": {"end": {"config": ending}}}
            doomed.execute_in_process(instance=past.instance, run_config=config, raise_on_error=False)

    execute("well")
    execute("bad input")
    assert find_all(past.instance) == []
    assert [each.own_step_failed for group in read_all(past.instance) for each in group] == [True]
    execute("killed")
    (notice,) = find_all(past.instance)
    assert (notice.kind, notice.detected_after) == (InterruptionKind.NOTICE, 0)
    assert notice.running_again_after is None


def test_the_event_log_is_read_to_its_end_in_pages(past, monkeypatch) -> None:
    run, _ = past.power_loss()
    whole = read_group(past.instance, run)
    monkeypatch.setattr(run_groups, "PAGE", 2)
    monkeypatch.setattr(run_groups, "BATCH", 2)
    assert read_group(past.instance, run) == whole
    others = [past.power_loss()[0] for _ in range(4)]
    assert [each.run for each in find_all(past.instance)] == [*reversed(others), run], "each once, the latest first"


def test_a_run_that_ended_before_the_window_is_left_out(past) -> None:
    past.power_loss()
    assert list(read_failed_groups(past.instance, time.time() + 1)) == []
    assert list(read_worker_times(past.instance, time.time() + 1)) == []


def test_a_worker_is_paid_for_until_its_last_renewal(past) -> None:
    past.power_loss()
    past.run()
    retry, lost = read_worker_times(past.instance, time.time() - HOUR)
    assert lost.seconds == pytest.approx(17, abs=0.06)
    assert retry.seconds == pytest.approx(17, abs=0.06), "the loss of its parent is not its own end"
    assert (lost.spot, lost.until) == (True, pytest.approx(past.began + 20, abs=0.06))
