"""What people read of a promotion: the outcome in one line, and the metadata of the asset promoted_model.

Belongs here: words and figures for the UI and the terminal. Does not belong here: what made a set (`provenance`).
"""

from collections.abc import Mapping
from typing import Any

import dagster as dg

from credit_assets.measurement.figures import round_figure
from credit_assets.promotion.model_set import MODEL
from credit_assets.promotion.promote import Outcome
from credit_assets.promotion.provenance import describe_attempts, describe_provenance
from resources.store.artifacts import Committed
from resources.store.object_store import ObjectStore
from resources.store.pointers.positions import Position


def describe_outcome(outcome: Outcome) -> str:
    """An outcome in one line."""
    position = outcome.position
    if position is None:
        return f"not promoted, and nothing is yet: {outcome.refused}"
    if outcome.refused:
        return f"not promoted, number {position.number} stays: {outcome.refused}"
    since = "" if outcome.moved else ", as before"
    return f"number {position.number}, model {position.value['set'][MODEL]['sha256'][:12]}…{since}"


def describe_promotion(
    store: ObjectStore,
    position: Position,
    parts: Mapping[str, Committed],
    registered: str,
    instance: dg.DagsterInstance,
) -> dict[str, Any]:
    """What the UI shows of a promotion: where the pointer stands, who decided, and what made the set."""
    value = position.value
    attempts = describe_attempts(value["root_run"], parts.values(), instance)
    return {
        "number": position.number,
        "pointer": dg.MetadataValue.path(store.location(position.key)),
        "model": dg.MetadataValue.path(store.location(value["set"][MODEL]["key"])),
        "promoted at": position.at,
        "decision": value["decision"],
        "champion before": value["champion"] or "none",
        "registry": registered,
        **{name: round_figure(figure) for name, figure in value["metrics"].items()},
        "attempts": dg.MetadataValue.md("\n".join(f"- {line}" for line in attempts)),
        **describe_provenance(parts),
    }
