"""A person who sees ten lines on steps that were left out does not find the one line that says why."""

import os
import signal
from typing import Any

import dagster as dg
import pytest

from credit_assets.operations.progress import progress


@dg.op
def read(context: dg.OpExecutionContext) -> int:
    context.log.info("reads the loans")
    context.log.error("the loans are odd")
    raise ValueError("column income is missing")


@dg.op
def train(_: dg.OpExecutionContext, rows: int) -> int:
    return rows


@dg.op
def stop_this_process() -> int:
    os.kill(os.getpid(), signal.SIGINT)
    return 1


@dg.job(logger_defs={"progress": progress})
def failing() -> None:
    train(train(read()))


@dg.job(logger_defs={"progress": progress})
def stopped() -> None:
    train(stop_this_process())


def run(job: dg.JobDefinition) -> Any:
    return job.execute_in_process(run_config={"loggers": {"progress": {}}}, raise_on_error=False)


def test_a_step_that_fails_and_those_that_are_left_out_for_it_are_no_lines_and_what_it_logged_is(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert not run(failing).success
    printed = [line.split(" s  ")[1].split(maxsplit=1) for line in capsys.readouterr().out.splitlines()]
    assert printed == [["read", "reads the loans"], ["read", "the loans are odd"]]


def test_a_run_that_is_stopped_has_no_line_of_dagster_that_calls_it_unexpected(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert not run(stopped).success
    assert capsys.readouterr().out == ""
