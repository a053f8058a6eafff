"""The rule of promotion: whether a new model takes the place of the promoted one. Pure; nothing is read or written.

Belongs here: what is compared, and the reasons against. Does not belong here: how a promotion is carried out
(`promote`).
"""

from dataclasses import dataclass
from datetime import datetime

from credit_assets.measurement.figures import format_figure
from credit_assets.settings.limits import Promotion
from resources.store.pointers.positions import Position


@dataclass(frozen=True)
class Contender:
    """What the rule compares: a model's ROC AUC on its held-out loans, and when its loans were read (`as_of`)."""

    roc_auc: float
    as_of: datetime


def find_champion(position: Position | None) -> Contender | None:
    """What a challenger is compared with: the promoted model, and the newest snapshot that was ever promoted.

    That snapshot, not the model's own, keeps a run that wakes up late from bringing back an older model, also after a
    rollback by hand.
    """
    if position is None:
        return None
    return Contender(position.value["metrics"]["roc_auc"], datetime.fromisoformat(position.value["newest_as_of"]))


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
    if champion and challenger.roc_auc < champion.roc_auc - limits.maximum_auc_loss:
        reasons.append(
            f"ROC AUC is {auc}, and the promoted model has {format_figure(champion.roc_auc)}; expected a loss "
            f"of at most {limits.maximum_auc_loss} (promotion.maximum_auc_loss)"
        )
    return "; ".join(reasons) or None
