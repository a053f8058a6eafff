"""What a benchmark found, as text: figures in columns, goals met or missed, and the command behind each row."""

import math
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Goal:
    """A figure and what it is to be, `at_least` or else at most."""

    what: str
    figure: float
    limit: float
    at_least: bool = True

    @property
    def met(self) -> bool:
        """As measured, not as rounded; a figure that is not a number meets nothing."""
        return self.figure >= self.limit if self.at_least else self.figure <= self.limit

    def __str__(self) -> str:
        bound = "at least" if self.at_least else "at most"
        return f"{'met   ' if self.met else 'MISSED'}  {self.figure:.3g} {self.what} (goal: {bound} {self.limit:g})"


@dataclass(frozen=True)
class Row:
    """What was measured, a figure for each column, None where there is none, and the command that one can repeat."""

    what: str
    figures: Sequence[float | None]
    command: str = ""


@dataclass(frozen=True)
class Table:
    """Rows with the same columns. Notes say how they came about."""

    title: str
    columns: Sequence[str]
    rows: Sequence[Row]
    goals: Sequence[Goal] = ()
    notes: Sequence[str] = ()

    def __str__(self) -> str:
        header = [self.title, *self.columns, "command" if any(row.command for row in self.rows) else ""]
        cells = [header, *([row.what, *map(cell, row.figures), row.command] for row in self.rows)]
        widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
        lines = [line(each, widths) for each in cells]
        return "\n".join([lines[0], "-" * max(map(len, lines)), *lines[1:], *self.notes, *map(str, self.goals)])


def cell(figure: float | None) -> str:
    """Two digits behind the point, none from 100 on or if it is a count; nothing for what is not known."""
    if figure is None or math.isnan(figure):
        return ""
    if isinstance(figure, int):
        return f"{figure:,}"
    return f"{figure:,.0f}" if abs(figure) >= 100 else f"{figure:.2f}"


def line(cells: Sequence[str], widths: Sequence[int]) -> str:
    """The first and the last cell to the left, figures to the right."""
    first, *figures, last = cells
    aligned = [figure.rjust(width) for figure, width in zip(figures, widths[1:-1], strict=True)]
    return "  ".join([first.ljust(widths[0]), *aligned, last]).rstrip()
