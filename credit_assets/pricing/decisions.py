"""Which segments get a new rate, and why others don't. Each segment is decided by itself.

Belongs here: the rules, as pure functions. Does not belong here: the formula (`rate`), and where prices are kept
(`prices_table`).
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from credit_assets.pricing.rate import compute_rate, format_rate, measure_step
from credit_assets.pricing.segments import SegmentScores
from credit_assets.settings.pricing import Pricing

UNKNOWN_SEGMENT, BAD_SCORES, TOO_OLD, TOO_FEW, JUMP = (
    "unknown segment",
    "bad scores",
    "scores too old",
    "too few scores",
    "rate jumps",
)


@dataclass(frozen=True)
class PublishedPrice:
    """The price of a segment that is in the table: its rate, and when the scores behind it were read."""

    rate: float
    priced_at: datetime


@dataclass(frozen=True)
class Priced:
    """A segment with a new rate.

    Attributes:
        segment: its name.
        rate: a share.
        published: the rate before; None if this is the first.
        scores: how many scores it follows from.
        mean_probability: of a default, over these scores.
        oldest: when the first of these scores was written.
        is_accepted_jump: whether the rate moved by more than the settings allow, and a person had accepted that.
    """

    segment: str
    rate: float
    published: float | None
    scores: int
    mean_probability: float
    oldest: datetime
    is_accepted_jump: bool = False


@dataclass(frozen=True)
class Unpriced:
    """A segment that keeps the price that it has, because something is wrong with it.

    Attributes:
        segment: its name.
        cause: the same for all segments that fail alike.
        message: what happened, what was expected, and which setting says so.
        published: the rate that stays; None if there is none.
        refused_rate: the rate that was refused; None if none was computed.
    """

    segment: str
    cause: str
    message: str
    published: float | None = None
    refused_rate: float | None = None


@dataclass(frozen=True)
class Superseded:
    """A segment whose published price follows from scores that were read later than those of this run."""

    segment: str
    published: float


Decision = Priced | Unpriced | Superseded


def decide_segments(
    chosen: Iterable[str],
    known: Mapping[str, SegmentScores],
    published: Mapping[str, PublishedPrice],
    pricing: Pricing,
    now: datetime,
    accepted: Collection[str],
) -> list[Decision]:
    """A decision for each chosen segment.

    Args:
        chosen: names of segments; one that is not known is a failure of its own.
        known: the scores of each segment.
        published: the prices that are in the table.
        pricing: formula and bounds.
        now: when the scores were read, with a time zone.
        accepted: segments whose rate may jump, because a person said so.
    """
    decisions: list[Decision] = []
    for segment in chosen:
        price = published.get(segment)
        if price and price.priced_at > now:
            decisions.append(Superseded(segment, price.rate))
        elif segment not in known:
            message = f"no location has the segment {segment!r} in the column {pricing.segment} (pricing.segment)"
            decisions.append(Unpriced(segment, UNKNOWN_SEGMENT, message, price and price.rate))
        else:
            decisions.append(
                decide_segment(
                    known[segment], price.rate if price else None, pricing, now, accepts_jump=segment in accepted
                )
            )
    return decisions


def decide_segment(
    found: SegmentScores, published: float | None, pricing: Pricing, now: datetime, *, accepts_jump: bool = False
) -> Priced | Unpriced:
    """The new rate of one segment, or why it has none.

    Args:
        found: its scores.
        published: its rate so far; None if it has none, so that the first one can't jump.
        pricing: formula and bounds.
        now: when the scores were read, with a time zone.
        accepts_jump: whether the rate may move by more than `pricing.maximum_step`.
    """
    if problem := find_problem(found, pricing, now):
        cause, message = problem
        return Unpriced(found.segment, cause, message, published)
    mean = found.total / found.scores
    rate = compute_rate(pricing, mean)
    step = 0.0 if published is None else measure_step(rate, published)
    is_jump = step > pricing.maximum_step
    if is_jump and not accepts_jump:
        bound = {pricing.maximum_rate: " (pricing.maximum_rate)", pricing.minimum_rate: " (pricing.minimum_rate)"}
        message = (
            f"the rate would go from {format_rate(published or 0)} to {format_rate(rate)}{bound.get(rate, '')}, a step "
            f"of {format_rate(step)}; expected at most {format_rate(pricing.maximum_step)} (pricing.maximum_step). To "
            "publish it, run the job again with this segment in accept_jumps"
        )
        return Unpriced(found.segment, JUMP, message, published, rate)
    if found.oldest is None:
        raise ValueError("scores that count have a time")
    return Priced(found.segment, rate, published, found.scores, mean, found.oldest, is_jump)


def find_problem(found: SegmentScores, pricing: Pricing, now: datetime) -> tuple[str, str] | None:
    """The cause why no rate can follow from these scores, and a sentence about it; None if one can."""
    expected = f"expected at least {pricing.minimum_scores:,} (pricing.minimum_scores)"
    if found.unusable:
        return BAD_SCORES, (
            f"{found.unusable:,} of {found.scores:,} scores are no probability; expected numbers from 0 to 1. Score "
            f"again: {', '.join(found.unusable_in)}"
        )
    if found.scores >= pricing.minimum_scores:
        return None
    if found.last_outdated is None:
        return TOO_FEW, f"it has {found.scores:,} scores; {expected}"
    hours = (now - found.last_outdated).total_seconds() / 3600
    message = (
        f"{found.scores:,} of {found.scores + found.outdated:,} scores were written within "
        f"{pricing.maximum_age_hours:g} hours (pricing.maximum_age_hours); {expected}. The newest of the others are "
        f"{hours:.1f} hours old: look whether waves run"
    )
    return TOO_OLD, message
