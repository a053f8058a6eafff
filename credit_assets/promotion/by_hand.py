"""Promotion by hand: the job promote_by_hand, by which a person promotes any set, and rolls back."""

import dagster as dg
from pydantic import Field

from credit_assets.promotion.descriptions import describe_outcome, describe_promotion
from credit_assets.promotion.model_set import (
    NoSuchSet,
    find_set,
    read_set,
    refuse_other_columns,
    refuse_set_of_other_target,
)
from credit_assets.promotion.promote import Decision, promote_by_hand
from credit_assets.promotion.registration import register_promotions
from credit_assets.promotion.table_pointer import POINTER, open_pointer
from credit_assets.settings.file import SettingsFile
from resources.errors import PlatformError
from resources.history.run_groups import find_unfinished_run
from resources.services.registry import Registry
from resources.store.artifacts import Committed
from resources.store.checkpoints import Checkpoints
from resources.store.object_store import ObjectStore

# The job that deletes sets which no position names.
APPLY_RETENTION = "apply_retention"


class PromotionPostponed(PlatformError):
    """A set may be deleted while it is promoted: says by which run, and that it can be promoted afterwards."""


class ByHand(dg.Config):
    """Which set a person promotes, and why. A rollback is a move forward to a set that was promoted earlier."""

    chosen: str = Field(
        description="The set: the number of an earlier promotion, or the id of a run that committed all four assets.",
        pattern=r"^([1-9]\d{0,7}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12})$",
    )
    who: str = Field(description="Who decides: a name that others can ask.", min_length=2)
    why: str = Field(description="Why, in a sentence: it is kept as long as the promotion.", min_length=4)
    accept_other_columns: bool = Field(
        default=False,
        description="Whether the set may have other columns than the settings: an earlier set of the same table may.",
    )


def choose_set(store: ObjectStore, table: str, instance: dg.DagsterInstance, chosen: str) -> dict[str, Committed]:
    """The set that a person names by a promotion's number or by a run's id.

    Raises:
        NoSuchPosition: there is no such promotion.
        PositionMissing, PositionDamaged: it was deleted or changed.
        PositionForeign: the promotion of that number is another table's.
        NoSuchSet: the run committed no whole set.
        ArtifactError: a manifest was changed.
    """
    if chosen.isdigit():
        return read_set(store, open_pointer(store, table).at(int(chosen)))
    run = instance.get_run_by_id(chosen)
    return find_set(store, run.root_run_id or chosen if run else chosen)


def refuse_during_retention(instance: dg.DagsterInstance, chosen: str) -> None:
    """Refuses a set that no position names yet while old sets are deleted. Retention in turn waits for promotions.

    Each looks after its own run has been registered. So whichever comes second sees the other.

    Raises:
        PromotionPostponed: a run of retention has not ended.
    """
    if not chosen.isdigit() and (deletes := find_unfinished_run(instance, [APPLY_RETENTION])):
        raise PromotionPostponed(
            f"run {deletes} deletes old sets, and {chosen} may be one of them: nothing was promoted. Start "
            "promote_by_hand again when that run has ended"
        )


@dg.op
def promotion_by_hand(
    context: dg.OpExecutionContext,
    config: ByHand,
    settings: SettingsFile,
    checkpoints: Checkpoints,
    registry: dg.ResourceParam[Registry],
) -> None:
    """Moves the pointer to the chosen set and records it as promoted_model.

    The set is verified as always. The rule does not compare it with the model in use.
    """
    store, declared = checkpoints.store, settings.load()
    table = declared.table.name
    refuse_during_retention(context.instance, config.chosen)
    parts = choose_set(store, table, context.instance, config.chosen)
    refuse_set_of_other_target(parts, declared)
    if not config.accept_other_columns:
        refuse_other_columns(parts, declared)
    decision = Decision("hand", context.run_id, context.run.root_run_id or context.run_id, config.who, config.why)
    outcome = promote_by_hand(store, table, parts, decision)
    if (position := outcome.position) is None:
        raise NoSuchSet(f"{config.chosen} was not promoted")
    context.log.info(describe_outcome(outcome))
    if position.number != open_pointer(store, table).latest().number:
        context.log.warning(f"an earlier attempt promoted number {position.number}, and others were promoted since")
        return
    registered = register_promotions(registry, store, table, context.log.warning)
    context.log_event(
        dg.AssetMaterialization(
            asset_key=POINTER,
            metadata=describe_promotion(store, position, read_set(store, position), registered, context.instance),
        )
    )


@dg.job(
    name="promote_by_hand",
    description="Promotes a set that a person chose, past the rule; a rollback is a promotion of an earlier set. The "
    "Launchpad asks which, who and why, and all three are kept in the pointer and in promoted_model's history.",
)
def promote_by_hand_job() -> None:
    """The job of one op."""
    promotion_by_hand()
