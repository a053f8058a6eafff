"""How a figure is shown to people: rounded, or the word `undefined` where it has no value.

A model that predicts no default has no precision, and nobody must read that as 0. Every place that prints a figure
calls these functions.
"""

UNDEFINED = "undefined"


def format_figure(figure: float | None, pattern: str = ".4f", unit: str = "") -> str:
    """A figure as text.

    Args:
        figure: None if it is not defined.
        pattern: Python's format specification.
        unit: follows a defined figure, with its own blank: ` s`.
    """
    return UNDEFINED if figure is None else f"{figure:{pattern}}{unit}"


def round_figure(figure: float | None, digits: int = 4) -> float | str:
    """A figure as metadata: a number that Dagster draws as a line, or text if it is not defined."""
    return UNDEFINED if figure is None else round(figure, digits)
