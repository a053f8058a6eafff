"""One pricing run: what it reads from the two databases, and what it publishes in one transaction.

Belongs here: the order of reads and writes. Does not belong here: the rules (`decisions`), and Dagster's events
(`record`).
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from credit_assets.applications.newest_scores import sum_newest_scores
from credit_assets.applications.tables import count_applications, read_segments
from credit_assets.pricing.decisions import Decision, Priced, decide_segments
from credit_assets.pricing.prices_table import open_prices, publish_prices
from credit_assets.pricing.segments import SegmentScores, sum_by_segment
from credit_assets.settings.pricing import Pricing
from credit_assets.settings.scoring import Scoring
from resources.errors import PlatformError
from resources.services.database import Database


class PricingError(PlatformError, ValueError):
    """There is nothing to price, or a name is not that of a segment: says which, and what to do."""


@dataclass(frozen=True)
class Found:
    """What was read before any price is decided.

    Attributes:
        known: the scores of each segment.
        now: when they were read, by the clock of their database, which is the same for all runs.
        lost_locations: the locations that have no segment, or several.
    """

    known: Mapping[str, SegmentScores]
    now: datetime
    lost_locations: Sequence[str]


def read_segment_scores(database: Database, scores_database: Database, scoring: Scoring, pricing: Pricing) -> Found:
    """Reads which location is in which segment from one database, and the newest scores from the other.

    Raises:
        LocationsError, ScoresError: a table is missing, or is not what the settings say.
        PricingError: no location has a segment.
        DatabaseError: a database can't be read.
    """
    with database.open_snapshot() as cursor:
        segments, open_now = read_segments(cursor, scoring, pricing.segment), count_applications(cursor, scoring)
    with scores_database.open_snapshot() as cursor:
        sums, now = sum_newest_scores(cursor, scoring)
    # The scores of a location stay when its last open application is gone, and no wave writes newer ones there.
    of_open = [each for each in sums if each.location in open_now]
    known = sum_by_segment(segments, of_open, now, pricing.maximum_age_hours)
    if not known:
        raise PricingError(
            f"no location of table {scoring.locations} has a segment in its column {pricing.segment}: fill it, or "
            "correct pricing.segment in the settings"
        )
    return Found(known, now, [location for location, segment in segments.items() if segment is None])


def check_accepted(accepted: Collection[str], chosen: Collection[str]) -> None:
    """Refuses a name that accepts nothing, because a person would believe that it does.

    Raises:
        PricingError: a name in `accept_jumps` is not that of a segment that this run prices.
    """
    if strange := sorted(set(accepted) - set(chosen)):
        raise PricingError(
            f"accept_jumps: this run prices no segment {', '.join(strange)}; expected names of segments as the page "
            "of segment_prices has them. Correct them in the config"
        )


def publish_decisions(
    scores_database: Database,
    pricing: Pricing,
    chosen: Sequence[str],
    found: Found,
    accepted: Collection[str],
    run: str,
) -> list[Decision]:
    """Compares with the published prices, decides, and publishes, all in one transaction.

    Args:
        scores_database: where prices are written.
        pricing: formula and bounds.
        chosen: names of the segments to price.
        found: their scores.
        accepted: segments whose rate may jump.
        run: id of the run.

    Raises:
        PricesError: the table of prices is another one.
        DatabaseError: the database can't be written to. No price is published then.
    """
    with scores_database.open_transaction() as cursor:
        published = open_prices(cursor, pricing)
        decisions = decide_segments(chosen, found.known, published, pricing, found.now, accepted)
        priced = [each for each in decisions if isinstance(each, Priced)]
        publish_prices(cursor, pricing, priced, run, found.now)
    return decisions
