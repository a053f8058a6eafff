"""A worker may die at any instruction, and any call to the store or the database may fail: the right model comes out.

Without these tests a fault at a moment that nobody thought of publishes a damaged model, two models or none.
The faults are drawn from the number of the case, so a case that failed fails again when it is run alone.
`make sweep` runs 200 cases (SWEEP_CASES), `make test` 20.
"""

import os
import random
import shutil
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field, replace
from functools import partial
from multiprocessing import get_context
from typing import Any

import dagster as dg
import psycopg2
import pytest

from credit_assets.loan_dataset import POOL
from credit_assets.loans.seed import seed
from credit_assets.settings.file import load_settings
from resources.history.retry_rule import DAEMON_SECONDS, find_missing_retry
from resources.history.run_groups import read_attempts, read_groups
from resources.history.tags import PARENT, ROOT
from resources.store.artifacts import ArtifactError
from resources.store.opening import open_store
from tests.assets.sweep.attempt import CASE, run_attempt
from tests.assets.sweep.faults import DATABASE, KILL, LOANS, STORE, AttemptSize, Fault, draw_fault
from tests.assets.sweep.invariants import PARTS, Invariants
from tests.support.sandbox import Sandbox
from tests.support.settings import write_loans_settings

CASES = int(os.environ.get("SWEEP_CASES", "20"))
# Of one case: retries that the platform grants, and attempts that suffer a fault.
RETRIES, MOST_FAULTS = 5, 3
SECONDS_OF_AN_ATTEMPT = 120
# Of fewer cases, half may be uninterrupted by chance.
ENOUGH_CASES = 10


@dataclass
class Sweep:
    """One database and one store, which all cases share, and what runs and retries in them."""

    sandbox: Sandbox
    imported: list[str] = field(default_factory=list)

    @property
    def instance(self) -> dg.DagsterInstance:
        return self.sandbox.instance

    def run_attempt(self, case: str, runs: list[dg.DagsterRun], fault: Fault | None) -> AttemptSize | None:
        """Runs the job, or continues the last of the runs; the attempt's size, or None if its process was killed.

        The first attempt tells what has to be imported. All others are forked from a process that has imported it,
        because imports take three times as long as the run.
        """
        tags = {CASE: case} | ({ROOT: runs[0].run_id, PARENT: runs[-1].run_id} if runs else {})
        context = get_context("forkserver") if self.imported else get_context("spawn")
        receiver, sender = context.Pipe(duplex=False)
        worker = context.Process(target=run_attempt, args=(self.sandbox.environment, tags, fault, sender))
        worker.start()
        sender.close()
        assert receiver.poll(SECONDS_OF_AN_ATTEMPT), f"{fault} made an attempt hang"
        try:
            size, imported = receiver.recv()
        except EOFError:  # it was killed
            return None
        finally:
            worker.join()
        if not self.imported:
            self.imported = imported
            get_context("forkserver").set_forkserver_preload(imported)
        return size

    def runs(self, case: str) -> list[dg.DagsterRun]:
        """The runs of a case, the oldest first. A run whose worker is gone is failed, as the run monitor does it."""
        found = self.instance.get_runs(dg.RunsFilter(tags={CASE: case}))
        for run in found:
            if not run.is_finished:
                self.instance.report_run_failed(run, "its worker is gone")
            if not run.is_success:
                # The storage does this after it has written a run's end, and the monitor half a minute later: the
                # worker may have been killed between the two, or the statement may be the one that failed.
                self.instance.event_log_storage.free_concurrency_slots_for_run(run.run_id)
        return list(reversed(self.instance.get_runs(dg.RunsFilter(tags={CASE: case}))))

    def run_to_retry(self, root: str) -> str | None:
        """The run that the sensor `lost_retries` would retry now, if it had been launched from a code location."""
        (group,) = read_groups(self.instance, [root])
        attempts = [replace(each, relaunchable=True) for each in read_attempts(self.instance, group)]
        return find_missing_retry(attempts, RETRIES, time.time() + DAEMON_SECONDS + 1)


@pytest.fixture(scope="module")
def sweep(sandbox: Sandbox) -> Iterator[Sweep]:
    settings = load_settings(write_loans_settings(sandbox.settings, rows=1_000))
    with closing(psycopg2.connect(sandbox.environment["PLATFORM_DATABASE_URL"])) as lending, lending:
        seed(lending.cursor(), settings)
    # With one slot, a retry waits in vain for a slot that a dead worker keeps.
    sandbox.instance.event_log_storage.set_concurrency_slots(POOL, 1)
    with sandbox.entered():
        yield Sweep(sandbox)


