"""The schedule's ticks, as Dagster evaluates them.

Without this test a wave, or a pricing run that ended long ago, could stop the prices without a word.
"""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from credit_assets.jobs import PRICE_SEGMENTS, SCORE_LOCATIONS
from credit_assets.settings.file import SettingsFile
from resources.deployment import Deployment
from sensors.schedules.price_schedule import price_schedule
from tests.support.settings import LOANS_SETTINGS

DUE = datetime(2026, 3, 1, 9, 10, tzinfo=UTC)


def evaluate(instance: dg.DagsterInstance, settings: Path, scores_url: str | None = "postgresql://unused") -> Any:
    resources = {"settings": SettingsFile(path=str(settings)), "deployment": Deployment(scores_url=scores_url)}
    with dg.build_schedule_context(instance=instance, scheduled_execution_time=DUE, resources=resources) as context:
        return price_schedule(context)


@pytest.fixture
def add_run(instance: dg.DagsterInstance) -> Iterator[Callable[..., str]]:
    """Adds a run of a job in a status, as long as the test runs: its id."""
    added = []

    def add(job: str, status: dg.DagsterRunStatus) -> str:
        added.append(instance.add_run(dg.DagsterRun(job_name=job, status=status)).run_id)
        return added[-1]

    yield add
    for run in added:
        instance.delete_run(run)


@pytest.mark.parametrize("status", [dg.DagsterRunStatus.NOT_STARTED, dg.DagsterRunStatus.STARTED])
def test_while_a_pricing_run_is_under_way_no_other_one_is_asked_for(
    instance: dg.DagsterInstance, add_run: Callable[..., str], status: dg.DagsterRunStatus
) -> None:
    run = add_run(PRICE_SEGMENTS, status)
    skipped = evaluate(instance, LOANS_SETTINGS)
    assert isinstance(skipped, dg.SkipReason)
    assert run in str(skipped.skip_message)


def test_neither_a_wave_under_way_nor_a_pricing_run_that_ended_delays_prices(
    instance: dg.DagsterInstance, add_run: Callable[..., str]
) -> None:
    add_run(SCORE_LOCATIONS, dg.DagsterRunStatus.STARTED)
    add_run(PRICE_SEGMENTS, dg.DagsterRunStatus.FAILURE)
    assert isinstance(evaluate(instance, LOANS_SETTINGS), dg.RunRequest)


def test_without_a_database_for_prices_nothing_is_priced_and_the_tick_says_why(instance: dg.DagsterInstance) -> None:
    skipped = evaluate(instance, LOANS_SETTINGS, None)
    assert isinstance(skipped, dg.SkipReason)
    assert "PLATFORM_SCORES_URL" in str(skipped.skip_message)


def test_without_the_section_nothing_is_priced_and_the_tick_says_why(
    instance: dg.DagsterInstance, tmp_path: Path
) -> None:
    before, _, after = LOANS_SETTINGS.read_text().partition("[pricing]")
    path = tmp_path / "unpriced.toml"
    path.write_text(before + after[after.index("[seed]") :])
    skipped = evaluate(instance, path)
    assert isinstance(skipped, dg.SkipReason)
    assert "no section [pricing]" in str(skipped.skip_message)
    assert isinstance(evaluate(instance, LOANS_SETTINGS), dg.RunRequest)
