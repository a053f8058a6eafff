"""What is known of each segment: the newest scores of its locations, and which of them are new enough to count.

Belongs here: from scores of locations to scores of segments. Does not belong here: what rate follows (`decisions`).
"""

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from credit_assets.applications.newest_scores import LocationSum


@dataclass(frozen=True)
class SegmentScores:
    """The scores of one segment.

    Attributes:
        segment: its name.
        scores: how many count, because they are new enough.
        total: the sum of their probabilities of a default.
        unusable: how many of them are no probability.
        unusable_in: the locations that have such scores.
        oldest: when the first of them was written; None if none counts.
        outdated: how many scores are too old to count.
        last_outdated: when the newest location of those was scored; None if there is none.
    """

    segment: str
    scores: int = 0
    total: float = 0.0
    unusable: int = 0
    unusable_in: tuple[str, ...] = ()
    oldest: datetime | None = None
    outdated: int = 0
    last_outdated: datetime | None = None


def sum_by_segment(
    segments: Mapping[str, str | None], sums: Iterable[LocationSum], now: datetime, maximum_age_hours: float
) -> dict[str, SegmentScores]:
    """The scores of every segment that has a location, in the order of their names.

    A location whose scores are too old counts with none, so that it delays no other location of its segment.

    Args:
        segments: the segment of each location; None if it has none.
        sums: of locations; one that the table of locations does not have is left out.
        now: when they were read, with a time zone.
        maximum_age_hours: of the oldest score of a location that counts.
    """
    known = sorted({segment for segment in segments.values() if segment is not None})
    of_segment: dict[str, list[LocationSum]] = defaultdict(list)
    for each in sums:
        if (segment := segments.get(each.location)) is not None:
            of_segment[segment].append(each)
    earliest = now - timedelta(hours=maximum_age_hours)
    return {segment: _sum_up(segment, of_segment[segment], earliest) for segment in known}


def _sum_up(segment: str, sums: Iterable[LocationSum], earliest: datetime) -> SegmentScores:
    counted = [each for each in sums if each.oldest >= earliest]
    outdated = [each for each in sums if each.oldest < earliest]
    return SegmentScores(
        segment=segment,
        scores=sum(each.scores for each in counted),
        total=math.fsum(each.total for each in counted),
        unusable=sum(each.unusable for each in counted),
        unusable_in=tuple(sorted(each.location for each in counted if each.unusable)),
        oldest=min((each.oldest for each in counted), default=None),
        outdated=sum(each.scores for each in outdated),
        last_outdated=max((each.oldest for each in outdated), default=None),
    )