@pytest.fixture(scope="module")
def undisturbed(sweep: Sweep) -> tuple[AttemptSize, Invariants]:
    """The size of an attempt without a fault, and the invariants with the digests that such an attempt leaves."""
    assert sweep.run_attempt("the first", [], None)
    size = sweep.run_attempt("undisturbed", [], None)
    (run,) = sweep.runs("undisturbed")
    assert size
    assert run.is_success
    records = sweep.instance.get_records_for_run(run.run_id, of_type=dg.DagsterEventType.ASSET_MATERIALIZATION).records
    events = [event for each in records if (event := each.event_log_entry.asset_materialization)]
    metadata: dict[str, Any] = {each.asset_key.path[-1]: each.metadata for each in events}
    # The other two differ from run to run: a dataset holds the time of its snapshot, and metrics hold its digest.
    expected = {name: metadata[name]["sha256"].value for name in PARTS if name in ("test_split", "trained_model")}
    store = open_store(sweep.sandbox.environment["PLATFORM_STORE"])
    slots = partial(sweep.instance.event_log_storage.get_concurrency_info, POOL)
    return size, Invariants(store, sweep.sandbox.store, expected, slots)


@pytest.fixture(scope="module")
def interrupted() -> Iterator[list[bool]]:
    """For each case that ran, whether a fault ended an attempt. A sweep whose faults come too late proves nothing."""
    cases: list[bool] = []
    yield cases
    assert len(cases) < ENOUGH_CASES or sum(cases) >= len(cases) / 2, f"{sum(cases)} of {len(cases)} were interrupted"


@pytest.mark.parametrize("case", range(CASES))
def test_the_right_model_is_published_once_whatever_fails(
    sweep: Sweep, undisturbed: tuple[AttemptSize, Invariants], interrupted: list[bool], case: int
) -> None:
    size, invariants = undisturbed
    chance, name, runs, faults = random.Random(case), f"case {case}", [], []
    while not (runs and runs[-1].is_success):
        assert not runs or sweep.run_to_retry(runs[0].run_id) == runs[-1].run_id, f"no retry after {faults}"
        one_more = not faults or (len(faults) < MOST_FAULTS and chance.random() < 0.5)
        faults.append(draw_fault(chance, size) if one_more else None)
        sweep.run_attempt(name, runs, faults[-1])
        runs = sweep.runs(name)
    interrupted.append(len(faults) > 1)
    try:
        invariants.hold(runs)
    except AssertionError as error:
        error.add_note(f"case {case}, after {faults}")
        raise


@pytest.mark.parametrize("target", [STORE, DATABASE, LOANS])
def test_a_fault_interrupts_an_attempt_at_the_call_that_it_names(
    sweep: Sweep, undisturbed: tuple[AttemptSize, Invariants], target: str
) -> None:
    case = f"{target} kills"
    assert sweep.run_attempt(case, [], Fault(target, KILL, after_call=False, at=1)) is None
    assert [run.status.value for run in sweep.runs(case)] in ([], ["FAILURE"])


def test_the_invariants_notice_damage(sweep: Sweep, undisturbed: tuple[AttemptSize, Invariants]) -> None:
    _, invariants = undisturbed
    sweep.run_attempt("to be damaged", [], None)
    runs = sweep.runs("to be damaged")
    invariants.hold(runs)
    (model,) = invariants.folder.glob(f"trained_model/{runs[0].run_id}/*/*.joblib")
    good = model.read_bytes()
    model.write_bytes(good[:-1])
    with pytest.raises(ArtifactError, match="truncated"):
        invariants.hold(runs)
    with pytest.raises(AssertionError, match="changed or disappeared"):
        invariants.no_object_changed_or_disappeared()
    model.write_bytes(good)
    with pytest.raises(AssertionError, match="SUCCESS"):
        invariants.history_is_complete([*runs, *runs])
    manifest = model.parent / "manifest.json"
    second = model.parent.with_name("0" * 16)
    second.mkdir()
    (second / manifest.name).write_bytes(manifest.read_bytes())
    with pytest.raises(AssertionError, match="published 2 times"):
        invariants.hold(runs)
    shutil.rmtree(second)
