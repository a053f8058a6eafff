"""promoted_model: the set that readers take, as Dagster knows it. What it does is in `credit_assets.promotion`."""

from collections.abc import Iterator
from functools import partial
from typing import Any

import dagster as dg

from credit_assets.checks.verdict import Verdict, declare_checks, report_checks
from credit_assets.promotion.descriptions import describe_outcome, describe_promotion
from credit_assets.promotion.model_set import PARTS, compute_set_digest, refuse_set_of_other_target
from credit_assets.promotion.promote import Decision, promote, warn_of_other_columns
from credit_assets.promotion.registration import register_promotions
from credit_assets.promotion.rule import find_objections
from credit_assets.promotion.table_pointer import POINTER, warn_of_overlooked
from credit_assets.settings.file import SettingsFile
from resources.services.registry import Registry
from resources.store.artifacts import Committed
from resources.store.checkpoints import Checkpoints
from resources.store.io_manager import MANIFEST_ONLY

CHECK = "is_promoted"


@dg.asset(
    key=POINTER,
    group_name="credit",
    kinds={"json"},
    owners=["team:credit-risk"],
    ins={name: dg.AssetIn(metadata=MANIFEST_ONLY) for name in PARTS},
    output_required=False,
    check_specs=declare_checks(
        POINTER,
        {
            CHECK: "The rule of [promotion] in the settings let this run's model take the place of the promoted one. "
            "If not, that one stays, and the job promote_by_hand may promote this one all the same."
        },
        blocking=False,
    ),
)
def promoted_model(
    context: dg.AssetExecutionContext,
    settings: SettingsFile,
    checkpoints: Checkpoints,
    registry: dg.ResourceParam[Registry],
    **parts: Committed,
) -> Iterator[Any]:
    """The set of dataset, split, model and metrics that readers take, by a pointer that only moves forward."""
    declared, store = settings.load(), checkpoints.store
    refuse_set_of_other_target(parts, declared)
    limits, table = declared.promotion, declared.table.name
    decision = Decision("rule", context.run.run_id, context.run.root_run_id or context.run.run_id)
    outcome = promote(store, table, parts, decision, partial(find_objections, limits=limits))
    sentence = describe_outcome(outcome)
    context.log.info(sentence)
    warn_of_overlooked(store, table, context.log.warning)
    warn_of_other_columns(store, outcome, declared, context.log.warning)
    registered = register_promotions(registry, store, table, context.log.warning)
    stands_at = outcome.position.number if outcome.position else "nothing"
    verdict = Verdict(
        CHECK,
        outcome.refused is None,
        sentence,
        {"promoted": stands_at, "registry": registered},
        blocking=False,
        severity=dg.AssetCheckSeverity.WARN,
    )
    results = report_checks(POINTER, [verdict])
    if outcome.position is None or outcome.refused:
        yield from results
        return
    yield dg.MaterializeResult(
        asset_key=POINTER,
        metadata=describe_promotion(store, outcome.position, parts, registered, context.instance),
        check_results=results,
        data_version=dg.DataVersion(compute_set_digest(outcome.position)),
    )
