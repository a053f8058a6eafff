"""Jobs: what is materialized together."""

import dagster as dg

REFRESH = "refresh"

refresh = dg.define_asset_job(
    name=REFRESH,
    selection=dg.AssetSelection.groups("credit"),
    description="Reads the loans, trains the model on them, measures it, and promotes it if it is good enough.",
)
