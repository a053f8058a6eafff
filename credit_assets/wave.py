"""The asset `wave`: one run that scores all locations, or some of them, and the page of that run.

It makes no table of its own. It materializes the partitions of `location_scores`, one for each location.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import dagster as dg

from credit_assets.checks.verdict import declare_checks, publish
from credit_assets.promotion.table_pointer import POINTER
from credit_assets.settings.file import SettingsFile
from credit_assets.waves.ending import (
    CHECKS,
    fail_if_any_failed,
    fail_shard_if_any_failed,
    judge_failures,
    write_wave_report,
)
from credit_assets.waves.outcomes import Outcome, list_failed
from credit_assets.waves.page import choose_failures, count_tolerated, describe_wave
from credit_assets.waves.plans.choice import WaveConfig
from credit_assets.waves.plans.making import WAVE, make_plan
from credit_assets.waves.plans.plan import Plan, keep_plan, refuse_other_config
from credit_assets.waves.record import LocationLog, find_failed_locations
from credit_assets.waves.runs.attempts import find_first_attempt, name_wave, refuse_lonely_shard
from credit_assets.waves.runs.exclusion import claim_wave
from credit_assets.waves.runs.shards import Shard
from credit_assets.waves.wave_run import WaveRun
from resources.services.database import Database
from resources.store.checkpoints import Checkpoints
from resources.store.formats import Document

GROUP, POOL = "waves", "applications"


@dg.asset(
    key=WAVE,
    group_name=GROUP,
    kinds={"postgres", "json"},
    owners=["team:credit-risk"],
    code_version="1",
    io_manager_key="checkpoint_io",
    pool=POOL,
    deps=[POINTER],
    metadata={"format": "report"},
    check_specs=declare_checks(WAVE, CHECKS, blocking=False),
)
def wave(
    context: dg.AssetExecutionContext,
    config: WaveConfig,
    settings: SettingsFile,
    database: Database,
    scores_database: Database,
    checkpoints: Checkpoints,
) -> Iterator[Any]:
    """One run that scores the open applications of all locations, or of some, with one promoted model."""
    declared, store = settings.load(), checkpoints.store
    scoring = declared.require_scoring()
    database, scores_database = (
        each.with_row_policy(declared.table.row_policy) for each in (database, scores_database)
    )
    config.check()
    first = find_first_attempt(context.instance, context.run)
    refuse_lonely_shard(config.shards, first.tags)
    claim_wave(context.instance, context.run, declared.table.name)
    wave_id = name_wave(first)

    def plan_anew() -> Plan:
        failed = find_failed_locations(context.instance) if config.only_failed else []
        return make_plan(database, store, declared, scoring, config, failed, wave_id)

    plan = keep_plan(store, WAVE, wave_id, plan_anew)
    refuse_other_config(plan, config.describe_wave())
    shard = Shard(store, f"{WAVE}/{wave_id}", config.shard, config.shards)
    named = set[str]()

    def show(own: Sequence[Outcome]) -> None:
        outcomes = [*own, *shard.read_others()]
        shown = choose_failures(outcomes, named)
        context.log_event(dg.AssetObservation(WAVE, metadata=describe_wave(plan, outcomes, scoring, named, shown)))
        named.update(each.location for each in shown)

    attempt = WaveRun(context, WAVE, declared, scoring, database, scores_database, checkpoints, show)
    own = attempt.score(plan, plan.take_share(config.shard, config.shards), LocationLog(context))
    is_last = shard.leave(own)
    outcomes = [*own, *shard.read_others()]
    tolerated = count_tolerated(scoring, plan.size)

    def report() -> tuple[Document, dict[str, Any]]:
        failed = [each.location for each in list_failed(outcomes)]
        return write_wave_report(plan, outcomes, tolerated), {"failed": failed}

    kept = checkpoints.work(context, WAVE, settings=declared.fingerprint, plan=plan.sha256).adopt_or(report)
    verdict = judge_failures(outcomes, tolerated, is_last=is_last)
    yield from publish(WAVE, kept, describe_wave(plan, outcomes, scoring), [verdict])
    if is_last:
        fail_if_any_failed(outcomes, tolerated)
    fail_shard_if_any_failed(own, config.shard)
