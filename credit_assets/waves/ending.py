"""The end of a wave: its report, and the failure of its step if a location failed.

Belongs here: what is stored and raised at the end. Does not belong here: what the UI shows (`page`).
"""

from collections import Counter
from collections.abc import Sequence

import dagster as dg

from credit_assets.checks.verdict import Verdict
from credit_assets.tables.rules import count_of
from credit_assets.waves.outcomes import UNKNOWN_LOCATION, Failed, Outcome, describe_outcomes, list_failed, list_scored
from credit_assets.waves.page import RESCORE, count_causes, count_failures, summarize_outcomes
from credit_assets.waves.plans.plan import Plan
from resources.history.facts import CAUSES, TOLERATED
from resources.store.formats import Document

CHECK = "failures_are_tolerated"
LOOK = "The page of this wave in Dagster's UI names the failed locations, each with its log"
CHECKS = {CHECK: "At most as many locations failed as [scoring] in the settings tolerates."}


def write_wave_report(plan: Plan, outcomes: Sequence[Outcome], tolerated: int) -> Document:
    """The report of a wave: for programs the outcome of each location, for people one sentence and the failures."""
    failed = list_failed(outcomes)
    data = {
        "wave": plan.wave,
        "began": plan.began,
        "model": {"number": plan.model_number, "sha256": plan.model_sha256},
        "scored": len(list_scored(outcomes)),
        "failed": len(failed),
        "tolerated": tolerated,
        "outcomes": describe_outcomes(outcomes),
    }
    lines = [f"{each.location}: {each.cause}: {each.message}. Log: {each.log or 'none'}" for each in failed]
    return Document(data, "\n".join([summarize_outcomes(outcomes, tolerated), *lines]) + "\n")


def judge_failures(outcomes: Sequence[Outcome], tolerated: int, *, is_last: bool = True) -> Verdict:
    """Whether few enough locations failed. The check does not block, because what was scored stays.

    A shard that did not end last (`is_last`) judges nothing, because it does not know all outcomes.
    """
    count = len(list_failed(outcomes))
    sentence = summarize_outcomes(outcomes, tolerated)
    if not is_last:
        sentence += ". The shard that ends last judges the whole wave"
    is_good = count <= tolerated or not is_last
    return Verdict(CHECK, is_good, sentence, {"failed": count, "tolerated": tolerated}, blocking=False)


def fail_if_any_failed(outcomes: Sequence[Outcome], tolerated: int) -> None:
    """Fails the step if a location failed, because Dagster shows a partition as failed only if its run has failed.

    Raises:
        dagster.Failure: at least one location failed. A retry of the run would find the same, so it asks for none.
            Its metadata says whether so many are tolerated, and every cause: `sensors.failures` alarms nobody if they
            are, and else sends an alert for each cause.
    """
    failed = list_failed(outcomes)
    count, unknown = len(failed), sum(each.cause == UNKNOWN_LOCATION for each in failed)
    if count:
        again = (
            f". To score them again, launch the job {RESCORE}. A re-execution of this run would find the same failures"
        )
        correct = ". Correct the names that are unknown: no run finds them"
        causes = list_causes(failed)
        raise dg.Failure(
            description=f"{count_failures(outcomes, tolerated)}. {'; '.join(causes)}. {LOOK}"
            + (again if unknown < count else "")
            + (correct if unknown else ""),
            metadata={
                TOLERATED: dg.MetadataValue.bool(count <= tolerated),
                CAUSES: dg.MetadataValue.json(causes),
            },
            allow_retries=False,
        )


def list_causes(failed: Sequence[Failed]) -> list[str]:
    """Each cause with the count of its locations, a few names, and what happened at the first of them."""
    first = {each.cause: each for each in reversed(failed)}
    counts = Counter(each.cause for each in failed)
    return [
        f"{each['cause']}: {count_of(counts[each['cause']], 'location')} ({each['for example']}). "
        f"{first[each['cause']].location}: {first[each['cause']].message}"
        for each in count_causes(failed)
    ]


def fail_shard_if_any_failed(own: Sequence[Outcome], number: int) -> None:
    """Fails the step of a shard that did not end last, if one of its own locations failed.

    Raises:
        dagster.Failure: at least one location failed. It alarms nobody, because the shard that ends last judges all.
    """
    if failed := list_failed(own):
        raise dg.Failure(
            description=f"{len(failed):,} of the {len(own):,} locations of shard {number} failed. The shard that ends "
            "last says whether so many are tolerated in the whole wave",
            metadata={TOLERATED: dg.MetadataValue.bool(True)},
            allow_retries=False,
        )
