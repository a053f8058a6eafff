"""The stored log of a failed location: what was tried, when, and where in the code it failed.

It is written once, before the chunk of the location is committed. No line quotes a row, or another library's message.

Belongs here: its text, and its place. Does not belong here: what a step is (`steps`).
"""

import hashlib
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime

from credit_assets.waves.failures.steps import Step
from credit_assets.waves.outcomes import Failed
from credit_assets.waves.plans.plan import Plan
from resources.services.calls.service import Try
from resources.store.object_store import ObjectStore
from resources.store.written_once import write_once

# A store far away takes some 20 ms for an object.
WRITTEN_AT_ONCE = 8


def describe_failure(failed: Failed, steps: Sequence[Step], plan: Plan, run: str) -> str:
    """The log of one location.

    Args:
        failed: its outcome.
        steps: what was tried, in this order.
        plan: of its wave.
        run: id of the attempt that tried.
    """
    facts = {
        "location": repr(failed.location),  # a name may have line breaks
        "cause": failed.cause,
        "what happened": failed.message,
        "wave": plan.wave,
        "run": run,
        "model": f"promotion {plan.model_number}, sha256 {plan.model_sha256}",
        "seconds": f"{failed.seconds:.3f}",
    }
    lines = [f"{name}: {value}" for name, value in facts.items()]
    for number, step in enumerate(steps, start=1):
        lines += ["", f"{number}. {_format_time(step.began)}, {step.seconds:.3f} s: {step.what}: {step.result}"]
        lines += [f"   {place}" for place in step.places]
    return "\n".join(lines) + "\n"


def make_call_steps(service: str, tries: Sequence[Try]) -> list[Step]:
    """The requests to a service as steps."""
    return [
        Step(f"service {service} was called, try {number}", each.result, each.began, each.seconds)
        for number, each in enumerate(tries, start=1)
    ]


def write_failure_logs(
    store: ObjectStore,
    folder: str,
    failures: Sequence[Failed],
    steps: Mapping[str, Sequence[Step]],
    plan: Plan,
    run: str,
) -> list[Failed]:
    """Writes the log of each failed location, and returns the failures with the address of their log.

    If an earlier attempt wrote one, that stands.

    Args:
        store: where waves are stored.
        folder: of the wave.
        failures: any number.
        steps: by location.
        plan: of the wave.
        run: id of this attempt.

    Raises:
        StoreError: the store is full, denied or away.
    """

    def write(failed: Failed) -> Failed:
        key = make_log_key(folder, failed.location)
        write_once(store, key, describe_failure(failed, steps.get(failed.location, ()), plan, run).encode())
        return replace(failed, log=store.location(key))

    if not failures:
        return []
    with ThreadPoolExecutor(WRITTEN_AT_ONCE) as writers:
        return list(writers.map(write, failures))


def make_log_key(folder: str, location: str) -> str:
    """Where the log of a location lies: its name may have any characters, and its digest has not."""
    return f"{folder}/failed/{hashlib.sha256(location.encode()).hexdigest()[:16]}.log"


def _format_time(began: float) -> str:
    return datetime.fromtimestamp(began, UTC).isoformat(timespec="milliseconds")
