"""What the UI shows of a pricing run: a row for each segment, the checks, and why the run failed.

Belongs here: how decisions are shown. Does not belong here: the decisions themselves (`decisions`).
"""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import dagster as dg

from credit_assets.checks.verdict import Verdict
from credit_assets.operations.page import make_table
from credit_assets.pricing.decisions import JUMP, Decision, Priced, Superseded, Unpriced
from credit_assets.pricing.rate import format_rate
from resources.history.facts import CAUSES

NO_JUMP, ONE_SEGMENT = "rates_do_not_jump", "every_location_has_one_segment"
CHECKS = {
    NO_JUMP: "No rate moves by more than maximum_step in [pricing], unless a person accepted it. One that does is not "
    "published.",
    ONE_SEGMENT: "Every location has one segment, so that its scores count for a price.",
}
EXAMPLES, ROWS_SHOWN = 3, 500


def describe_pricing(decisions: Sequence[Decision], now: datetime) -> dict[str, Any]:
    """What the UI shows of a pricing run.

    Args:
        decisions: one for each segment.
        now: when the scores were read, with a time zone.
    """
    in_order = sorted(decisions, key=lambda each: not isinstance(each, Unpriced))
    return {
        "priced": sum(isinstance(each, Priced) for each in decisions),
        "not priced": sum(isinstance(each, Unpriced) for each in decisions),
        "priced later by another run": sum(isinstance(each, Superseded) for each in decisions),
        "segments": make_table([_describe(each) for each in in_order[:ROWS_SHOWN]]),
        "scores read at": dg.MetadataValue.timestamp(now),
    }


def judge_pricing(decisions: Sequence[Decision], lost_locations: Sequence[str]) -> list[Verdict]:
    """One verdict for each of `CHECKS`. Neither stops the step: the other segments keep their new prices.

    Args:
        decisions: one for each segment.
        lost_locations: the locations that have no segment, or several.
    """
    jumps = [f"{each.segment}: {each.message}" for each in decisions if isinstance(each, Unpriced) and _is_jump(each)]
    accepted = [each.segment for each in decisions if isinstance(each, Priced) and each.is_accepted_jump]
    said = f"{len(jumps):,} rates jump and were not published; a person accepted {len(accepted):,} jumps"
    return [
        Verdict(
            NO_JUMP,
            not jumps,
            ". ".join([said, *jumps[:EXAMPLES]]),
            {"jumps": len(jumps), "accepted": len(accepted)},
            blocking=False,
        ),
        Verdict(
            ONE_SEGMENT,
            not lost_locations,
            f"{len(lost_locations):,} locations have no segment, or several: {name_some(lost_locations)}; expected one "
            "each. Their scores count for no price"
            if lost_locations
            else "every location has one segment",
            {"locations": len(lost_locations)},
            blocking=False,
            severity=dg.AssetCheckSeverity.WARN,
        ),
    ]


def fail_if_unpriced(decisions: Sequence[Decision]) -> None:
    """Fails the step if a segment was not priced, because Dagster shows a partition as failed only if its run has.

    Raises:
        dagster.Failure: at least one segment was not priced. A retry of the run would find the same, so it asks for
            none. `sensors.failures` sends an alert for each cause.
    """
    unpriced = [each for each in decisions if isinstance(each, Unpriced)]
    if not unpriced:
        return
    causes = []
    for cause, count in Counter(each.cause for each in unpriced).most_common():
        alike = [each for each in unpriced if each.cause == cause]
        names = name_some([each.segment for each in alike])
        causes.append(f"{cause}: {count:,} segments ({names}). {alike[0].segment}: {alike[0].message}")
    raise dg.Failure(
        description=f"{len(unpriced):,} of {len(decisions):,} segments were not priced and keep the price that they "
        f"have. {'; '.join(causes)}",
        metadata={CAUSES: dg.MetadataValue.json(causes)},
        allow_retries=False,
    )


def name_some(names: Sequence[str]) -> str:
    """The first few of these names, and how many more there are."""
    more = f" and {len(names) - EXAMPLES:,} more" if len(names) > EXAMPLES else ""
    return ", ".join(names[:EXAMPLES]) + more


def _is_jump(unpriced: Unpriced) -> bool:
    return unpriced.cause == JUMP


def _describe(decision: Decision) -> dict[str, str]:
    """A row of the page's table."""
    row = {
        "segment": decision.segment,
        "rate": "" if decision.published is None else format_rate(decision.published),
        "rate before": "",
        "scores": "",
        "mean probability": "",
        "what happened": "",
    }
    match decision:
        case Priced():
            return row | {
                "rate": format_rate(decision.rate),
                "rate before": row["rate"],
                "scores": f"{decision.scores:,}",
                "mean probability": format_rate(decision.mean_probability),
                "what happened": "a person accepted the jump" if decision.is_accepted_jump else "",
            }
        case Unpriced():
            return row | {"what happened": f"{decision.cause}: {decision.message}"}
        case Superseded():
            return row | {"what happened": "a run that read later scores has priced it"}
