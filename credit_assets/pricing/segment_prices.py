"""The asset `segment_prices`: the rate of each segment, a partition for each.

One run prices all segments. A person can also materialize any of them in Dagster's UI; then a run prices those.
"""

import warnings
from collections.abc import Iterator
from typing import Any

import dagster as dg
from pydantic import Field

from credit_assets.checks.verdict import declare_checks, report_checks
from credit_assets.pricing.decisions import Priced
from credit_assets.pricing.page import CHECKS, describe_pricing, fail_if_unpriced, judge_pricing
from credit_assets.pricing.pricing_run import check_accepted, publish_decisions, read_segment_scores
from credit_assets.pricing.record import CODE_VERSION, SEGMENT_PRICES, SEGMENTS, plan_segments, record_prices
from credit_assets.settings.file import SettingsFile
from credit_assets.waves.plans.making import WAVE
from resources.services.database import Database

GROUP, POOL = "pricing", "prices"


class PricingConfig(dg.Config):
    """What a person has decided about this run."""

    accept_jumps: list[str] = Field(
        default=[], description="Segments whose rate may move by more than maximum_step in this run."
    )


def price_chosen(
    context: dg.AssetExecutionContext,
    config: PricingConfig,
    settings: SettingsFile,
    database: Database,
    scores_database: Database,
) -> Iterator[Any]:
    """The rate of a segment, which follows from the newest scores of its locations, within bounds."""
    declared = settings.load()
    scoring, pricing = declared.require_scoring(), declared.require_pricing()
    database, scores_database = (
        each.with_row_policy(declared.table.row_policy) for each in (database, scores_database)
    )
    found = read_segment_scores(database, scores_database, scoring, pricing)
    # The job asks for no partition. Dagster plans those that a person selects, and no others.
    is_selected = context.has_partition_key or context.has_partition_key_range
    chosen = list(context.partition_keys) if is_selected else list(found.known)
    check_accepted(config.accept_jumps, chosen)
    if not is_selected:
        plan_segments(context, chosen)
    decisions = publish_decisions(scores_database, pricing, chosen, found, config.accept_jumps, context.run.run_id)
    record_prices(context, [each for each in decisions if isinstance(each, Priced)], found.now)
    context.log_event(dg.AssetObservation(SEGMENT_PRICES, metadata=describe_pricing(decisions, found.now)))
    yield from report_checks(SEGMENT_PRICES, judge_pricing(decisions, found.lost_locations))
    fail_if_unpriced(decisions)


with warnings.catch_warnings():
    # Dagster may still change how it divides a selection into runs. A test holds what this one does.
    warnings.simplefilter("ignore", dg.BetaWarning)
    segment_prices = dg.asset(
        key=SEGMENT_PRICES,
        group_name=GROUP,
        kinds={"postgres"},
        owners=["team:credit-risk"],
        code_version=CODE_VERSION,
        pool=POOL,
        # And not `location_scores`: Dagster would ask a run without partitions which of its partitions it reads.
        deps=[WAVE],
        partitions_def=dg.DynamicPartitionsDefinition(name=SEGMENTS),
        # All segments of a selection in one run. Dagster would otherwise launch a run for each.
        backfill_policy=dg.BackfillPolicy.single_run(),
        # The step records each segment by itself; an output would mark all of them, the failed ones too.
        output_required=False,
        check_specs=declare_checks(SEGMENT_PRICES, CHECKS, blocking=False),
    )(price_chosen)
