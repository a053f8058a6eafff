"""A removal: what one rule would delete, what it keeps, and how it deletes. A dry run prints it and deletes nothing.

Belongs here: the form of all rules' answers. Does not belong here: a rule.
"""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Amount:
    """A number of things, and their bytes as far as they are known."""

    count: int
    bytes: int = 0


@dataclass(frozen=True)
class Removal:
    """What one rule found.

    Attributes:
        kind: what it is about, for people, such as `events of old waves`.
        goes: what is deleted.
        stays: what is kept.
        why: a sentence that says why the rest is kept.
        delete: deletes it. It may be called again after it was interrupted, and then deletes what is left.
    """

    kind: str
    goes: Amount
    stays: Amount
    why: str
    delete: Callable[[], None]
