"""How a run is failed: two statements, the status and the event, in the order of `EventLogStorage.store_event`."""

from collections.abc import Callable

import dagster as dg

from simulation.guards import Guard
from simulation.world import World

FAILURE = dg.DagsterRunStatus.FAILURE


def list_failure_statements(world: World, run_id: str, worker: str = "") -> list[Callable[[], None]]:
    """The statements that fail a run, in their order; the status is first, unless this world lacks that guard."""
    postgres = world.postgres
    statements = [
        lambda: postgres.set_status(run_id, FAILURE, worker),
        lambda: postgres.add_event(run_id, "RUN_FAILURE", worker),
    ]
    return statements[::-1] if Guard.STATUS_FIRST in world.off else statements
