"""How a column is declared: its type, bounds that are wider than what was seen, and a comment that shows no person.

Belongs here: what a line says of types, numbers and categories. Does not belong here: whether the column is a feature
(`columns`).
"""

import json
import math
from collections.abc import Collection
from typing import Any

from credit_assets.inspection.reading.catalogue import FoundColumn
from credit_assets.inspection.reading.facts import Facts
from credit_assets.inspection.suspicions.names import CODES, names_any
from credit_assets.settings.learning.model import Model
from credit_assets.settings.names import quote_name
from credit_assets.tables.casts import convert
from credit_assets.tables.kinds import INTEGERS, list_kinds

# A category or an end of a range that fewer rows have is not written down: it may be one person's.
FEWEST_ROWS = 20
MOST_SHOWN, LONGEST_SHOWN = 4, 30
# Of several types that a column can be read as, the first.
TYPES = ("boolean", "date", "integer", "number", "category")
# What is measured becomes a number of a view, and everything else a category.
MEASURED = {"interval", "money"}
# An integer with such a name is a code, if it has few values.
MOST_CODES = 20


def type_of(facts: Facts) -> str | None:
    """The type that the settings declare for a column; None if no type reads it."""
    column, kinds = facts.column, list_kinds(facts.column.type)
    if facts.form == "integer" and facts.distinct <= MOST_CODES and names_any(column.name, CODES):
        return "category"
    # A numeric column may have fractions that the sample has not.
    whole = column.type.base in INTEGERS or column.type.is_whole
    return next((each for each in TYPES if each in kinds and (each != "integer" or whole)), None)


def suggest_cast(column: FoundColumn) -> str:
    """SQL of a view that makes a column one that is read."""
    kind = "number" if column.type.base in MEASURED else "category"
    return f"{convert(quote_name(column.name), kind, column.type)} AS {quote_name(f'{column.name}_{kind}')}"


def declare_column(facts: Facts, created_at: str | None = None) -> dict[str, Any]:
    """The inline table of a column: its type, bounds for a number, and the time that a date lies before.

    Args:
        facts: of the column.
        created_at: the column that says when a loan was made; None if nobody knows it.
    """
    kind = type_of(facts)
    declared: dict[str, Any] = {"type": kind}
    if kind in ("integer", "number") and facts.low is not None and facts.high is not None and not is_small(facts):
        low, high = widen(facts.low, facts.high)
        declared |= {"minimum": low, "maximum": high}
    if kind == "date" and created_at is not None:
        declared["before"] = created_at
    return declared | declare_gaps(facts)


def declare_gaps(facts: Facts) -> dict[str, str]:
    """The key that allows values to be missing, if some are."""
    return {"missing": "allowed"} if facts.missing else {}


def describe_gaps(facts: Facts) -> str:
    """How many values are missing, for people: at least a tenth of a percent, if any is."""
    return f"{max(facts.missing_share, 0.001):.1%} missing" if facts.missing else ""


def describe_column(facts: Facts) -> str:
    """What was seen of a column, for people."""
    kind = type_of(facts)
    if kind == "date":
        return "read as its age in days"
    if kind != "category" and facts.low is not None and facts.high is not None:
        if is_small(facts):
            return f"fewer than {FEWEST_ROWS} values, so no bound was drawn from them"
        common = {float(value) for value, count in facts.counts.items() if count >= FEWEST_ROWS}
        return f"seen {describe_range(facts.low, facts.high, common)}"
    return _add_encoding(facts, list_levels(facts, MOST_SHOWN))


def list_levels(facts: Facts, most: int) -> str:
    """The most frequent values with their rows, for people: `"car" 500, 3 more`. None that few rows have is shown.

    Args:
        facts: of a column with categories.
        most: how many are shown.
    """
    frequent = [(level, count) for level, count in facts.counts.items() if count >= FEWEST_ROWS][:most]
    shown = [f"{json.dumps(_shorten(str(level)), ensure_ascii=False)} {count:,}" for level, count in frequent]
    if not shown:
        return f"{facts.distinct:,} values"
    rest = facts.distinct - len(frequent)
    return ", ".join([*shown, f"{rest:,} more"] if rest else shown)


def describe_count(facts: Facts) -> str:
    """How many values a column has, for people, without any of them."""
    return _add_encoding(facts, f"{facts.distinct:,} values")


def _add_encoding(facts: Facts, listed: str) -> str:
    return f"{listed}; so many are one number" if facts.distinct > Model().one_hot_levels else listed


def is_small(facts: Facts) -> bool:
    """Whether so few rows have a value that bounds would be those of single persons."""
    return facts.filled < FEWEST_ROWS


def _shorten(text: str) -> str:
    return text if len(text) <= LONGEST_SHOWN else f"{text[: LONGEST_SHOWN - 1]}…"


def describe_range(low: float, high: float, common: Collection[float] = ()) -> str:
    """The range of a number, wider than it was seen, so that it shows no person's exact one: `1,200 to 41,000`.

    Both ends have the place of the second digit of the greater one. An end that this does not change loses a place
    more, unless it is 0 or a number that many rows have. No end is further than the next of 1, 2, 5, 10 … beyond it, so
    that it lies within the bounds of `widen`.

    Args:
        low: the least number.
        high: the greatest.
        common: numbers that so many rows have that they show no person.
    """
    greatest = max(abs(low), abs(high)) or 1.0
    step = 10.0 ** (math.floor(math.log10(greatest)) - 1)
    if low.is_integer() and high.is_integer():
        step = max(1.0, step)
    # The highest end is the lowest one of the negative numbers.
    ends = (_round_down(low, step, common), -_round_down(-high, step, {-each for each in common}))
    places = 0 if all(end.is_integer() for end in ends) else max(0, -round(math.log10(step)))
    # 0 is added because -0 is no number for people.
    return " to ".join(
        f"{end + 0:,.{places}f}" if math.isclose(round(end, places), end) else f"{end:,g}" for end in ends
    )


def _round_down(number: float, step: float, common: Collection[float]) -> float:
    rounded = math.floor(number / step + 1e-9) * step
    if number != 0 and number not in common and math.isclose(rounded, number):
        rounded = (math.ceil(number / (10 * step) - 1e-9) - 1) * 10 * step
    return max(rounded, -float(_next_round(-number * (1 + 1e-9)))) if number < 0 else rounded


def widen(low: float, high: float) -> tuple[int | float, int | float]:
    """Bounds that hold for other loans too: at least twice what was seen, and 0 if nothing was below it."""
    minimum = -_next_round(-2 * low) if low < 0 else 0
    maximum = _next_round(2 * high) if high > 0 else 0
    return minimum, maximum


def _next_round(number: float) -> int | float:
    """The next of 1, 2, 5, 10, 20, 50 … that is not below a positive number."""
    power = 10.0 ** math.floor(math.log10(number))
    rounded = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= number * (1 - 1e-12))
    return int(rounded) if rounded >= 1 else float(f"{rounded:.1g}")
