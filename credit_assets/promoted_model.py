"""The promoted model as Dagster knows it: an asset that the rule promotes, and a job by which a person does.

At the end of every promotion, whether the pointer moved or not, MLflow's registry is brought up to date, if
MLFLOW_TRACKING_URI names one. If it does not answer, the promotion stands: that is logged, and the next run or retry
updates the registry.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import dagster as dg
from pydantic import Field

from credit_assets.promotion.model_set import DATASET, MODEL, PARTS, NoSuchSet, promoted_set, set_of_root_run
from credit_assets.promotion.provenance import attempts, provenance
from credit_assets.promotion.rule import POINTER, Decision, Outcome, promote, promote_by_hand, refusal, set_digest
from credit_assets.settings import SettingsFile
from resources.services.registry import ALIAS, SETTING, Registry, RegistryError
from resources.store.artifacts import Committed
from resources.store.checkpoints import Checkpoints
from resources.store.io_manager import MANIFEST_ONLY
from resources.store.object_store import ObjectStore
from resources.store.pointer import Pointer, Position

CHECK = "is_promoted"


def update_registry(registry: Registry, store: ObjectStore, log: Callable[[str], None]) -> str:
    """Makes the promoted model the champion in the registry, if there is one; returns the outcome, for people.

    A registry that is away or refuses raises nothing: the promotion stands.
    """
    if not registry.url:
        return f"none ({SETTING})"
    position = Pointer(store, POINTER).latest_or_none()
    if not position:
        return "nothing is promoted yet"
    value, model = position.value, position.value["set"][MODEL]
    tags = {
        "promotion": str(position.number),
        "root_run": value["root_run"],
        "sha256": model["sha256"],
        "loan_dataset_sha256": value["set"][DATASET]["sha256"],
    }
    try:
        name = f"credit-default-{value['table'].replace('.', '-')}"
        version = registry.register(name, store.location(model["key"]), tags)
    except RegistryError as error:
        log(f"{error}. The promotion stands, and is not in the registry; the next promotion updates the registry")
        return f"not updated: {error}"
    return f"version {version} is its {ALIAS}"


def metadata(
    store: ObjectStore,
    position: Position,
    parts: Mapping[str, Committed],
    registered: str,
    instance: dg.DagsterInstance,
) -> dict[str, Any]:
    """What the UI shows of a promotion: where the pointer stands, who decided, and what made the set."""
    value, made = position.value, provenance(parts)
    tried = attempts(value["root_run"], parts.values(), instance)
    return {
        "number": position.number,
        "pointer": dg.MetadataValue.path(store.location(Pointer(store, POINTER).key(position.number))),
        "model": dg.MetadataValue.path(store.location(value["set"][MODEL]["key"])),
        "promoted at": position.at,
        "decision": value["decision"],
        "champion before": value["champion"] or "none",
        "registry": registered,
        **{name: round(figure, 4) for name, figure in value["metrics"].items() if figure is not None},
        "attempts": dg.MetadataValue.md("\n".join(f"- {line}" for line in tried)),
        **made,
    }


@dg.asset(
    key=POINTER,
    group_name="credit",
    kinds={"json"},
    owners=["team:credit-risk"],
    ins={name: dg.AssetIn(metadata=MANIFEST_ONLY) for name in PARTS},
    output_required=False,
    check_specs=[
        dg.AssetCheckSpec(
            name=CHECK,
            asset=POINTER,
            description="The rule of [promotion] in the settings let this run's model take the place of the promoted "
            "one. If not, that one stays, and the job promote_by_hand may promote this one all the same.",
        )
    ],
)
def promoted_model(
    context: dg.AssetExecutionContext,
    settings: SettingsFile,
    checkpoints: Checkpoints,
    registry: dg.ResourceParam[Registry],
    **parts: Committed,
) -> Iterator[Any]:
    """The set of dataset, split, model and metrics that readers take, by a pointer that only moves forward."""
    limits, store = settings.load().promotion, checkpoints.store
    decision = Decision("rule", context.run.run_id, context.run.root_run_id or context.run.run_id)
    outcome = promote(store, parts, decision, lambda challenger, champion: refusal(challenger, champion, limits))
    context.log.info(said(outcome))
    registered = update_registry(registry, store, context.log.warning)
    checked = dg.AssetCheckResult(
        asset_key=POINTER,
        check_name=CHECK,
        passed=outcome.refused is None,
        severity=dg.AssetCheckSeverity.WARN,
        description=said(outcome),
        metadata={"promoted": outcome.position.number if outcome.position else "nothing", "registry": registered},
    )
    if outcome.position is None or outcome.refused:
        yield checked
        return
    yield dg.MaterializeResult(
        asset_key=POINTER,
        metadata=metadata(store, outcome.position, parts, registered, context.instance),
        check_results=[checked],
        data_version=dg.DataVersion(set_digest(outcome.position)),
    )


def said(outcome: Outcome) -> str:
    """An outcome in one line."""
    position = outcome.position
    if position is None:
        return f"not promoted, and nothing is yet: {outcome.refused}"
    if outcome.refused:
        return f"not promoted, number {position.number} stays: {outcome.refused}"
    since = "" if outcome.moved else ", as before"
    return f"number {position.number}, model {position.value['set'][MODEL]['sha256'][:12]}…{since}"


class ByHand(dg.Config):
    """Which set a person promotes, and why. A rollback is a move forward to a set that was promoted earlier."""

    chosen: str = Field(
        description="The set: the number of an earlier promotion, or the id of a run that committed all four assets.",
        pattern=r"^([1-9]\d{0,7}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12})$",
    )
    who: str = Field(description="Who decides: a name that others can ask.", min_length=2)
    why: str = Field(description="Why, in a sentence: it is kept as long as the promotion.", min_length=4)


def chosen_set(store: ObjectStore, instance: dg.DagsterInstance, chosen: str) -> dict[str, Committed]:
    """The parts of the set that a person names by a promotion's number or by a run's id.

    Raises:
        PositionMissing, PositionDamaged: there is no such promotion, or it was changed.
        NoSuchSet: the run committed no whole set.
        ArtifactError: a manifest was changed.
    """
    if chosen.isdigit():
        return promoted_set(store, Pointer(store, POINTER).at(int(chosen)))
    run = instance.get_run_by_id(chosen)
    return set_of_root_run(store, run.root_run_id or chosen if run else chosen)


@dg.op
def promotion_by_hand(
    context: dg.OpExecutionContext, config: ByHand, checkpoints: Checkpoints, registry: dg.ResourceParam[Registry]
) -> None:
    """Moves the pointer to the chosen set, verified as ever, past thresholds and comparison; records it as promoted."""
    store = checkpoints.store
    decision = Decision("hand", context.run_id, context.run.root_run_id or context.run_id, config.who, config.why)
    outcome = promote_by_hand(store, chosen_set(store, context.instance, config.chosen), decision)
    if (position := outcome.position) is None:
        raise NoSuchSet(f"{config.chosen} was not promoted")
    context.log.info(said(outcome))
    if position.number != Pointer(store, POINTER).latest().number:
        context.log.warning(f"number {position.number} was promoted by an earlier attempt, and others were since")
        return
    registered = update_registry(registry, store, context.log.warning)
    context.log_event(
        dg.AssetMaterialization(
            asset_key=POINTER,
            metadata=metadata(store, position, promoted_set(store, position), registered, context.instance),
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
