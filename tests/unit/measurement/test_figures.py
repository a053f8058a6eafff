"""A figure without a value that is printed as a number misleads, or ends the program that prints it."""

import pytest

from credit_assets.measurement.figures import UNDEFINED, format_figure, round_figure


@pytest.mark.parametrize(
    ("figure", "pattern", "unit", "expected"),
    [
        (0.81234, ".4f", "", "0.8123"),
        (0.5, ".1%", "", "50.0%"),
        (12, ".1f", " s", "12.0 s"),
        (0.0, ".2f", "", "0.00"),
        (None, ".4f", "", "undefined"),
        (None, ".1f", " s", "undefined"),
    ],
)
def test_a_figure_is_rounded_and_one_without_a_value_is_undefined(figure, pattern, unit, expected) -> None:
    assert format_figure(figure, pattern, unit) == expected


def test_metadata_holds_a_number_or_the_word_and_never_nothing() -> None:
    assert round_figure(0.81239) == 0.8124
    assert round_figure(0.0) == 0.0
    assert round_figure(None) == UNDEFINED
