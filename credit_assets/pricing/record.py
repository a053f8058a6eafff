"""The record of a pricing run in Dagster: an event for each segment, as a partition of `segment_prices`.

All segments are planned first. One that was priced is materialized. One that was not stays planned, and Dagster shows
it as failed as soon as the run has failed.

Belongs here: what Dagster is told of a segment. Does not belong here: how events are written
(`resources.history.partitions`).
"""

from collections.abc import Iterable, Sequence
from datetime import datetime

import dagster as dg

from credit_assets.pricing.decisions import Priced
from resources.history.partitions import PartitionRecord, identify_step, plan_partitions, record_partitions
from resources.store.written_once import compute_sha256

SEGMENT_PRICES, SEGMENTS = "segment_prices", "segments"
ASSET = dg.AssetKey(SEGMENT_PRICES)
# The job that prices all segments.
PRICE_SEGMENTS = "price_segments"
CODE_VERSION = "1"


def plan_segments(context: dg.AssetExecutionContext, segments: Sequence[str]) -> None:
    """Makes the segments partitions, and reports that this run is going to price them."""
    context.instance.add_dynamic_partitions(SEGMENTS, list(segments))
    plan_partitions(context.instance, *identify_step(context), ASSET, segments)


def record_prices(context: dg.AssetExecutionContext, priced: Iterable[Priced], now: datetime) -> None:
    """Materializes the segments that were priced, in one batch.

    Args:
        context: of the step.
        priced: one for each segment.
        now: when the scores were read, with a time zone.
    """
    records = [
        PartitionRecord(
            partition=each.segment,
            # What depends on a rate need not run again if the rate is the one before.
            data_version=compute_sha256({"rate": each.rate}),
            metadata={
                "rate": each.rate,
                **({} if each.published is None else {"rate before": each.published}),
                "accepted jump": each.is_accepted_jump,
                "scores": each.scores,
                "mean probability": each.mean_probability,
                "oldest score": dg.MetadataValue.timestamp(each.oldest),
                "priced at": dg.MetadataValue.timestamp(now),
            },
        )
        for each in priced
    ]
    record_partitions(context.instance, *identify_step(context), ASSET, records, CODE_VERSION)
