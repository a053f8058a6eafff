"""Numbers and dates that a table stores as texts, and the SQL of a view that reads them.

Belongs here: how a number or a date is written. Does not belong here: types that are no text (`declarations`).
"""

import re
from dataclasses import dataclass

from credit_assets.inspection.reading.catalogue import FoundColumn
from credit_assets.inspection.reading.facts import Facts
from credit_assets.settings.names import quote_name

# A category may have codes of digits; so few of them are no amounts.
FEW_LEVELS = 20
DAY, MONTH, YEAR = "(0?[1-9]|[12][0-9]|3[01])", "(0?[1-9]|1[0-2])", "(19|20)[0-9]{2}"


@dataclass(frozen=True)
class Stored:
    """A way to write a number or a date.

    Attributes:
        kind: number or date.
        pattern: of a value, in a syntax that Python and PostgreSQL share.
        cast: SQL that reads a value which matches; `{}` is the column.
        first: what comes first in a date, if others write them the other way round.
    """

    kind: str
    pattern: str
    cast: str
    first: str = ""


CLOCK = "([ T][0-9:.]+( ?[AaPp][Mm])?)?"
MONTH_FIRST = Stored("date", f"{MONTH}/{DAY}/{YEAR}{CLOCK}", "to_date({}, 'MM/DD/YYYY')", "the month")
DAY_FIRST = Stored("date", f"{DAY}/{MONTH}/{YEAR}{CLOCK}", "to_date({}, 'DD/MM/YYYY')", "the day")
WAYS = (
    Stored("date", f"{YEAR}-{MONTH}-{DAY}([ T][0-9:.+Z-]+)?", "left({}, 10)::date"),
    Stored("date", f"{YEAR}(0[1-9]|1[0-2])(0[1-9]|[12][0-9]|3[01])", "to_date({}, 'YYYYMMDD')"),
    Stored("date", rf"{DAY}[.]{MONTH}[.]{YEAR}", "to_date({}, 'DD.MM.YYYY')"),
    Stored("date", f"{YEAR}/{MONTH}/{DAY}{CLOCK}", "to_date({}, 'YYYY/MM/DD')"),
    MONTH_FIRST,
    DAY_FIRST,
    # A code has zeros in front, and a number has none.
    Stored("number", "[-+]?(0|[1-9][0-9]*)([.][0-9]+)?", "{}::numeric"),
    Stored("number", "[-+]?(0|[1-9][0-9]{0,2}(,[0-9]{3})*)([.][0-9]+)?", "replace({}, ',', '')::numeric"),
    Stored(
        "number",
        "[-+]?(0|[1-9][0-9]{0,2}([.]?[0-9]{3})*)(,[0-9]+)?",
        "replace(replace({}, '.', ''), ',', '.')::numeric",
    ),
)


def find_stored(facts: Facts) -> Stored | None:
    """The way in which most texts write a number or a date; None if most do not, or if they are few or keys."""
    if facts.form != "text" or facts.distinct <= FEW_LEVELS or facts.column.type.base in ("boolean", "uuid", "enum"):
        return None
    texts = [str(text) for text in facts.counts]
    read = {way: [text for text in texts if re.fullmatch(way.pattern, text)] for way in WAYS}
    best = max(WAYS, key=lambda way: len(read[way]))
    if len(read[best]) <= len(texts) / 2 or (best.kind == "number" and facts.is_key and _are_counted(read[best])):
        return None
    return best


def suggest_stored_cast(facts: Facts, stored: Stored) -> str:
    """What the values are, with SQL of a view that reads them; another value becomes a missing one."""
    said = f"its values are {stored.kind}s that are stored as text"
    if not is_ambiguous(facts, stored):
        return f"{said}; a view may have {_write_cast(facts.column, stored)}"
    ways = "; or ".join(
        f"if {way.first} is first, {_write_cast(facts.column, way)}" for way in (MONTH_FIRST, DAY_FIRST)
    )
    return (
        f"{said}, and they are ambiguous: 01/02/2026 has the month or the day first. Ask who writes them, or some "
        f"become other dates or missing ones. A view may have, {ways}"
    )


def is_ambiguous(facts: Facts, stored: Stored) -> bool:
    """Whether dates may have the day first as well as the month.

    It is certain only if each date can be read in one way, and one of them in this way alone.
    """
    if not stored.first:
        return False
    texts = [str(text) for text in facts.counts]
    month, day = ({text for text in texts if re.fullmatch(way.pattern, text)} for way in (MONTH_FIRST, DAY_FIRST))
    return not (month < day or day < month)


def _write_cast(found: FoundColumn, stored: Stored) -> str:
    column, new = quote_name(found.name), quote_name(f"{found.name}_{stored.kind}")
    # A `character` has blanks after its value, and a pattern sees them.
    if found.type.base == "character":
        column = f"{column}::text"
    return f"CASE WHEN {column} ~ '^({stored.pattern})$' THEN {stored.cast.format(column)} END AS {new}"


def _are_counted(texts: list[str]) -> bool:
    """Whether whole numbers lie as densely as those that are given out one after the other."""
    if not all(text.isdigit() for text in texts):
        return False
    numbers = [int(text) for text in texts]
    return max(numbers) - min(numbers) < 10 * len(numbers)
