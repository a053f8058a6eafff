"""The verdict on the worker of a run: a pure function of what is known of its lease and of its Job.

Belongs here: the facts and the rule. Does not belong here: how a fact is found, and what is done about a verdict.
"""

from dataclasses import dataclass
from enum import Enum

# Seconds. A holder renews its lease every second, so one that stood still for less is no reason to ask Kubernetes.
RENEWED_WITHIN = 1.5
# Seconds that a node may leave a pod that Kubernetes gave it. A node that lives takes a pod within a second or two.
# The longer time is for a retry of such a run: a slow Kubernetes must not get a new pod every few seconds.
TAKEN_WITHIN, NEXT_TAKEN_WITHIN = 8.0, 30.0


class JobState(Enum):
    """What the API server says of the Job of a run."""

    UNKNOWN = "it was not asked, or did not answer"
    ACTIVE = "the Job has a pod that has not ended, or will get one"
    ENDED = "all pods of the Job have ended"
    GONE = "there is no such Job"


class Verdict(Enum):
    """What became of the worker of a run."""

    ALIVE = "it works, or waits for its pod, or its run has moved on"
    SILENT = "it does not renew its lease, and nothing else says that it is dead"
    LOST = "it is given up: its lease was silent for too long, or its pod was taken away"
    CRASHED = "it ended by itself"


@dataclass(frozen=True)
class Facts:
    """What is known of the worker of a run.

    Attributes:
        lease_seconds: how long a lease may be silent.
        unreachable_seconds: the same if its holder can't be reached either.
        silent_seconds: how long the lease has not been renewed, as one watcher saw it; None: nobody holds the lease,
            because no worker has begun yet, or because it has ended without being asked to.
        is_unreachable: whether nothing answers at the holder's address, and the watcher's own network works.
        job: what the API server says of the run's Job.
        run_moved_on: whether the status of the run changed while its Job was asked about.
        out_of_memory: whether the kernel killed the pod for its memory. Then it killed the holder of the lease too.
    """

    lease_seconds: float
    unreachable_seconds: float
    silent_seconds: float | None
    is_unreachable: bool = False
    job: JobState = JobState.UNKNOWN
    run_moved_on: bool = False
    out_of_memory: bool = False


def judge(facts: Facts) -> Verdict:
    """Returns the verdict that these facts allow. While the Job is unknown, SILENT means: ask Kubernetes as well."""
    if facts.silent_seconds is None:
        return _judge_by_job(facts)
    if facts.silent_seconds < RENEWED_WITHIN:
        return Verdict.ALIVE
    if facts.job is JobState.ENDED and facts.out_of_memory:
        return Verdict.CRASHED
    longest = facts.unreachable_seconds if facts.is_unreachable else facts.lease_seconds
    if facts.silent_seconds >= longest or facts.job in (JobState.ENDED, JobState.GONE):
        return Verdict.LOST
    return Verdict.SILENT


def is_untaken_too_long(seconds: float, again: bool) -> bool:
    """Whether a pod is given up because the node that Kubernetes chose for it does not take it.

    Args:
        seconds: for how long one watcher has seen that.
        again: whether the run retries one that was given up for the same reason.
    """
    return seconds >= (NEXT_TAKEN_WITHIN if again else TAKEN_WITHIN)


def _judge_by_job(facts: Facts) -> Verdict:
    if facts.job is JobState.UNKNOWN:
        return Verdict.SILENT
    if facts.job is JobState.ACTIVE or facts.run_moved_on:
        return Verdict.ALIVE
    # A worker that was asked to end leaves its lease behind, so this one was not asked.
    return Verdict.CRASHED if facts.job is JobState.ENDED else Verdict.LOST
