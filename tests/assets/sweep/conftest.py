"""Fixtures of the sweep: one database and one store for all cases, and what undisturbed attempts leave there."""

import uuid
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from typing import Any

import dagster as dg
import psycopg2
import pytest

from credit_assets import loan_dataset, wave
from credit_assets.applications.seed import fill_applications
from credit_assets.loans.seed import seed
from credit_assets.promotion.model_set import PARTS
from credit_assets.settings.file import load_settings
from resources.machine.embedded_postgres import EmbeddedPostgres
from resources.store.opening import open_store
from tests.assets.sweep.faults import AttemptSize
from tests.assets.sweep.invariants import Invariants, RefreshInvariants
from tests.assets.sweep.kinds import OTHER_REFRESH, REFRESH_CASE, WAVE_CASE, Kind
from tests.assets.sweep.sweep import Sweep
from tests.assets.sweep.wave_invariants import ScoreRow, WaveInvariants
from tests.support.sandbox import Sandbox
from tests.support.settings import write_loans_settings

# More locations than three chunks hold, with few rows: the case is about chunks, and not about rows.
LOCATIONS, APPLICATIONS = 330, 2
POOLS = (loan_dataset.POOL, wave.POOL)


@dataclass(frozen=True)
class Undisturbed:
    """What an attempt without a fault costs, and what must hold after each attempt.

    Attributes:
        size: of such an attempt.
        invariants: with what such an attempt leaves.
    """

    size: AttemptSize
    invariants: RefreshInvariants | WaveInvariants


@pytest.fixture(scope="module")
def scores_url(postgres: EmbeddedPostgres) -> str:
    """A database that only scores are written to, so that its faults are not those of the loans' database."""
    return postgres.create_database(f"scores_{uuid.uuid4().hex}")


@pytest.fixture(scope="module")
def sweep(sandbox: Sandbox, scores_url: str) -> Iterator[Sweep]:
    settings = load_settings(write_loans_settings(sandbox.settings, 1_000, LOCATIONS, APPLICATIONS))
    with closing(psycopg2.connect(sandbox.environment["PLATFORM_DATABASE_URL"])) as lending, lending:
        seed(lending.cursor(), settings)
        fill_applications(lending.cursor(), settings)
    for pool in POOLS:
        # With one slot, a retry waits in vain for a slot that a dead worker keeps.
        sandbox.instance.event_log_storage.set_concurrency_slots(pool, 1)
    environment = {**sandbox.environment, "PLATFORM_SCORES_URL": scores_url}
    with sandbox.entered(PLATFORM_SCORES_URL=scores_url):
        yield Sweep(sandbox.instance, open_store(environment["PLATFORM_STORE"]), environment)


@pytest.fixture(scope="module")
def shared(sweep: Sweep, sandbox: Sandbox) -> Invariants:
    """What must hold after any case. It remembers the objects of all cases before."""
    storage = sweep.instance.event_log_storage
    return Invariants(sweep.store, sandbox.store, lambda: {pool: storage.get_concurrency_info(pool) for pool in POOLS})


@pytest.fixture(scope="module")
def refresh(sweep: Sweep, shared: Invariants) -> Undisturbed:
    """After it two models are promoted, of which the later is the one that all refreshes make."""
    assert sweep.run_attempt(OTHER_REFRESH, "another model", [], None)
    size = sweep.run_attempt(REFRESH_CASE, "undisturbed refresh", [], None)
    (run,) = sweep.runs("undisturbed refresh")
    assert size
    assert run.is_success
    records = sweep.instance.get_records_for_run(run.run_id, of_type=dg.DagsterEventType.ASSET_MATERIALIZATION).records
    events = [event for each in records if (event := each.event_log_entry.asset_materialization)]
    metadata: dict[str, Any] = {each.asset_key.path[-1]: each.metadata for each in events}
    # The other two differ from run to run: a dataset holds the time of its snapshot, and metrics hold its digest.
    expected = {name: metadata[name]["sha256"].value for name in PARTS if name in ("test_split", "trained_model")}
    return Undisturbed(size, RefreshInvariants(shared, expected))


@pytest.fixture(scope="module")
def scored(sweep: Sweep, refresh: Undisturbed, shared: Invariants, sandbox: Sandbox, scores_url: str) -> Undisturbed:
    """A wave over all locations. The first one makes the table of scores, and the second one is measured."""
    assert sweep.run_attempt(WAVE_CASE, "the first wave", [], None)
    size = sweep.run_attempt(WAVE_CASE, "undisturbed wave", [], None)
    assert size
    rows = sandbox.execute("SELECT id, location FROM applications WHERE decided_at IS NULL")
    applications: dict[int | str, str] = {application: str(location) for application, location in rows}
    assert Counter(applications.values()).total() == LOCATIONS * APPLICATIONS

    def read_scores() -> list[ScoreRow]:
        columns = "application, location, probability, model_number, model_sha256, wave"
        return [ScoreRow(*row) for row in execute(scores_url, f"SELECT {columns} FROM scores")]

    return Undisturbed(size, WaveInvariants(shared, sweep.instance, applications, read_scores))


@pytest.fixture(scope="module")
def undisturbed(refresh: Undisturbed, scored: Undisturbed) -> dict[Kind, Undisturbed]:
    """Both kinds of cases without a fault."""
    return {REFRESH_CASE: refresh, WAVE_CASE: scored}


def execute(url: str, statements: str) -> list[tuple[Any, ...]]:
    """Runs SQL on a database, and commits; the rows that it returns."""
    with closing(psycopg2.connect(url)) as connection, connection, connection.cursor() as cursor:
        cursor.execute(statements)
        return cursor.fetchall() if cursor.description else []
