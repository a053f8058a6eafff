"""The shares of missing values: how great they may be, and how far from those that the model in use learned from."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from credit_assets.checks.loan_dataset.findings import Findings
from credit_assets.checks.verdict import Verdict
from credit_assets.settings.file import Settings

NONE_DECLARED = 'no column may have missing values (missing = "allowed" in the settings)'
# Two shares that differ by the limit itself may differ by more in their last bits.
DIGITS = 9


@dataclass(frozen=True)
class MissingInUse:
    """What is missing in the dataset of the model in use.

    Attributes:
        promotion: the number of that model's promotion.
        shares: the share of missing values of each column that was allowed to have some.
    """

    promotion: int
    shares: Mapping[str, float]


def compute_shares(missing: Mapping[str, int], rows: int) -> dict[str, float]:
    """The share of missing values of each column; 0 without rows.

    Args:
        missing: in how many rows the value of each column is missing.
        rows: how many there are.
    """
    return {name: count / rows if rows else 0.0 for name, count in missing.items()}


def describe_missing_in_use(promotion: int, facts: Mapping[str, Any]) -> MissingInUse:
    """What is missing in the dataset of a promoted model.

    Args:
        promotion: the number of its promotion.
        facts: what the dataset's manifest records; without `missing` if no column was allowed to have missing values.
    """
    return MissingInUse(promotion, compute_shares(facts.get("missing", {}), facts["rows"]))


def judge_missing(found: Findings, settings: Settings, in_use: MissingInUse | None) -> list[Verdict]:
    """The verdicts `missing_share` and `missing_drift`.

    Args:
        found: how many values are missing.
        settings: which columns may have missing values, and the limits.
        in_use: what the shares are compared with; None if no model is in use.
    """
    shares = compute_shares({name: found.missing[name] for name in settings.columns_with_missing}, found.rows)
    return [_judge_share(shares, settings), _judge_drift(shares, settings, in_use)]


def _judge_share(shares: Mapping[str, float], settings: Settings) -> Verdict:
    limit = settings.limits.maximum_missing_share
    above = {name: share for name, share in shares.items() if share > limit}
    expected = f"expected at most {limit:.1%} (limits.maximum_missing_share)"
    if above:
        message = f"missing values: {_list_shares(above)}; {expected}. Take the column out of the settings"
    else:
        message = f"missing values: {_list_shares(shares)}; {expected}" if shares else NONE_DECLARED
    return Verdict("missing_share", not above, message, shares)


def _judge_drift(shares: Mapping[str, float], settings: Settings, in_use: MissingInUse | None) -> Verdict:
    limit = settings.limits.maximum_missing_drift
    if not shares:
        return Verdict("missing_drift", True, NONE_DECLARED)
    if in_use is None:
        return Verdict("missing_drift", True, "no model is in use, so that there is no dataset to compare with")
    drifts = {
        name: round(share - in_use.shares[name], DIGITS) for name, share in shares.items() if name in in_use.shares
    }
    beyond = {name: drift for name, drift in drifts.items() if abs(drift) > limit}
    moved = ", ".join(f"{name}: {in_use.shares[name]:.1%}, now {shares[name]:.1%}" for name in beyond)
    message = (
        f"missing values in the dataset of promotion {in_use.promotion}, which is in use, and now: "
        f"{moved or f'no share of {len(drifts)} moved further'}; expected a difference of at most {limit:.1%} "
        "(limits.maximum_missing_drift)"
    )
    if beyond:
        message += (
            ". Correct the source of the column; if the change is right, raise the limit until its model is in use"
        )
    if others := sorted(shares.keys() - drifts.keys()):
        message += f". Not compared, because no value could be missing then: {', '.join(others)}"
    return Verdict("missing_drift", not beyond, message, drifts)


def _list_shares(shares: Mapping[str, float]) -> str:
    return ", ".join(f"{name}: {share:.1%}" for name, share in shares.items())
