"""What an audit leaves for the next one, as JSON: when each position's set was read whole, and if it was damaged.

Belongs here: its form, and its summary for people. Does not belong here: which sets are read (`audit`).
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from credit_assets.operations.audit import Promoted, Reading

DAY = 24 * 3600


def describe_reading(each: Promoted) -> dict[str, Any]:
    """A position as JSON; `read_at` is in Unix seconds."""
    return {"number": each.number, "read_at": each.read_at, "damaged": each.damage is not None}


def parse_readings(described: Iterable[Mapping[str, Any]]) -> dict[int, Reading]:
    """What `describe_reading` made, by the number of the position."""
    return {each["number"]: Reading(each["read_at"], each["damaged"]) for each in described}


def sum_up_readings(promoted: Sequence[Promoted], now: float) -> str:
    """For people: how many positions are whole, how many of them were read whole now, and how long the others wait.

    Args:
        promoted: what an audit found at the time `now`.
        now: Unix seconds.
    """
    whole = sum(each.damage is None for each in promoted)
    waiting = [each.read_at for each in promoted if each.read_at != now]
    if not waiting:
        return f"all {whole} are whole" if whole == len(promoted) else f"{whole} of {len(promoted)} are whole"
    said = f"no damage is known of {whole} of {len(promoted)}"
    read, never = [at for at in waiting if at is not None], waiting.count(None)
    parts = [f"{len(promoted) - len(waiting)} of them were read byte by byte now"]
    if read:
        parts.append(f"{len(read)} at most {(now - min(read)) / DAY:.0f} days ago")
    if never:
        parts.append(f"{never} never (audit_sets in [retention] limits how many)")
    return f"{said}: {', '.join(parts)}. Of those that were not read now, manifests and sizes of files were looked at"
