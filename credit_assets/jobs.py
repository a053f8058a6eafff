"""Jobs: what is materialized together."""

import dagster as dg

REFRESH, RESILIENCE = "refresh", "resilience"

refresh = dg.define_asset_job(
    name=REFRESH,
    selection=dg.AssetSelection.groups("credit"),
    description="Reads the loans, trains the model on them, measures it, and promotes it if it is good enough.",
)
resilience = dg.define_asset_job(
    name=RESILIENCE,
    selection=dg.AssetSelection.groups("operations"),
    description="Reports what losses of workers cost, by week, and whether all that was promoted is whole.",
)
