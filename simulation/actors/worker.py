"""The worker of a run: it computes little, and commits, adopts and promotes with the platform's own code."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import dagster as dg
import psycopg2

from credit_assets.promotion.model_set import DATASET, FIGURES, METRICS, MODEL, SPLIT
from credit_assets.promotion.promote import Decision, promote
from credit_assets.promotion.rule import find_objections
from credit_assets.settings.limits import Promotion
from resources.errors import PlatformError
from resources.store.artifacts import MANIFEST, Committed
from resources.store.checkpoints import Work
from resources.store.formats import FORMATS, Document
from resources.store.object_store import StoreError
from simulation.actors.beside import BesideExecutor
from simulation.actors.failure import list_failure_statements
from simulation.actors.step_log import WorkerLog
from simulation.invariants import TABLE, TICK
from simulation.loop import Thread
from simulation.world import World

STATUS = dg.DagsterRunStatus
# What is trained: items, and the seconds that one takes.
TREES, TREE_SECONDS = 10, 0.6
SCORES = dict.fromkeys(FIGURES, 0.8)
FIRST_LOANS = datetime(2026, 1, 1, tzinfo=UTC)
# How a step may fail without a fault of the platform: a request broke.
BROKEN = (psycopg2.OperationalError, StoreError)


class Notice(Exception):
    """SIGTERM: the node is taken away soon."""


class Worker:
    """One attempt of a refresh.

    Attributes:
        thread: its only one.
        is_asked_to_end: whether it had a notice.
    """

    thread: Thread

    def __init__(self, world: World, run_id: str, name: str) -> None:
        self._world, self._run = world, world.postgres.runs[run_id]
        self._name, self._log = f"{name} worker", WorkerLog(world.postgres, run_id, name)
        self._was_committed = frozenset(world.bucket.objects)
        self.is_asked_to_end = self._is_ending = False

    def notify(self) -> None:
        """Gives it a notice."""
        self.is_asked_to_end = True
        if not self._is_ending:
            self.thread.interrupt(Notice())

    def live(self) -> None:
        """Works, and says how the run ended, if PostgreSQL lets it."""
        try:
            self._work()
        except psycopg2.ProgrammingError as error:
            self._world.loop.note(self._name, f"is refused: {error}")
        except (Notice, *BROKEN) as error:
            self._is_ending = True
            self._world.loop.note(self._name, f"gives up: {str(error) or 'it has a notice'}")
            self._report_failure()
        except PlatformError as error:
            self._world.watcher.report(self._name, f"{type(error).__name__}: {error}")

    def _work(self) -> None:
        loop = self._world.loop
        loop.sleep(loop.chance.uniform(0.5, 1.5))
        self._log.write_event("RUN_START")
        self._log.write_status(STATUS.STARTED)
        tick = int(self._run.tags[TICK])
        as_of = (FIRST_LOANS + timedelta(days=tick)).isoformat()
        parts = {DATASET: self._make(DATASET, {"table": TABLE, "as_of": as_of}, {}, 1.0)}
        parts[SPLIT] = self._make(SPLIT, {}, parts, 0.3)
        parts[MODEL] = self._make(MODEL, {}, parts, 0.0)
        sources = {name: parts[name] for name in (SPLIT, MODEL)}
        parts[METRICS] = self._make(METRICS, {}, sources, 0.5)
        self._promote(parts)
        self._log.write_event("RUN_SUCCESS")
        self._log.write_status(STATUS.SUCCESS)

    def _make(
        self, asset: str, facts: Mapping[str, Any], sources: Mapping[str, Committed], seconds: float
    ) -> Committed:
        """One asset: adopted, or computed and committed."""
        self._log.write_event("STEP_START")
        digests = {f"{name}_sha256": source.sha256 for name, source in sources.items()}
        work = Work(
            self._world.store,
            self._log,
            asset,
            self._run.root,
            self._run.run_id,
            {"inputs": digests},
            FORMATS["report"],
        )

        def compute() -> tuple[Document, Mapping[str, Any]]:
            if f"{work.place}/{MANIFEST}" in self._was_committed:
                self._world.watcher.report(self._name, f"{asset} was committed before, and is made again")
            self._world.loop.sleep(seconds)
            trees = [tree.decode() for tree in self._grow(work)] if asset == MODEL else []
            return Document({"scores": SCORES, "trees": trees, **facts}, asset), {**facts, **digests}

        committed = work.adopt_or(compute).commit().committed
        self._log.write_event("ASSET_MATERIALIZATION")
        return committed

    def _grow(self, work: Work) -> list[bytes]:
        """The trees, in the platform's blocks."""
        blocks = work.blocks("trees", hold_notices=False)
        folder = f"{work.place}/blocks/"
        known = {int(key.removeprefix(folder)[:8]) for key in self._was_committed if key.startswith(folder)}

        def make(numbers: Iterator[int]) -> Iterator[bytes]:
            for number in numbers:
                if number in known:
                    self._world.watcher.report(self._name, f"tree {number} was committed before, and is made again")
                self._world.loop.sleep(TREE_SECONDS)
                yield f"{self._run.root} tree {number}".encode()

        beside = partial(BesideExecutor, self.thread.process)
        return replace(blocks, clock=lambda: self._world.loop.now, beside=beside).grow(TREES, make)

    def _promote(self, parts: Mapping[str, Committed]) -> None:
        self._log.write_event("STEP_START")
        rule = partial(find_objections, limits=Promotion(minimum_auc=0.5, maximum_auc_loss=0.1))
        promote(self._world.store, TABLE, parts, Decision("rule", self._run.run_id, self._run.root), rule)
        self._log.write_event("ASSET_MATERIALIZATION")

    def _report_failure(self) -> None:
        """It tries until PostgreSQL has stored or refused it."""
        postgres, run_id = self._world.postgres, self._run.run_id

        def fail(statement: Callable[[], None]) -> None:
            if postgres.runs[run_id].status is not STATUS.SUCCESS:  # Dagster fails no run that has ended
                statement()

        for statement in list_failure_statements(self._world, run_id, self._log.worker):
            while True:
                try:
                    postgres.ask(partial(fail, statement))
                    break
                except psycopg2.OperationalError:
                    self._world.loop.sleep(0.5)
                except (psycopg2.ProgrammingError, Notice):
                    return
