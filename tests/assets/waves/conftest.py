"""Fixtures of waves: a promoted model that all tests of a file share, locations, and applications."""

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from typing import Any

import dagster as dg
import psycopg2
import pytest

from credit_assets.applications.seed import fill_applications
from credit_assets.definitions import build_defs
from credit_assets.jobs import REFRESH, SCORE_LOCATIONS
from credit_assets.loans.seed import seed
from credit_assets.settings.file import Settings, load_settings
from credit_assets.waves.plans.making import WAVE
from credit_assets.waves.record import ASSET, LOCATIONS
from resources.deployment import Deployment
from resources.history.run_groups import read_events
from tests.support.jobs import reconstructable_job
from tests.support.sandbox import Sandbox
from tests.support.settings import write_loans_settings

COUNT = 12


@dataclass(frozen=True)
class Waves:
    """A sandbox with a promoted model, 12 locations, and what was scored there."""

    sandbox: Sandbox
    settings: Settings

    @property
    def instance(self) -> dg.DagsterInstance:
        return self.sandbox.instance

    def run(self, job: str = SCORE_LOCATIONS, resources: Mapping[str, Any] | None = None, **config: Any) -> Any:
        """Runs a wave in this process; with a config of the step, and other resources, if they are given."""
        ops = {"ops": {WAVE: {"config": config}}} if config else None
        return (
            build_defs(Deployment.from_environment(), resource_overrides=resources)
            .resolve_job_def(job)
            .execute_in_process(instance=self.instance, run_config=ops, raise_on_error=False)
        )

    def select(self, first: str, last: str) -> Any:
        """Materializes the partitions of these locations and of all between them, as the UI does."""
        self.instance.add_dynamic_partitions(LOCATIONS, sorted(self.applications()))
        job = build_defs(Deployment.from_environment()).resolve_implicit_global_asset_job_def()
        return job.execute_in_process(
            instance=self.instance,
            asset_selection=[ASSET],
            tags={"dagster/asset_partition_range_start": first, "dagster/asset_partition_range_end": last},
            raise_on_error=False,
        )

    def retry(
        self, run: str, job: str = SCORE_LOCATIONS, config: Mapping[str, Any] | None = None
    ) -> dg.JobExecutionResult:
        """Runs all of a run again, as its retry: the worker died after the last commit and before the run's end."""
        first = self.instance.get_run_by_id(run)
        assert first
        with dg.execute_job(
            reconstructable_job(job),
            instance=self.instance,
            run_config=config or first.run_config,
            reexecution_options=dg.ReexecutionOptions(parent_run_id=run),
            raise_on_error=False,
        ) as result:
            return result

    def find_reason(self, result: Any) -> str:
        """Why the step of a failed run failed."""
        assert not result.success
        (failure,) = [each for each in result.all_events if each.event_type == dg.DagsterEventType.STEP_FAILURE]
        error = failure.step_failure_data.error
        while error.cause:
            error = error.cause
        return error.message

    def recorded(self, run: str) -> list[dg.EventLogEntry]:
        """The materializations of locations by one run."""
        entries = read_events(self.instance, run, {dg.DagsterEventType.ASSET_MATERIALIZATION})
        return [
            each for each in entries if each.asset_materialization and each.asset_materialization.asset_key == ASSET
        ]

    def reset(self) -> None:
        """Twelve good locations, and nothing scored."""
        self.sandbox.execute("DROP TABLE IF EXISTS locations, applications, scores")
        url = self.sandbox.environment["PLATFORM_DATABASE_URL"]
        with closing(psycopg2.connect(url)) as connection, connection, connection.cursor() as cursor:
            fill_applications(cursor, self.settings)
        for left in self.instance.get_dynamic_partitions(LOCATIONS):
            self.instance.delete_dynamic_partition(LOCATIONS, left)
        self.instance.wipe_assets([ASSET, dg.AssetKey(WAVE)])

    def scores(self) -> dict[str, int]:
        """How many scores each location has."""
        return dict(self.sandbox.execute("SELECT location, count(*) FROM scores GROUP BY location"))

    def applications(self) -> dict[str, int]:
        """How many open applications each location has."""
        counted = "SELECT location, count(*) FROM applications WHERE decided_at IS NULL GROUP BY location"
        return dict(self.sandbox.execute(counted))

    def status(self) -> tuple[set[str], set[str], set[str]]:
        """The partitions that Dagster's UI shows as materialized, failed and in progress."""
        names = self.instance.get_dynamic_partitions(LOCATIONS)
        definition = dg.DynamicPartitionsDefinition(name=LOCATIONS)
        found = self.instance.get_status_by_partition(ASSET, names, definition) or {}
        materialized, failed, in_progress = (
            {name for name, state in found.items() if state and state.name == wanted}
            for wanted in ("MATERIALIZED", "FAILED", "IN_PROGRESS")
        )
        return materialized, failed, in_progress


@pytest.fixture(scope="module")
def promoted(sandbox: Sandbox) -> Iterator[Waves]:
    """Loans, and a model that was promoted."""
    settings = load_settings(write_loans_settings(sandbox.settings, rows=1_000, locations=COUNT))
    with sandbox.entered():
        os.environ["PLATFORM_SCORES_URL"] = sandbox.environment["PLATFORM_DATABASE_URL"]
        with closing(psycopg2.connect(os.environ["PLATFORM_DATABASE_URL"])) as connection, connection:
            seed(connection.cursor(), settings)
        config = {"ops": {"training": {"config": {"n_estimators": 10, "max_depth": 4}}}}
        job = build_defs(Deployment.from_environment()).resolve_job_def(REFRESH)
        assert job.execute_in_process(instance=sandbox.instance, run_config=config).success
        yield Waves(sandbox, settings)
        del os.environ["PLATFORM_SCORES_URL"]


@pytest.fixture
def waves(promoted: Waves) -> Waves:
    promoted.reset()
    return promoted


@pytest.fixture
def break_location(waves: Waves) -> Callable[[str], None]:
    """Makes one application of a location break the schema."""

    def break_it(location: str) -> None:
        waves.sandbox.execute(
            "UPDATE applications SET income = NULL WHERE id = (SELECT min(id) FROM applications "
            f"WHERE location = '{location}' AND decided_at IS NULL)"
        )

    return break_it
