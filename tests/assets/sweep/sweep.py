"""What runs and retries the cases of the sweep: one database and one store, which all cases share.

Belongs here: what the platform does around an attempt. Does not belong here: what must hold afterwards.
"""

import random
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from multiprocessing import get_context

import dagster as dg

from credit_assets.promotion.model_set import MODEL, read_set
from credit_assets.promotion.promote import Decision, promote_by_hand
from credit_assets.promotion.table_pointer import open_pointer
from resources.history.retry_rule import DAEMON_SECONDS, find_missing_retry
from resources.history.run_groups import read_attempts, read_groups
from resources.history.tags import PARENT, ROOT
from resources.store.object_store import ObjectStore
from tests.assets.sweep.attempt import CASE, run_attempt
from tests.assets.sweep.faults import AttemptSize, Fault, draw_fault
from tests.assets.sweep.kinds import WAVE_CASE, Kind

# Of one case: retries that the platform grants, and attempts that suffer a fault.
RETRIES, MOST_FAULTS = 5, 3
SECONDS_OF_AN_ATTEMPT = 120


@dataclass(frozen=True)
class Case:
    """A case that has ended: its runs, the oldest first, and for each the fault that it met, or None."""

    runs: list[dg.DagsterRun]
    faults: list[Fault | None]

    @property
    def is_interrupted(self) -> bool:
        """Whether a fault ended an attempt."""
        return len(self.faults) > 1


@dataclass
class Sweep:
    """One database and one store, which all cases share, and what runs and retries in them.

    Args:
        instance: of Dagster.
        store: where the platform's objects are.
        environment: names the sandbox of the sweep.
    """

    instance: dg.DagsterInstance
    store: ObjectStore
    environment: Mapping[str, str]
    imported: list[str] = field(default_factory=list)

    def run_case(self, kind: Kind, name: str, chance: random.Random, size: AttemptSize) -> Case:
        """Runs a case until it succeeds. Before each retry of a wave another model is promoted."""
        runs: list[dg.DagsterRun] = []
        faults: list[Fault | None] = []
        while not (runs and runs[-1].is_success):
            assert not runs or self.run_to_retry(runs[0].run_id) == runs[-1].run_id, f"no retry after {faults}"
            if runs and kind is WAVE_CASE:
                self.promote_another()
            one_more = not faults or (len(faults) < MOST_FAULTS and chance.random() < 0.5)
            faults.append(draw_fault(chance, size, kind.targets) if one_more else None)
            self.run_attempt(kind, name, runs, faults[-1])
            runs = self.runs(name)
        return Case(runs, faults)

    def run_attempt(self, kind: Kind, case: str, runs: list[dg.DagsterRun], fault: Fault | None) -> AttemptSize | None:
        """Runs the job, or continues the last of the runs; the attempt's size, or None if its process was killed.

        The first attempt tells what has to be imported. All others are forked from a process that has imported it,
        because imports take three times as long as the run.
        """
        tags = {CASE: case} | ({ROOT: runs[0].run_id, PARENT: runs[-1].run_id} if runs else {})
        context = get_context("forkserver") if self.imported else get_context("spawn")
        receiver, sender = context.Pipe(duplex=False)
        worker = context.Process(target=run_attempt, args=(self.environment, kind, tags, fault, sender))
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

    def promote_another(self) -> None:
        """Promotes by hand one of the first two models: the one that is not in use."""
        pointer = open_pointer(self.store, "loans")
        in_use = pointer.latest().value["set"][MODEL]["sha256"]
        sets = [read_set(self.store, pointer.at(number)) for number in (1, 2)]
        other = next(each for each in sets if each[MODEL].sha256 != in_use)
        run = str(uuid.uuid4())
        decision = Decision("hand", run, run, "the sweep", "another model")
        assert promote_by_hand(self.store, "loans", other, decision).moved
