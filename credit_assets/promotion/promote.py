"""Promotion: one conditional write makes a set of dataset, split, model and metrics the one that readers take.

A set is audited before it is promoted: its manifests exist only because the blocking checks passed, it is of one root
run and of the pointer's table, and every file is read and has its digest. If the rule refuses a model, the pointer
stays where it is.
"""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from credit_assets.promotion.model_set import (
    DATASET,
    MODEL,
    OTHER_TABLE,
    describe_difference,
    describe_set,
    read_set,
    refuse_other_table,
    verify_set,
)
from credit_assets.promotion.rule import Contender, find_champion
from credit_assets.promotion.table_pointer import open_pointer
from credit_assets.settings.file import Settings
from resources.store.artifacts import ArtifactError, Committed
from resources.store.object_store import ObjectStore
from resources.store.pointers.positions import PointerError, PointerTaken, Position

TRIES = 5
Rule = Callable[[Contender, Contender | None], str | None]


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


def promote(
    store: ObjectStore, table: str, parts: Mapping[str, Committed], decision: Decision, rule: Rule | None = None
) -> Outcome:
    """Verifies the set and moves the table's pointer to it, unless the rule refuses or it stands there already.

    If another writer was first, the rule decides again about what that one promoted. A person's decision is not
    repeated: they decided on what they saw, so the other writer's promotion stands.

    Args:
        table: whose pointer is moved, named as in the settings.
        rule: given challenger and champion, says why not; None for a promotion by hand.

    Raises:
        OtherTable: the set was made from another table; the pointer stays.
        MixtureError, ArtifactError: the set is not whole; the pointer stays.
        PointerTaken: another writer was first, again and again if there is a rule.
    """
    import tenacity

    refuse_other_table(parts, table)
    metrics: dict[str, Any] = verify_set(store, parts)
    pointer, names = open_pointer(store, table), describe_set(parts)
    as_of = datetime.fromisoformat(parts[DATASET].manifest.facts["as_of"])
    target = parts[DATASET].manifest.facts.get("target")
    challenger = Contender(metrics["roc_auc"], as_of, metrics.get("random_roc_auc"), target)

    def decide_and_move() -> Outcome:
        state = pointer.read_state()
        seen = state.position
        if seen and seen.value["set"] == names:
            return Outcome(seen, moved=False)
        champion = find_champion(seen)
        if objections := rule and rule(challenger, champion):
            return Outcome(seen, moved=False, refused=objections)
        value = {
            "set": names,
            "root_run": parts[MODEL].manifest.root_run,
            "table": table,
            **({"target": target} if target else {}),
            "as_of": challenger.as_of.isoformat(),
            "newest_as_of": max(each.as_of for each in (challenger, champion) if each).isoformat(),
            "metrics": metrics,
            "champion": {"number": seen.number, "metrics": seen.value["metrics"]} if seen else None,
            "decision": asdict(decision),
        }
        return Outcome(pointer.move(state, value), moved=True)

    return tenacity.Retrying(
        retry=tenacity.retry_if_exception_type(PointerTaken),
        stop=tenacity.stop_after_attempt(TRIES if rule else 1),
        wait=tenacity.wait_random(0, 0.5),
        reraise=True,
    )(decide_and_move)


def warn_of_other_columns(
    store: ObjectStore, outcome: Outcome, settings: Settings, warn: Callable[[str], None]
) -> None:
    """Warns if the rule compared a model with one that was made from other columns than the settings declare.

    After a change of the settings it warns once. It warns again and again if two tables of one name share the store.
    """
    if outcome.position is None:
        return
    compared, pointer = outcome.position, open_pointer(store, settings.table.name)
    try:
        if outcome.refused is None:
            if (before := compared.value["champion"]) is None:
                return
            compared = pointer.at(before["number"])
        difference = describe_difference(read_set(store, compared), settings)
    except (PointerError, ArtifactError) as error:
        warn(f"the columns of the model that was in use before are not known: {error}")
        return
    if difference:
        warn(
            f"promotion {compared.number} was made from other columns than the settings declare: {difference}. "
            f"{OTHER_TABLE}"
        )


def promote_by_hand(store: ObjectStore, table: str, parts: Mapping[str, Committed], decision: Decision) -> Outcome:
    """Moves the pointer to a set that a person chose, once: a retry finds what an earlier attempt of its run moved.

    Without that, the retry of a run that died after the pointer was moved would undo what others promoted since.

    Raises:
        OtherTable, MixtureError, ArtifactError, PointerTaken: as `promote`.
    """
    for position in open_pointer(store, table).history():
        if position.value["decision"]["root_run"] == decision.root_run:
            return Outcome(position, moved=False)
    return promote(store, table, parts, decision)
