"""A worker may die at any instruction, and any call to the store or the database may fail: the right model comes out.

Seeded: a case that fails is repeated by its number. `make sweep` runs 200 (SWEEP_CASES), `make test` 20.
"""

import os
import random
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import dagster as dg
import psycopg2
import pytest

from credit_assets.loan_dataset import POOL
from credit_assets.loans.seed import seed
from credit_assets.settings import load_settings
from resources.history.attempts import groups
from resources.history.tags import PARENT, ROOT
from resources.store.artifacts import ArtifactError
from resources.store.object_store import open_store
from sensors.lost_retries import PATIENCE, ended, forgotten
from tests.assets.sweep.attempt import CASE, attempt
from tests.assets.sweep.faults import Fault, Span, draw
from tests.assets.sweep.invariants import PARTS, Invariants
from tests.support.sandbox import Sandbox
from tests.support.settings import write_loans_settings

CASES = int(os.environ.get("SWEEP_CASES", "20"))
RETRIES, STRUCK = 5, 3
LONGEST = 120


@dataclass
class Sweep:
    """One database and one store, which all cases share, and what runs and retries in them."""

    environment: dict[str, str]
    instance: dg.DagsterInstance
    imported: list[str] = field(default_factory=list)
    attempts: list[int] = field(default_factory=list)

    def attempt(self, case: str, runs: list[dg.DagsterRun], fault: Fault | None) -> Span | None:
        """Goes on from the last of the runs, if there is one; what the attempt counted, if it lived to its end.

        The first one imports for all others: libraries take three times as long as the run.
        """
        tags = {CASE: case} | ({ROOT: runs[0].run_id, PARENT: runs[-1].run_id} if runs else {})
        context = get_context("forkserver") if self.imported else get_context("spawn")
        heard, told = context.Pipe(duplex=False)
        worker = context.Process(target=attempt, args=(self.environment, tags, fault, told))
        worker.start()
        told.close()
        assert heard.poll(LONGEST), f"{fault} made an attempt hang"
        try:
            span, imported = heard.recv()
        except EOFError:  # it was killed
            return None
        finally:
            worker.join()
        if not self.imported:
            self.imported = imported
            get_context("forkserver").set_forkserver_preload(imported)
        return span

    def runs(self, case: str) -> list[dg.DagsterRun]:
        """The runs of a case, the oldest first; one whose worker is gone is failed, as the run monitor does it."""
        found = self.instance.get_runs(dg.RunsFilter(tags={CASE: case}))
        for run in found:
            if not run.is_finished:
                self.instance.report_run_failed(run, "its worker is gone")
            if not run.is_success:
                # As the launcher does when it gives a worker up, and the monitor half a minute after any run's end: the
                # statement that gives a place back may be the one that broke.
                self.instance.event_log_storage.free_concurrency_slots_for_run(run.run_id)
        return list(reversed(self.instance.get_runs(dg.RunsFilter(tags={CASE: case}))))

    def retry(self, root: str) -> str | None:
        """The run that the platform's own reconciler would have retried now."""
        (group,) = groups(self.instance, [root])
        return forgotten([ended(self.instance, each) for each in group], RETRIES, time.time() + PATIENCE + 1)


@pytest.fixture(scope="module")
def sweep(sandbox: Sandbox) -> Iterator[Sweep]:
    settings = load_settings(write_loans_settings(sandbox.settings, rows=1_000))
    with closing(psycopg2.connect(sandbox.environment["LOANS_DATABASE_URL"])) as lending, lending:
        seed(lending.cursor(), settings)
    # A place that a dead worker keeps is one that its retry waits for in vain.
    sandbox.instance.event_log_storage.set_concurrency_slots(POOL, 1)
    with sandbox.entered():
        yield Sweep(sandbox.environment, sandbox.instance)


@pytest.fixture(scope="module")
def undisturbed(sweep: Sweep) -> tuple[Span, Invariants]:
    """What a run makes to which nothing happens, and how many calls that takes."""
    assert sweep.attempt("the first", [], None)
    span = sweep.attempt("undisturbed", [], None)
    (run,) = sweep.runs("undisturbed")
    assert span
    assert run.is_success
    records = sweep.instance.get_records_for_run(run.run_id, of_type=dg.DagsterEventType.ASSET_MATERIALIZATION).records
    events = [event for each in records if (event := each.event_log_entry.asset_materialization)]
    made: dict[str, Any] = {each.asset_key.path[-1]: each.metadata for each in events}
    # A dataset holds the time of its snapshot, and metrics hold its digest.
    same = {name: made[name]["sha256"].value for name in PARTS if name in ("test_split", "trained_model")}
    store = open_store(sweep.environment["CREDIT_STORE"])
    slots = partial(sweep.instance.event_log_storage.get_concurrency_info, POOL)
    return span, Invariants(store, Path(sweep.environment["DAGSTER_HOME"]) / "store", same, slots)


@pytest.mark.parametrize("case", range(CASES))
def test_the_right_model_is_published_once_whatever_is_struck(sweep: Sweep, undisturbed: Any, case: int) -> None:
    span, invariants = undisturbed
    chance, name, runs, struck = random.Random(case), f"case {case}", [], []
    while not (runs and runs[-1].is_success):
        assert not runs or sweep.retry(runs[0].run_id) == runs[-1].run_id, f"a retry is missing, struck by {struck}"
        more = not struck or (len(struck) < STRUCK and chance.random() < 0.5)
        struck.append(draw(chance, span) if more else None)
        sweep.attempt(name, runs, struck[-1])
        runs = sweep.runs(name)
    sweep.attempts.append(len(struck))
    try:
        invariants.hold(runs)
    except AssertionError as error:
        error.add_note(f"case {case}, struck by {struck}")
        raise


def test_the_cases_above_were_struck(sweep: Sweep) -> None:
    cases, struck = len(sweep.attempts), sum(attempts > 1 for attempts in sweep.attempts)
    assert struck >= cases / 2 > 0, f"{struck} of {cases} cases were struck before their end"


def test_the_invariants_would_notice(sweep: Sweep, undisturbed: Any) -> None:
    _, invariants = undisturbed
    sweep.attempt("to be spoilt", [], None)
    runs = sweep.runs("to be spoilt")
    invariants.hold(runs)
    (model,) = invariants.folder.glob(f"trained_model/{runs[0].run_id}/*/*.joblib")
    good = model.read_bytes()
    model.write_bytes(good[:-1])
    with pytest.raises(ArtifactError, match="truncated"):
        invariants.hold(runs)
    with pytest.raises(AssertionError, match="changed or vanished"):
        invariants.no_object_changed_or_vanished()
    model.write_bytes(good)
    with pytest.raises(AssertionError, match="SUCCESS"):
        invariants.history_is_complete([*runs, *runs])
    manifest = model.parent / "manifest.json"
    second = model.parent.with_name("0" * 16)
    second.mkdir()
    (second / manifest.name).write_bytes(manifest.read_bytes())
    with pytest.raises(AssertionError, match="published 2 times"):
        invariants.hold(runs)
