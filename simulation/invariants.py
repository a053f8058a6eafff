"""What must hold in every history, whatever was lost, delayed or repeated.

They are the invariants of the sweep and three more: only the leader acts, a failure is answered soon, and nobody is
given up whom no fault has struck.

Belongs here: what is watched while a history goes on, and what must hold when the world is quiet again. Does not belong
here: what causes a fault (`faults`).
"""

import json
from collections import Counter
from typing import TYPE_CHECKING, Any

import dagster as dg

from credit_assets.promotion.model_set import PARTS, read_set, verify_set
from credit_assets.promotion.table_pointer import POINTER, open_pointer
from resources.errors import PlatformError
from resources.history.tags import MAX_RETRIES, NUMBER
from resources.store.artifacts import MANIFEST
from simulation.loop import Loop

if TYPE_CHECKING:
    from resources.store.object_store import ObjectStore
    from simulation.models.postgres import Postgres, Run

STATUS = dg.DagsterRunStatus
# The table whose model is trained, and the tag of a run that the schedule requested: which tick it belongs to.
TABLE, TICK = "loans", "tick"
# Seconds in which the daemon retries if nothing disturbs it. The sensor would take half a minute.
PROMPT = 12.0
# Seconds in which PostgreSQL carries out what waited for it.
AT_ONCE = 0.002


class Watcher:
    """Sees every write, and remembers the first one that must not be.

    Attributes:
        broken: what was broken; empty: nothing.
        disturbed_until: until when a fault of a daemon or a service may delay a retry.
    """

    def __init__(self, loop: Loop) -> None:
        self._loop, self.broken = loop, ""
        self._newest, self.disturbed_until = "", -1.0

    def report(self, who: str, what: str) -> None:
        """Notes that an invariant is broken, and ends the world."""
        if not self.broken:
            self._loop.note(who, f"BROKEN: {what}")
            self.broken, self._loop.is_over = what, True

    def see_run(self, postgres: "Postgres", run: "Run") -> None:
        """A run is asked for once, and a failed run is retried once."""
        if NUMBER in run.tags:
            self._loop.note("PostgreSQL", f"{run.run_id} retries {run.parent_run_id}")
            same = [each for each in postgres.runs.values() if each.parent_run_id == run.parent_run_id]
            if len(same) > 1:
                self.report("PostgreSQL", f"{run.parent_run_id} has {len(same)} retries")
            return
        self._loop.note("PostgreSQL", f"{run.run_id} is asked for")
        same = [each for each in postgres.runs.values() if each.parent_run_id is None and each.tags == run.tags]
        if len(same) > 1:
            self.report("PostgreSQL", f"the work of tick {run.tags[TICK]} is asked for {len(same)} times")

    def see_status(self, run: "Run", status: dg.DagsterRunStatus, worker: str) -> None:
        """A run that has ended stays so."""
        if status is not run.status:
            self._loop.note(worker or "the daemon", f"{run.run_id} is {status.value}")
        if run.status in (STATUS.FAILURE, STATUS.SUCCESS) and status is not run.status:
            self.report("PostgreSQL", f"{run.run_id} was {run.status.value} and is {status.value} now")

    def see_event(self, postgres: "Postgres", run: "Run", kind: str, worker: str) -> None:
        """Nothing counts that a worker writes after its run had failed, and a failure is answered at once."""
        if kind == "RUN_FAILURE":
            self._loop.after(PROMPT, lambda: self._expect_retry(postgres, run.run_id, self._loop.now - PROMPT))
        if worker and run.status is STATUS.FAILURE and kind != "RUN_FAILURE":
            self.report("PostgreSQL", f"{worker} wrote {kind} after its run had failed")

    def _expect_retry(self, postgres: "Postgres", run_id: str, since: float) -> None:
        run = postgres.runs[run_id]
        is_retried = any(each.parent_run_id == run_id for each in postgres.runs.values())
        if not is_retried and self.disturbed_until < since and run.tags.get(MAX_RETRIES) != "0":
            self.report("PostgreSQL", f"{run_id} has no retry {PROMPT:.0f} s after its failure")

    def see_leader(self, postgres: "Postgres", daemon: str, what: str) -> None:
        """Nobody acts as the leader who is not.

        A PostgreSQL that stood still carries out at once, in no order, what it was sent before. A new leader needs
        longer to act.
        """
        if self._loop.now < postgres.stalled_until + AT_ONCE:
            return
        row = postgres.leases.rows.get("daemon")
        if row and row.holder != daemon:
            self.report("PostgreSQL", f"{daemon} {what}, and {row.holder} leads")

    def see_object(self, key: str, before: bytes | None, after: bytes) -> None:
        """No object changes, and the pointer never goes back."""
        if before is not None and before != after:
            self.report("the store", f"{key} was overwritten")
        if key.endswith(f"/{MANIFEST}"):
            asset, root = key.split("/")[:2]
            self._loop.note("the store", f"{asset} of {root} is committed")
        if key.startswith(f"{POINTER}/"):
            value = json.loads(after)["value"]
            self._loop.note("the store", f"position {int(key[-13:-5])} names the set of {value['root_run']}")
            if value["newest_as_of"] < self._newest:
                self.report("the store", "the pointer went back to older loans")
            self._newest = value["newest_as_of"]


def find_broken_end(postgres: "Postgres", store: "ObjectStore", roots: int) -> str:
    """What must hold when no fault is left and everybody had time; the first that does not, or empty."""
    asked = [run for run in postgres.runs.values() if run.parent_run_id is None]
    if len(asked) != roots:
        return f"{len(asked)} of {roots} runs were asked for"
    for root in asked:
        if broken := find_broken_group(postgres.group(root.run_id)) or find_broken_places(store, root.run_id):
            return broken
    return find_broken_pointer(store, asked[-1].run_id)


def find_broken_group(group: "list[Run]") -> str:
    """Each run but the last has failed and has one retry; the last has succeeded."""
    statuses = [run.status for run in group]
    if statuses != [STATUS.FAILURE] * (len(group) - 1) + [STATUS.SUCCESS]:
        return f"not quiet: {', '.join(f'{run.run_id} is {run.status.value}' for run in group)}"
    if [run.parent_run_id for run in group[1:]] != [run.run_id for run in group[:-1]]:
        return f"a run of {group[0].run_id} was not retried by the next"
    return ""


def find_broken_places(store: "ObjectStore", root: str) -> str:
    """Each asset is committed once."""
    for asset in PARTS:
        found = [key for key in store.list_keys(f"{asset}/{root}") if key.endswith(f"/{MANIFEST}")]
        if len(found) != 1:
            return f"{asset} of {root} was committed {len(found)} times"
    return ""


def find_broken_pointer(store: "ObjectStore", newest: str) -> str:
    """It stands at the newest set, moved at most once for each, and every set that it named is whole."""
    try:
        history: list[Any] = list(open_pointer(store, TABLE).history())
        for position in history:
            if verify_set(store, read_set(store, position)) != position.value["metrics"]:
                return f"position {position.number} names other figures than its set has"
    except PlatformError as error:
        return f"the pointer is damaged: {error}"
    named = [position.value["root_run"] for position in history]
    if not named or named[0] != newest:
        return f"the pointer does not name the set of {newest}"
    twice = [root for root, times in Counter(named).items() if times > 1]
    return f"the pointer moved twice for {twice[0]}" if twice else ""
