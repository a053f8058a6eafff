"""Two instances of Dagster on PostgreSQL: stock, and ours. A trap is measured in a process of its own, on one of them.

Belongs here: instances, and runs that have not ended. Does not belong here: what is measured.
"""

import os
import tempfile
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import dagster as dg

from bench.timing.children import REPOSITORY

STOCK, OURS = "stock", "ours"
STOCK_STORAGE = (
    "storage:\n  postgres:\n    postgres_url:\n      env: PLATFORM_HISTORY_URL\ntelemetry: {enabled: false}\n"
)
ASSET, PARTITIONS = dg.AssetKey("scores"), dg.DynamicPartitionsDefinition(name="places")


@dg.op
def work() -> None:
    """A run needs a step; these runs are never executed."""


@dg.job
def wave() -> None:
    work()


@contextmanager
def open_instance(way: str) -> Iterator[dg.DagsterInstance]:
    """An instance on the database of PLATFORM_HISTORY_URL, with the settings of stock Dagster or with ours."""
    settings = STOCK_STORAGE if way == STOCK else (REPOSITORY / "local" / "dagster.yaml").read_text()
    with tempfile.TemporaryDirectory() as home:
        Path(home, "dagster.yaml").write_text(settings)
        os.environ["DAGSTER_HOME"] = home
        with dg.DagsterInstance.from_config(home) as instance:
            yield instance


def make_ranged_job(function: Callable[..., Any], *, output_required: bool) -> dg.JobDefinition:
    """A job with one asset, whose function makes a range of partitions in one run."""
    with warnings.catch_warnings():
        # Dagster may still change how it divides a selection into runs.
        warnings.simplefilter("ignore", dg.BetaWarning)
        scores = dg.asset(
            key=ASSET,
            partitions_def=PARTITIONS,
            backfill_policy=dg.BackfillPolicy.single_run(),
            output_required=output_required,
        )(function)
    return dg.Definitions(assets=[scores], jobs=[dg.define_asset_job("score", "scores")]).resolve_job_def("score")


def name_ends(places: list[str]) -> dict[str, str]:
    """The tags by which a run makes all partitions from the first of these to the last."""
    return {"dagster/asset_partition_range_start": places[0], "dagster/asset_partition_range_end": places[-1]}


def start_run(instance: dg.DagsterInstance) -> dg.DagsterRun:
    """A run that is under way, and that nothing executes."""
    return instance.create_run_for_job(wave, status=dg.DagsterRunStatus.STARTED)


def name_places(count: int) -> list[str]:
    """Names of so many partitions, in their order."""
    return [f"place-{number:06}" for number in range(count)]


def count_states(instance: dg.DagsterInstance, places: list[str]) -> dict[str, int]:
    """How many partitions Dagster shows in each state; MISSING is the one for which it shows nothing."""
    instance.add_dynamic_partitions("places", places)
    found = instance.get_status_by_partition(ASSET, places, PARTITIONS) or {}
    states = [state.name if state else "MISSING" for state in found.values()]
    return {name: states.count(name) for name in ("MATERIALIZED", "FAILED", "MISSING")}
