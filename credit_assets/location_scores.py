"""The asset `location_scores`: the scores of one location's open applications, a partition for each location.

The asset `wave` materializes many of its partitions in one run. A person can materialize any of them in Dagster's UI;
then this step scores them, and the locations of one run are a wave of their own.
"""

import warnings
from collections.abc import Iterator
from typing import Any

import dagster as dg

from credit_assets.promotion.table_pointer import POINTER
from credit_assets.settings.file import SettingsFile
from credit_assets.wave import GROUP, POOL
from credit_assets.waves.ending import fail_if_any_failed
from credit_assets.waves.page import count_tolerated
from credit_assets.waves.plans.choice import WaveConfig
from credit_assets.waves.plans.making import make_plan
from credit_assets.waves.plans.plan import keep_plan
from credit_assets.waves.record import CODE_VERSION, LOCATION_SCORES, PARTITIONS, LocationLog
from credit_assets.waves.runs.attempts import find_wave
from credit_assets.waves.runs.exclusion import claim_wave
from credit_assets.waves.wave_run import WaveRun
from resources.services.database import Database
from resources.store.checkpoints import Checkpoints


def score_selection(
    context: dg.AssetExecutionContext,
    settings: SettingsFile,
    database: Database,
    scores_database: Database,
    checkpoints: Checkpoints,
) -> Iterator[Any]:
    """The probability of a default of each open application of a location."""
    declared, store, wave_id = settings.load(), checkpoints.store, find_wave(context.instance, context.run)
    scoring = declared.require_scoring()
    database, scores_database = (
        each.with_row_policy(declared.table.row_policy) for each in (database, scores_database)
    )
    claim_wave(context.instance, context.run, declared.table.name)
    config = WaveConfig(locations=list(context.partition_keys))
    plan = keep_plan(
        store, LOCATION_SCORES, wave_id, lambda: make_plan(database, store, declared, scoring, config, [], wave_id)
    )
    attempt = WaveRun(context, LOCATION_SCORES, declared, scoring, database, scores_database, checkpoints)
    outcomes = attempt.score(plan, plan.take_share(1, 1), LocationLog(context, is_planned=True))
    fail_if_any_failed(outcomes, count_tolerated(scoring, len(outcomes)))
    yield from ()


with warnings.catch_warnings():
    # Dagster may still change how it divides a selection into runs. A test holds what this one does.
    warnings.simplefilter("ignore", dg.BetaWarning)
    location_scores = dg.asset(
        key=LOCATION_SCORES,
        group_name=GROUP,
        kinds={"postgres", "parquet"},
        owners=["team:credit-risk"],
        code_version=CODE_VERSION,
        pool=POOL,
        deps=[POINTER],
        partitions_def=PARTITIONS,
        # All partitions of a selection in one run. Dagster would otherwise launch a run for each.
        backfill_policy=dg.BackfillPolicy.single_run(),
        # The step records each location by itself; an output would mark all of them, the failed ones too.
        output_required=False,
        metadata={"format": "parquet_groups"},
    )(score_selection)
