"""Tags of runs: their names, and those by which an attempt says where it runs.

The names stand in one place, because a tag that two modules spell differently is never found. Does not belong here:
which variables name the node and the capacity (`resources.deployment`).
"""

from dataclasses import dataclass

import dagster as dg

# Tags of Dagster. Its daemon and the sensor `lost_retries` both number a retry, so that neither starts a second one.
ROOT, PARENT, NUMBER = "dagster/root_run_id", "dagster/parent_run_id", "dagster/retry_number"
# How many retries a run may have, and why Dagster says that it failed.
MAX_RETRIES, REASON = "dagster/max_retries", "dagster/failure_reason"
# "true" or "false" when Dagster has decided whether it retries a failed run.
WILL_RETRY = "dagster/will_retry"
# The node of an attempt, and the kind of nodes that it was bound to. A retry inherits both until it writes its own.
NODE, CAPACITY = "platform/node", "platform/capacity"
# CRASHED: id of the run whose worker crashed. LOST_AT: Unix time, by PostgreSQL's clock, of the last renewal of a
# worker that was given up. A retry inherits both.
CRASHED, LOST_AT = "platform/crashed", "platform/lost_at"
# The id of a run whose pod no node took: Kubernetes had chosen a node that was lost. A retry inherits it.
UNTAKEN = "platform/untaken"
# The process that works on a run without a launcher. A launched run inherits the tag from the run that it retries.
PROCESS = "platform/process"
# The id of a run that announces each manifest in the event log before it creates it. A retry inherits the tag of the
# run before it, so it counts only if it is the run's own id.
ANNOUNCES = "platform/announces"
# The launcher stops the retries of a run with `dagster/max_retries: 0`, and writes the run's id into this tag. A
# person's re-execution inherits both tags. By the id of another run the launcher knows that it may be retried again.
RETRIES_STOPPED = "platform/retries_stopped"
# Tag of Dagster: the run key that a sensor requested a run with. A retry inherits it.
RUN_KEY = "dagster/run_key"
# Tag of Dagster: the backfill that a run is a part of. Runs of one backfill have different partitions.
BACKFILL = "dagster/backfill"
# The id of a run whose failure was reported. A retry inherits it.
REPORTED = "failures/reported"


@dataclass(frozen=True)
class Whereabouts:
    """Where this process runs. What is not known is None.

    Args:
        image: of the pod, by digest.
        node: of the pod.
        capacity: that the pod is bound to: `spot` or `any`.
    """

    image: str | None = None
    node: str | None = None
    capacity: str | None = None

    def to_manifest(self) -> dict[str, str]:
        """What an artifact records of it."""
        return {name: value for name in ("image", "node") if (value := getattr(self, name))}

    def tag_run(self, instance: dg.DagsterInstance, run_id: str) -> None:
        """Tags a run with the node that it runs on and the capacity that it is bound to, as far as they are known."""
        if tags := {tag: value for tag, value in {NODE: self.node, CAPACITY: self.capacity}.items() if value}:
            instance.add_run_tags(run_id, tags)


UNKNOWN = Whereabouts()
