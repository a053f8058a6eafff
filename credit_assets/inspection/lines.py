"""The lines of a draft: what is written into which section of the settings, and what a person is told about it.

Belongs here: what a line is, and words that several sections use. Does not belong here: which lines there are.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

# What a comment begins with if a person has to look at its line, or to fill it in.
LOOK, FILL_IN = "LOOK:", "FILL IN:"


@dataclass(frozen=True)
class Line:
    """A key of a section.

    Attributes:
        key: its name.
        value: what TOML can say. None in a line that is left out: only the comment is written. In an open line, an
            example that the settings take; nothing is written in its place.
        comment: for people; it shows no value that fewer than 20 rows have.
        state: `kept`; `left out`, which is written behind a #; or `open`, which a person must fill in.
    """

    key: str
    value: Any
    comment: str = ""
    state: Literal["kept", "left out", "open"] = "kept"


Sections = Mapping[str, list[Line]]


def leave_open(key: str, what: str, example: Any = None) -> Line:
    """A key whose value nobody but a person knows.

    Args:
        key: its name.
        what: what is to be filled in, and why nothing was.
        example: a value that the settings take, for the proof that everything else is right.
    """
    return Line(key, f"open_{key}" if example is None else example, f"{FILL_IN} {what}", "open")


def join_names(names: list[str]) -> str:
    """Names for people: `a, b and 3 more`."""
    most = 5
    shown = ", ".join(names[:most])
    return shown if len(names) <= most else f"{shown} and {len(names) - most} more"
