"""Promotion: which set of dataset, split, model and metrics is the one that readers take.

A set is audited before it is promoted: its manifests exist only because the blocking checks passed, it is of one root
run, and every file is read and has its digest. Then one conditional write moves the pointer. A model that the rule
refuses stays where it is, and so does the pointer.
"""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime

from credit_assets.promotion.model_set import DATASET, MODEL, named, verified_metrics
from credit_assets.settings import Promotion
from resources.store.artifacts import Committed
from resources.store.object_store import ObjectStore
from resources.store.pointer import Pointer, PointerTaken, Position
from resources.store.written_once import compute_sha256

POINTER = "promoted_model"
TRIES = 5


@dataclass(frozen=True)
class Standing:
    """What is compared: the model's ROC AUC on its held-out loans, and when the snapshot of its loans was taken."""

    roc_auc: float
    as_of: datetime


@dataclass(frozen=True)
class Decision:
    """Who decided on a promotion: `by` the rule or by hand, in which run and of which root run, and why."""

    by: str
    run: str
    root_run: str
    who: str = ""
    why: str = ""


@dataclass(frozen=True)
class Outcome:
    """Where the pointer stands now (None: nowhere yet), whether it was moved, and why not if the rule refused."""

    position: Position | None
    moved: bool
    refused: str | None = None


def refusal(challenger: Standing, champion: Standing | None, limits: Promotion) -> str | None:
    """Why the rule does not promote the challenger; None if it does.

    Args:
        champion: what is promoted now, with the newest snapshot that was ever promoted as its `as_of`: it is that which
            keeps a run that wakes up late from bringing back an older model, also after a rollback by hand.
    """
    reasons = []
    if challenger.roc_auc < limits.minimum_auc:
        reasons.append(
            f"ROC AUC is {challenger.roc_auc:.4f}; expected at least {limits.minimum_auc} (promotion.minimum_auc)"
        )
    if champion and challenger.as_of <= champion.as_of:
        reasons.append(
            f"its loans are as of {challenger.as_of.isoformat()}, and a model of loans as of "
            f"{champion.as_of.isoformat()} was promoted already; the rule promotes newer ones only"
        )
    if champion and challenger.roc_auc < champion.roc_auc - limits.maximum_auc_loss:
        reasons.append(
            f"ROC AUC is {challenger.roc_auc:.4f}, and the promoted model has {champion.roc_auc:.4f}; expected a loss "
            f"of at most {limits.maximum_auc_loss} (promotion.maximum_auc_loss)"
        )
    return "; ".join(reasons) or None


def champion_of(position: Position | None) -> Standing | None:
    """What the rule compares with."""
    if position is None:
        return None
    value = position.value
    return Standing(value["metrics"]["roc_auc"], datetime.fromisoformat(value["newest_as_of"]))


def promote(
    store: ObjectStore,
    parts: Mapping[str, Committed],
    decision: Decision,
    rule: Callable[[Standing, Standing | None], str | None] | None = None,
) -> Outcome:
    """Verifies the set and moves the pointer to it, unless the rule refuses, or it stands there already.

    The rule is asked again when another writer was first, about what that one promoted. A person is not: they decided
    on what they saw, so that without a rule that writer's move stands.

    Args:
        rule: given challenger and champion, why not; None for a promotion by hand.

    Raises:
        MixtureError, ArtifactError: the set is not whole; the pointer stays.
        PointerTaken: another writer was first, again and again if there is a rule.
    """
    import tenacity

    metrics = verified_metrics(store, parts)
    pointer = Pointer(store, POINTER)
    challenger = Standing(metrics["roc_auc"], datetime.fromisoformat(parts[DATASET].manifest.facts["as_of"]))

    def attempt() -> Outcome:
        seen = pointer.latest_or_none()
        if seen and seen.value["set"] == named(parts):
            return Outcome(seen, moved=False)
        champion = champion_of(seen)
        if reason := rule and rule(challenger, champion):
            return Outcome(seen, moved=False, refused=reason)
        value = {
            "set": named(parts),
            "root_run": parts[MODEL].manifest.root_run,
            "table": parts[DATASET].manifest.facts["table"],
            "as_of": challenger.as_of.isoformat(),
            "newest_as_of": max(each.as_of for each in (challenger, champion) if each).isoformat(),
            "metrics": metrics,
            "champion": {"number": seen.number, "metrics": seen.value["metrics"]} if seen else None,
            "decision": asdict(decision),
        }
        return Outcome(pointer.move(seen, value), moved=True)

    return tenacity.Retrying(
        retry=tenacity.retry_if_exception_type(PointerTaken),
        stop=tenacity.stop_after_attempt(TRIES if rule else 1),
        wait=tenacity.wait_random(0, 0.5),
        reraise=True,
    )(attempt)


def promote_by_hand(store: ObjectStore, parts: Mapping[str, Committed], decision: Decision) -> Outcome:
    """Moves the pointer to a set that a person chose, once: a retry finds what an earlier attempt of its run moved.

    Without that, the retry of a run that died behind the pointer would undo what others promoted in the meantime.

    Raises:
        MixtureError, ArtifactError, PointerTaken: as `promote`.
    """
    for position in Pointer(store, POINTER).history():
        if position.value["decision"]["root_run"] == decision.root_run:
            return Outcome(position, moved=False)
    return promote(store, parts, decision)


def set_digest(position: Position) -> str:
    """One digest for all that a position names: the data version of the promoted model."""
    return compute_sha256(position.value["set"])
