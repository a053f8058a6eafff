"""Fixtures of pricing: locations in one database, scores and prices in another one."""

import os
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import dagster as dg
import psycopg2
import pytest

from credit_assets.definitions import build_defs
from credit_assets.jobs import PRICE_SEGMENTS
from credit_assets.pricing.record import ASSET, SEGMENT_PRICES, SEGMENTS
from credit_assets.settings.file import Settings, load_settings
from resources.deployment import Deployment
from resources.machine.embedded_postgres import EmbeddedPostgres
from tests.support.sandbox import Sandbox
from tests.support.settings import settings_text

# 0.04 + mean * 0.5: a mean of 0.1 gives 0.09.
SECTIONS = """
[scoring]
locations = "locations"
applications = "applications"
scores = "scores"
[pricing]
segment = "segment"
prices = "prices"
base_rate = 0.04
loss_given_default = 0.5
minimum_rate = 0.05
maximum_rate = 0.3
maximum_step = 0.02
minimum_scores = 10
maximum_age_hours = 7
"""
SCORES = """
CREATE TABLE scores (
    location text NOT NULL, application bigint PRIMARY KEY, probability double precision NOT NULL,
    model_number integer NOT NULL, model_sha256 text NOT NULL, wave text NOT NULL,
    wave_began timestamptz NOT NULL, scored_at timestamptz NOT NULL
)
"""


@dataclass(frozen=True)
class Market:
    """Segments north, south and west, each of two locations with ten scores."""

    sandbox: Sandbox
    settings: Settings
    scores_url: str

    @property
    def instance(self) -> dg.DagsterInstance:
        return self.sandbox.instance

    def execute(self, statement: str, *values: Any) -> list[tuple[Any, ...]]:
        """Runs SQL on the database of scores and prices."""
        with closing(psycopg2.connect(self.scores_url)) as connection, connection, connection.cursor() as cursor:
            cursor.execute(statement, values or None)
            return cursor.fetchall() if cursor.description else []

    def reset(self) -> None:
        """Locations without a score, and no price."""
        self.sandbox.execute(
            "DROP TABLE IF EXISTS locations CASCADE; CREATE TABLE locations (location text, segment text); "
            "CREATE VIEW applications AS SELECT location, 1::bigint AS id FROM locations"
        )
        for segment in ("north", "south", "west"):
            self.sandbox.execute(
                f"INSERT INTO locations VALUES ('{segment}-1', '{segment}'), ('{segment}-2', '{segment}')"
            )
        self.execute(f"DROP TABLE IF EXISTS scores, prices; {SCORES}")
        for left in self.instance.get_dynamic_partitions(SEGMENTS):
            self.instance.delete_dynamic_partition(SEGMENTS, left)
        self.instance.wipe_assets([ASSET])

    def score(self, mean: float, hours_ago: float = 0, locations: str = "%", scores: int = 10) -> None:
        """A wave that gives each application of these locations the same probability."""
        began = datetime.now(UTC) - timedelta(hours=hours_ago)
        for (location,) in self.sandbox.execute(f"SELECT location FROM locations WHERE location LIKE '{locations}'"):
            self.execute("DELETE FROM scores WHERE location = %s", location)
            self.execute(
                "INSERT INTO scores SELECT %s, abs(hashtext(%s || n::text)::bigint), %s, 1, 'f', 'w', %s, %s "
                "FROM generate_series(1, %s) AS n",
                location, location, mean, began, began, scores,
            )  # fmt: skip

    def run(self, *accept_jumps: str, **selected: str) -> dg.ExecuteInProcessResult:
        """Prices in this process: all segments, or those of a selection in Dagster's UI."""
        config = {"ops": {SEGMENT_PRICES: {"config": {"accept_jumps": list(accept_jumps)}}}}
        job = build_defs(Deployment.from_environment()).resolve_job_def(PRICE_SEGMENTS)
        return job.execute_in_process(
            instance=self.instance,
            run_config=config,
            raise_on_error=False,
            tags={f"dagster/asset_partition_range_{end}": name for end, name in selected.items()},
        )

    def rates(self) -> dict[str, float]:
        """The published rate of each segment."""
        return dict(self.execute("SELECT segment, rate FROM prices"))

    def status(self) -> dict[str, str]:
        """How Dagster's UI shows each segment: MATERIALIZED, FAILED, IN_PROGRESS, or MISSING."""
        names = self.instance.get_dynamic_partitions(SEGMENTS)
        found = self.instance.get_status_by_partition(ASSET, names, dg.DynamicPartitionsDefinition(name=SEGMENTS))
        assert found is not None
        return {name: status.name if status else "MISSING" for name, status in found.items()}


@pytest.fixture(scope="module")
def priced_sandbox(sandbox: Sandbox, postgres: EmbeddedPostgres) -> Iterator[Market]:
    sandbox.settings.write_text(settings_text("income = { type = 'number' }") + SECTIONS)
    url = postgres.create_database(f"risk_{os.getpid()}_{id(sandbox)}")
    with sandbox.entered(PLATFORM_SCORES_URL=url):
        yield Market(sandbox, load_settings(sandbox.settings), url)


@pytest.fixture
def market(priced_sandbox: Market) -> Market:
    priced_sandbox.reset()
    return priced_sandbox
