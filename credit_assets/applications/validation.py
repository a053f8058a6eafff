"""Which locations have applications that can't be scored, and why.

The other locations of the same table are not affected.

Belongs here: the rules for values that a model learned from. Does not belong here: the table's columns and types, which
are checked before a row is read (`tables`).
"""

from collections import defaultdict
from typing import TYPE_CHECKING

from credit_assets.settings.file import Settings
from credit_assets.tables.rules import (
    INFINITE,
    MISSING,
    OUTSIDE,
    count_repeated,
    describe_counts,
    mark_infinite,
    mark_missing,
    mark_outside,
)

if TYPE_CHECKING:
    import pyarrow as pa

REPEATED = "an id that another application has"
# The ids are the key of the table of scores, whose index has entries of at most 2,704 bytes.
LONGEST_ID = 600
TOO_LONG = f"longer than {LONGEST_ID} characters"


def find_defects(applications: "pa.Table", settings: Settings) -> dict[str, str]:
    """Finds the locations whose applications break a rule.

    Args:
        applications: rows of any number of locations, as `read_applications` returns them.
        settings: the features, with their bounds.

    Returns:
        For each location with a defect a sentence: the column, how many rows, and what was expected. It never shows
        a value.

    Raises:
        SettingsError: the settings have no section `scoring`.
    """
    scoring = settings.require_scoring()
    locations, ids = applications.column(scoring.location), applications.column(scoring.id)
    found: dict[str, dict[str, dict[str, int]]] = defaultdict(lambda: defaultdict(dict))

    def note(rule: str, column: str, marks: "pa.ChunkedArray") -> None:
        for location, rows in _count_by_location(locations, marks).items():
            found[location][rule][column] = rows

    strict = [name for name, feature in settings.features.items() if not feature.may_be_missing]
    for name in (scoring.id, *strict):
        note(MISSING, name, mark_missing(applications.column(name)))
    for name in settings.features:
        note(INFINITE, name, mark_infinite(applications.column(name)))
    for name, feature in settings.features.items():
        if feature.is_measured:
            note(OUTSIDE, f"{name} ({feature.bounds})", mark_outside(applications.column(name), feature))
    note(TOO_LONG, scoring.id, _mark_too_long(ids))
    note(REPEATED, scoring.id, _mark_repeated(ids))
    return {
        location: ". ".join(describe_counts(rule, counts) for rule, counts in rules.items())
        for location, rules in sorted(found.items())
    }


def _count_by_location(locations: "pa.ChunkedArray", marks: "pa.ChunkedArray") -> dict[str, int]:
    """How many rows of each location are marked; locations without one are left out."""
    import pyarrow.compute as pc

    if not pc.any(marks).as_py():
        return {}
    counts = pc.value_counts(locations.filter(marks))
    return {each["values"]: each["counts"] for each in counts.to_pylist()}


def _mark_too_long(ids: "pa.ChunkedArray") -> "pa.ChunkedArray":
    """True for every id that is a text and can't be a key; a missing id is not one. Shape (rows,)."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if not pa.types.is_string(ids.type):
        return pa.chunked_array([pa.repeat(False, len(ids))])
    return pc.fill_null(pc.greater(pc.utf8_length(ids), LONGEST_ID), False)


def _mark_repeated(ids: "pa.ChunkedArray") -> "pa.ChunkedArray":
    """True for every row whose id another row has too; a missing id is not one. Shape (rows,)."""
    import pyarrow as pa
    import pyarrow.compute as pc

    known = pc.drop_null(ids)
    if not count_repeated(known):
        return pa.chunked_array([pa.repeat(False, len(ids))])
    counts = pc.value_counts(known)
    repeated = counts.field("values").filter(pc.greater(counts.field("counts"), 1))
    return pc.is_in(ids, value_set=repeated)
