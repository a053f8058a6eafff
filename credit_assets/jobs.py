"""Jobs: what is materialized together."""

import dagster as dg

from credit_assets.pricing.record import PRICE_SEGMENTS, SEGMENT_PRICES
from credit_assets.promotion.by_hand import APPLY_RETENTION
from credit_assets.retention.retention import RETENTION
from credit_assets.waves.page import RESCORE, SCORE_LOCATIONS
from credit_assets.waves.plans.making import WAVE

REFRESH, RESILIENCE = "refresh", "resilience"
# Runs without this tag have priority 0. In the queue a pricing run is first, because it takes seconds and others wait
# for its prices.
PRIORITY = {"dagster/priority": "10"}

refresh = dg.define_asset_job(
    name=REFRESH,
    selection=dg.AssetSelection.groups("credit"),
    description="Reads the loans, trains the model on them, measures it beside a simple one, and promotes it if it is "
    "good enough.",
)
resilience = dg.define_asset_job(
    name=RESILIENCE,
    selection=dg.AssetSelection.groups("operations"),
    description="Reports what losses of workers cost, by week, and whether all that was promoted is whole.",
)
score_locations = dg.define_asset_job(
    name=SCORE_LOCATIONS,
    selection=dg.AssetSelection.assets(WAVE),
    description="Scores the open applications of all locations with the model in use.",
)
rescore = dg.define_asset_job(
    name=RESCORE,
    selection=dg.AssetSelection.assets(WAVE),
    config={"ops": {WAVE: {"config": {"locations": [], "only_failed": True}}}},
    description="Scores the locations that Dagster shows as failed again, or those that the config names, in one run.",
)
apply_retention = dg.define_asset_job(
    name=APPLY_RETENTION,
    selection=dg.AssetSelection.assets(RETENTION),
    description="Deletes what is older than [retention] in the settings allows. With dry_run it only shows what.",
)
price_segments = dg.define_asset_job(
    name=PRICE_SEGMENTS,
    selection=dg.AssetSelection.assets(SEGMENT_PRICES),
    tags=PRIORITY,
    description="Prices all segments by the newest scores. accept_jumps in its config names those that may jump.",
)
