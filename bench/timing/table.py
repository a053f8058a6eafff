"""The result of a benchmark as text: figures in columns, goals met or missed, and the command behind each row."""

import math
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Goal:
    """A figure and its limit: a minimum if `at_least`, else a maximum."""

    what: str
    figure: float
    limit: float
    at_least: bool = True

    @property
    def is_met(self) -> bool:
        """Whether the figure before rounding meets the limit. NaN meets no goal."""
        return self.figure >= self.limit if self.at_least else self.figure <= self.limit

    def __str__(self) -> str:
        bound = "at least" if self.at_least else "at most"
        return f"{'met   ' if self.is_met else 'MISSED'}  {self.figure:.3g} {self.what} (goal: {bound} {self.limit:g})"


@dataclass(frozen=True)
class Row:
    """The name of a row, a figure for each column (None if it is not known), and the command to repeat it."""

    what: str
    figures: Sequence[float | None]
    command: str = ""


@dataclass(frozen=True)
class Table:
    """Rows with the same columns. Notes say how the figures were measured."""

    title: str
    columns: Sequence[str]
    rows: Sequence[Row]
    goals: Sequence[Goal] = ()
    notes: Sequence[str] = ()

    def __str__(self) -> str:
        header = [self.title, *self.columns, "command" if any(row.command for row in self.rows) else ""]
        cells = [header, *([row.what, *map(format_figure, row.figures), row.command] for row in self.rows)]
        widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
        lines = [format_line(each, widths) for each in cells]
        return "\n".join([lines[0], "-" * max(map(len, lines)), *lines[1:], *self.notes, *map(str, self.goals)])


def format_figure(figure: float | None) -> str:
    """Formats a figure with two decimals, or with none from 100 on and for an int. Empty if it is not known."""
    if figure is None or math.isnan(figure):
        return ""
    if isinstance(figure, int):
        return f"{figure:,}"
    return f"{figure:,.0f}" if abs(figure) >= 100 else f"{figure:.2f}"


def format_line(cells: Sequence[str], widths: Sequence[int]) -> str:
    """Joins the cells of a line: the first and the last cell aligned left, figures aligned right."""
    first, *figures, last = cells
    aligned = [figure.rjust(width) for figure, width in zip(figures, widths[1:-1], strict=True)]
    return "  ".join([first.ljust(widths[0]), *aligned, last]).rstrip()
