"""The page of a wave in Dagster's UI: counts by state, failures by cause, slowest locations, what a repetition does.

The Map Run page of AWS Step Functions shows the same of a distributed map.

Belongs here: how a wave is summed up and shown. Does not belong here: the outcomes themselves (`outcomes`).
"""

import math
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import dagster as dg

from credit_assets.operations.page import make_table
from credit_assets.settings.scoring import Scoring
from credit_assets.tables.rules import count_of
from credit_assets.waves.outcomes import Failed, Outcome, list_failed, list_scored
from credit_assets.waves.plans.plan import Plan

# The job that scores all locations, and the one that scores failed locations again.
SCORE_LOCATIONS, RESCORE = "score_locations", "rescore"
# A tenth of 2,000 locations: as many are named as soon as they fail, and not only by the report at the end.
FAILURES_SHOWN = 200
SLOWEST, EXAMPLES = 10, 3


def count_tolerated(scoring: Scoring, locations: int) -> int:
    """How many locations of a wave may fail before its check does: a count, or a share if that is smaller."""
    # Rounded first: 0.29 * 100 is 28.999999999999996.
    return min(scoring.tolerated_count, math.floor(round(scoring.tolerated_share * locations, 6)))


def describe_wave(
    plan: Plan,
    outcomes: Sequence[Outcome],
    scoring: Scoring,
    named: Collection[str] = (),
    shown: Sequence[Failed] | None = None,
) -> dict[str, Any]:
    """What the UI shows of a wave, finished or under way.

    Args:
        plan: what it scores.
        outcomes: of the locations that were tried so far.
        scoring: how many failures are tolerated.
        named: failed locations that an earlier page of this wave under way names. Dagster loads all pages of a week,
            so they are not repeated.
        shown: what `choose_failures` has chosen; None to choose here.
    """
    scored, failed = list_scored(outcomes), list_failed(outcomes)
    shown = choose_failures(outcomes, named) if shown is None else shown
    not_shown = sum(each.location not in named for each in failed) - len(shown)
    tolerated = count_tolerated(scoring, plan.size)
    return {
        "scored": len(scored),
        "failed": len(failed),
        "waiting": plan.size - len(outcomes),
        "applications": sum(each.rows for each in scored),
        "failures by cause": _make_table_or_none(count_causes(outcomes)),
        "failed locations": _make_table_or_none(
            [
                {"location": each.location, "cause": each.cause, "what happened": each.message, "log": each.log}
                for each in shown
            ]
        )
        if shown or not failed
        else "all of them are on earlier observations of this run",
        **({"failed locations on earlier observations of this run": len(named)} if named else {}),
        "failed locations that are not shown": not_shown,
        "tolerated failures": tolerated,
        "a repetition": describe_repetition(sum(each.location not in plan.unknown for each in failed)),
        "slowest": _make_table_or_none(
            [
                {"location": each.location, "seconds": f"{each.seconds:.3f}", "applications": f"{each.rows:,}"}
                for each in sorted(scored, key=lambda each: -each.seconds)[:SLOWEST]
            ]
        ),
        "applications of no known location": plan.stray_applications,
        **({"locations that the table lacks": quote_names(plan.stray_locations)} if plan.stray_locations else {}),
        **({"locations with several rows": quote_names(plan.repeated_locations)} if plan.repeated_locations else {}),
        "model": f"promotion {plan.model_number}, sha256 {plan.model_sha256[:12]}…",
        "began": dg.MetadataValue.timestamp(plan.began_at),
    }


def choose_failures(outcomes: Sequence[Outcome], named: Collection[str] = ()) -> list[Failed]:
    """The failures that a page shows: those that no page has named before, as far as they fit on it."""
    return [each for each in list_failed(outcomes) if each.location not in named][:FAILURES_SHOWN]


def count_causes(outcomes: Sequence[Outcome]) -> list[dict[str, str]]:
    """Each cause of failure with its count and the names of a few locations, the most frequent first."""
    failed = list_failed(outcomes)
    counts = Counter(each.cause for each in failed)
    return [
        {
            "cause": cause,
            "locations": f"{count:,}",
            "for example": ", ".join([each.location for each in failed if each.cause == cause][:EXAMPLES])
            + (", …" if count > EXAMPLES else ""),
        }
        for cause, count in counts.most_common()
    ]


def quote_names(names: Sequence[str]) -> str:
    """Names as people can tell them apart, also an empty one and one with blanks."""
    return ", ".join(f'"{name}"' for name in names)


def describe_repetition(failed: int) -> str:
    """What the job that repeats failed locations would do now.

    Args:
        failed: locations of the table that failed.
    """
    if not failed:
        return "nothing: no location of the table failed"
    return (
        f"the job {RESCORE} scores the {failed:,} failed locations in one run, with the model that is in use then. A "
        "re-execution of this run would find the same failures"
    )


def summarize_outcomes(outcomes: Sequence[Outcome], tolerated: int) -> str:
    """One sentence about a finished wave."""
    failed = list_failed(outcomes)
    causes = "; ".join(
        f"{each['cause']}: {each['locations']} ({each['for example']})" for each in count_causes(outcomes)
    )
    sentence = count_failures(outcomes, tolerated)
    return f"{sentence}. {causes}" if failed else sentence


def count_failures(outcomes: Sequence[Outcome], tolerated: int) -> str:
    """How many locations of a finished wave failed, for people."""
    return (
        f"{len(list_failed(outcomes)):,} of {count_of(len(outcomes), 'location')} failed, {tolerated:,} are tolerated"
    )


def _make_table_or_none(rows: Sequence[Mapping[str, str]]) -> dg.TableMetadataValue | str:
    return make_table(rows) if rows else "none"
