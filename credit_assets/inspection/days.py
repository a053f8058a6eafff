"""What a bound makes of days past due: their range, the share of defaults, and numbers that seem to be codes.

Belongs here: what a person must see before a bound is believed. Does not belong here: which column is the target
(`targets`).
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from credit_assets.inspection.declarations import FEWEST_ROWS, describe_range
from credit_assets.inspection.lines import LOOK, Line
from credit_assets.inspection.reading.facts import mark_filled
from credit_assets.settings.names import quote_name

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

# What programs write where no number is known. Nobody's own number shows in such a code.
CODES = {-1.0, -9.0, -99.0, -999.0, -9999.0, 999.0, 9999.0, 99999.0, 999999.0}
# So many times the next smaller number is far above the rest.
FAR = 3
# So few days are ordinary, however far they are above the others.
YEAR = 365
# So many numbers at most lie far above the rest, and are codes. More of them are a long tail.
MOST_CODES = 3


@dataclass(frozen=True)
class Days:
    """The numbers of a column of days past due, in a sample.

    Attributes:
        numbers: each that a row has, the least first; shape (distinct,).
        rows: how many rows have each.
        is_code: whether each seems to be a code, and no number of days.
    """

    numbers: "np.ndarray"
    rows: "np.ndarray"
    is_code: "np.ndarray"

    def share_from(self, bound: float, *, with_codes: bool) -> float:
        """The share of the rows that have a bound or more; 0 of none."""
        counted = self.rows if with_codes else self.rows * ~self.is_code
        return float(counted[self.numbers >= bound].sum() / counted.sum()) if counted.sum() else 0.0


def count_days(values: "pa.ChunkedArray") -> Days:
    """Counts the numbers of a column, and marks those that seem to be codes.

    Args:
        values: numbers; shape (rows,).
    """
    import numpy as np

    filled = values.filter(mark_filled(values)).to_numpy().astype(float)
    numbers, rows = np.unique(filled, return_counts=True)
    is_code = numbers < 0
    # A code of nines may also lie near the days; then more rows have it than its neighbours.
    for place, number in enumerate(numbers):
        beside = [*rows[max(0, place - 1) : place], *rows[place + 1 : place + 2]]
        if number in CODES and beside and rows[place] >= max(FEWEST_ROWS, FAR * max(beside)):
            is_code[place] = True
    for place in range(len(numbers) - 1, max(0, len(numbers) - 1 - MOST_CODES), -1):
        if numbers[place] >= max(YEAR, FAR * numbers[place - 1]):
            is_code[place:] = True
    return Days(numbers, rows, is_code)


def describe_bound(name: str, values: "pa.ChunkedArray", bound: int) -> Line:
    """The line `at_least`, with the range of the days, the share of defaults, and numbers that seem to be codes.

    Args:
        name: the column of the days.
        values: its values in the sample; shape (rows,).
        bound: so many days, or more, are a default.
    """
    days = count_days(values)
    said = [f"so many days, or more, are a default: {days.share_from(bound, with_codes=True):.1%} of the loans"]
    if not len(days.numbers):
        return Line("at_least", bound, f"{LOOK} {said[0]}")
    if codes := _describe_codes(name, days, bound):
        said += [f"seen {_describe_range(days)} beside what may be codes", *codes]
    else:
        said.append(f"seen {_describe_range(days)}")
    return Line("at_least", bound, f"{LOOK} {'; '.join(said)}")


def _describe_range(days: Days) -> str:
    numbers, rows = days.numbers[~days.is_code], days.rows[~days.is_code]
    if rows.sum() < FEWEST_ROWS:
        return f"fewer than {FEWEST_ROWS} values, so none is shown"
    return describe_range(float(numbers[0]), float(numbers[-1]), set(map(float, numbers[rows >= FEWEST_ROWS])))


def _describe_codes(name: str, days: Days, bound: int) -> list[str]:
    """What the numbers are that seem to be codes, what they count as, and what to do; empty without any."""
    said = []
    for what, outcome, marks in (
        ("below 0", "repaid", days.is_code & (days.numbers < 0)),
        ("far from the others", "repaid", days.is_code & (days.numbers >= 0) & (days.numbers < bound)),
        ("far from the others", "defaults", days.is_code & (days.numbers >= bound)),
    ):
        if marks.any():
            said.append(f"{_list_codes(days, marks)} {what}, counted as {outcome}")
    if not said:
        return []
    without = days.share_from(bound, with_codes=False)
    said.append(f"{without:.1%} of the other loans are defaults")
    column, new = quote_name(name), quote_name(f"{name}_known")
    shown = [f"{number:.0f}" for number in days.numbers[days.is_code & _may_show(days)]]
    condition = [f"{column} >= 0"] if (days.numbers < 0).any() else []
    condition += [f"{column} NOT IN ({', '.join(above)})"] if (above := [n for n in shown if float(n) >= 0]) else []
    view = f"CASE WHEN {' AND '.join(condition)} THEN {column} END AS {new}" if condition else "NULL in their place"
    remedy = (
        f"a code that means written off may stay a default, and for one that means unknown a view may have {view}; "
        "then name the new column, which leaves these loans without an outcome"
    )
    return [*said, remedy]


def _may_show(days: Days) -> "np.ndarray":
    import numpy as np

    return (days.rows >= FEWEST_ROWS) | np.isin(days.numbers, list(CODES))


def _list_codes(days: Days, marks: "np.ndarray") -> str:
    """For example `-1 (118 rows) and 2 rows with other numbers lie`. A number that may be one person's is not shown."""
    shown = marks & _may_show(days)
    most = 5
    pairs = list(zip(days.numbers[shown], days.rows[shown], strict=True))[:most]
    listed = [f"{number:,g} ({rows:,} {'row' if rows == 1 else 'rows'})" for number, rows in pairs]
    others = int(days.rows[marks].sum() - sum(rows for _, rows in pairs))
    if others:
        listed.append(f"{others:,} {'row' if others == 1 else 'rows'} with {'other' if listed else 'such'} numbers")
    return f"{' and '.join(listed)} {'lie' if len(listed) > 1 else 'lies'}"
