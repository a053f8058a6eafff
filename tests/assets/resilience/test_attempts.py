"""What the event log says of real losses: a figure that is read wrongly there is wrong on every page and alert."""

import time
from contextlib import suppress

import dagster as dg
import pytest

from resources.history import attempts
from resources.history.attempts import read, worked
from resources.history.interruptions import interruptions

HOUR = 3600


def read_group(instance, root):
    (group,) = [each for each in read(instance, time.time() - HOUR) if each[0].run == root]
    return group


def found(instance):
    return [each for group in read(instance, time.time() - HOUR) for each in interruptions(group)]


def test_a_power_loss_is_read_with_its_place_and_all_its_times(postgres_past) -> None:
    past = postgres_past()
    run, _ = past.power_loss()
    (loss,) = interruptions(read_group(past.instance, run))
    assert (loss.node, loss.spot, loss.notice, loss.crash) == ("spot-1", True, False, False)
    assert loss.when == pytest.approx(past.began + 20, abs=0.06)
    assert loss.detected_after == pytest.approx(9, abs=0.06)
    assert loss.running_again_after == pytest.approx(15, abs=0.06)
    assert loss.work_lost == pytest.approx(2, abs=0.06)
    assert loss.start_up == pytest.approx(5, abs=0.06)
    assert run in [each.run for each in found(past.instance)]


def test_what_a_retry_inherited_is_not_its_own(past) -> None:
    run, _ = past.power_loss()
    second = past.run(of=run)
    past.happens(second, RUN_STARTING=60, RUN_START=63, RUN_FAILURE=64)
    past.tag(second, platform__crashed=second)
    crash = interruptions(read_group(past.instance, run))[1]
    assert (crash.run, crash.crash) == (second, True), "it was not given up, as its parent was"
    assert crash.node is None, "it never said where it is: its tag is its parent's"
    third = past.run(of=second, root=run)
    past.happens(third, RUN_STARTING=65, RUN_START=68, STEP_START=69)
    past.tag(third, platform__lost_at=f"{past.began + 80:.1f}", platform__node="spot-3")
    past.happens(third, RUN_FAILURE=89)
    lost = interruptions(read_group(past.instance, run))[2]
    assert (lost.run, lost.crash, lost.node) == (third, False, "spot-3")
    assert lost.detected_after == pytest.approx(9, abs=0.06)
    assert lost.running_again_after is None


def test_a_run_that_waited_in_vain_interrupted_nobody(past) -> None:
    run = past.run()
    past.happens(run, RUN_STARTING=0, RUN_FAILURE=600)
    assert found(past.instance) == []


def test_a_run_that_succeeded_or_failed_by_itself_is_no_interruption(past) -> None:
    @dg.op(config_schema=str)
    def end(context) -> None:
        if context.op_config == "killed":
            raise KeyboardInterrupt
        if context.op_config == "bad input":
            raise ValueError("bad input")

    @dg.job(executor_def=dg.in_process_executor)
    def doomed() -> None:
        end()

    def execute(how) -> None:
        with suppress(KeyboardInterrupt):
            config = {"ops": {"end": {"config": how}}}
            doomed.execute_in_process(instance=past.instance, run_config=config, raise_on_error=False)

    execute("well")
    execute("bad input")
    assert found(past.instance) == []
    execute("killed")
    (notice,) = found(past.instance)
    assert (notice.notice, notice.crash, notice.detected_after) == (True, False, 0)
    assert notice.running_again_after is None


def test_the_event_log_is_read_to_its_end_in_pages(past, monkeypatch) -> None:
    run, _ = past.power_loss()
    whole = read_group(past.instance, run)
    monkeypatch.setattr(attempts, "PAGE", 2)
    monkeypatch.setattr(attempts, "BATCH", 2)
    assert read_group(past.instance, run) == whole
    others = [past.power_loss()[0] for _ in range(4)]
    assert [each.run for each in found(past.instance)] == [*reversed(others), run], "each once, the latest first"


def test_what_ended_before_the_window_is_left_out(past) -> None:
    past.power_loss()
    assert list(read(past.instance, time.time() + 1)) == []
    assert list(worked(past.instance, time.time() + 1)) == []


def test_a_worker_is_paid_for_until_it_was_last_heard_of(past) -> None:
    past.power_loss()
    past.run()
    retry, lost = worked(past.instance, time.time() - HOUR)
    assert lost.seconds == pytest.approx(17, abs=0.06)
    assert retry.seconds == pytest.approx(17, abs=0.06), "what its parent was lost at is not its own end"
    assert (lost.spot, lost.until) == (True, pytest.approx(past.began + 20, abs=0.06))
