"""Runs that have been starting for some time, by a clock that stands still."""

from datetime import UTC, datetime, timedelta

import dagster as dg

from tests.support.launching import Launching

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def add_start(built: Launching, seconds: float = 0) -> dg.DagsterRun:
    """A run that has been starting for so many seconds."""
    run = built.instance.add(dg.DagsterRunStatus.STARTING)
    built.instance.launched[run.run_id] = NOW - timedelta(seconds=seconds)
    return run
