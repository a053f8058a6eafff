"""The outcome of one location: scored, or failed with a cause. Both are JSON in the manifest of their chunk.

Belongs here: what is known of one location. Does not belong here: figures of a whole wave (`page`).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

# The cause of a failure that no run can mend, because the name is wrong.
UNKNOWN_LOCATION = "unknown location"


@dataclass(frozen=True)
class Scored:
    """A location whose open applications all have a score.

    Attributes:
        location: its name.
        rows: open applications.
        seconds: its share, by rows, of the time that its chunk took to read and to score.
        sha256: of what `compute_scores_sha256` hashes, in hex: the same if the same model gives the same scores.
    """

    location: str
    rows: int
    seconds: float
    sha256: str


@dataclass(frozen=True)
class Failed:
    """A location without new scores.

    Attributes:
        location: its name.
        cause: the kind of failure, the same for all locations that fail alike; it never quotes a row.
        message: what happened here, for people; it never quotes a row.
        seconds: from the start of its attempt to the failure.
        log: address of its stored log; empty if it has none.
    """

    location: str
    cause: str
    message: str
    seconds: float
    log: str = ""


Outcome = Scored | Failed


def describe_outcomes(outcomes: Iterable[Outcome]) -> list[dict[str, Any]]:
    """Outcomes as JSON, for a manifest."""
    return [asdict(each) for each in outcomes]


def read_outcomes(facts: Mapping[str, Any]) -> list[Outcome]:
    """The outcomes that `describe_outcomes` wrote under the fact `outcomes`."""
    return [Failed(**each) if "cause" in each else Scored(**each) for each in facts["outcomes"]]


def list_scored(outcomes: Sequence[Outcome]) -> list[Scored]:
    """Those that were scored."""
    return [each for each in outcomes if isinstance(each, Scored)]


def list_failed(outcomes: Sequence[Outcome]) -> list[Failed]:
    """Those that failed."""
    return [each for each in outcomes if isinstance(each, Failed)]
