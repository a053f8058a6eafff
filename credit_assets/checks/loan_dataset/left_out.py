"""The loans that a dataset leaves out because they are of a time that is still to come.

The check stops nothing: the loans that are there are good. It shows the others until somebody corrects their times.
"""

from collections.abc import Mapping
from typing import Any

import dagster as dg

from credit_assets.checks.verdict import Verdict

LEFT_OUT_CHECKS: Mapping[str, str] = {
    "no_future_loans": "No loan is left out because its time is still to come or infinite.",
}


def judge_left_out(facts: Mapping[str, Any], created_at: str, *, is_rebuilt: bool) -> Verdict:
    """The verdict `no_future_loans`.

    Args:
        facts: about the dataset: `left_out`, and `left_out_for_ever`.
        created_at: the column with the time of a loan.
        is_rebuilt: whether a person named the time of the dataset, so that later loans are left out on purpose.
    """
    left_out, endless = facts.get("left_out", 0), facts.get("left_out_for_ever", 0)
    counts = f"{left_out:,} loans were created after the time of the dataset, of which {endless:,} at infinity"
    passed = not left_out or is_rebuilt
    return Verdict(
        "no_future_loans",
        passed,
        counts
        if passed
        else f"{counts}; expected none. Correct {created_at} in the table. If it holds local times, name their zone in "
        "table.time_zone",
        {"left_out": left_out, "left_out_for_ever": endless},
        blocking=False,
        severity=dg.AssetCheckSeverity.WARN,
    )
