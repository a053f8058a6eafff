"""The rule of promotion: whether a new model takes the place of the promoted one. Pure; nothing is read or written.

Belongs here: what is compared, and the reasons against. Does not belong here: how a promotion is carried out
(`promote`).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from credit_assets.measurement.figures import format_figure
from credit_assets.settings.learning.target import describe_other_target
from credit_assets.settings.limits import Promotion
from resources.store.pointers.positions import Position


@dataclass(frozen=True)
class Contender:
    """What the rule compares.

    Attributes:
        roc_auc: the model's ROC AUC on its held-out loans: the newest ones with a split by time, else some by lot.
        as_of: when its loans were read.
        random_roc_auc: beside the newest loans, the ROC AUC on older ones that were drawn by lot. None if `roc_auc` is
            of such loans itself.
        target: what a default is (`Target.to_facts`). None if an earlier release did not record it.
    """

    roc_auc: float
    as_of: datetime
    random_roc_auc: float | None = None
    target: Mapping[str, Any] | None = None


def find_champion(position: Position | None) -> Contender | None:
    """What a challenger is compared with: the promoted model, and the newest snapshot that was ever promoted.

    That snapshot, not the model's own, keeps a run that wakes up late from bringing back an older model, also after a
    rollback by hand.
    """
    if position is None:
        return None
    metrics, newest = position.value["metrics"], datetime.fromisoformat(position.value["newest_as_of"])
    return Contender(metrics["roc_auc"], newest, metrics.get("random_roc_auc"), position.value.get("target"))


def find_objections(challenger: Contender, champion: Contender | None, limits: Promotion) -> str | None:
    """Why the rule does not promote the challenger, all reasons at once; None if it does."""
    reasons, auc = [], format_figure(challenger.roc_auc)
    if challenger.roc_auc < limits.minimum_auc:
        reasons.append(f"ROC AUC is {auc}; expected at least {limits.minimum_auc} (promotion.minimum_auc)")
    if champion and challenger.as_of <= champion.as_of:
        reasons.append(
            f"its loans are as of {challenger.as_of.isoformat()}, and a model of loans as of "
            f"{champion.as_of.isoformat()} was promoted already; the rule promotes newer ones only"
        )
    if champion and (other_target := describe_other_target(champion.target, challenger.target, "here")):
        reasons.append(
            f"the promoted model was made for another outcome: {other_target}. No figures are compared; if the new "
            "outcome is right, promote the model by hand"
        )
    elif champion:
        own, other, where = _find_like(challenger, champion)
        if own < other - limits.maximum_auc_loss:
            reasons.append(
                f"ROC AUC{where} is {format_figure(own)}, and the promoted model has {format_figure(other)}; expected "
                f"a loss of at most {limits.maximum_auc_loss} (promotion.maximum_auc_loss)"
            )
    return "; ".join(reasons) or None


def _find_like(challenger: Contender, champion: Contender) -> tuple[float, float, str]:
    """Figures of one kind: out of time if both have that, else of loans that were drawn by lot; and words for which.

    A model does worse on newer loans than on others. Compared with the random split of the model before, the first one
    with a split by time would be refused for that alone.
    """
    if (challenger.random_roc_auc is None) == (champion.random_roc_auc is None):
        return challenger.roc_auc, champion.roc_auc, ""
    drawn = [each.roc_auc if each.random_roc_auc is None else each.random_roc_auc for each in (challenger, champion)]
    return drawn[0], drawn[1], " on a random split"
