"""A code for unknown that counts as a default, or as repaid, trains a model on an outcome that nobody had."""

from collections.abc import Sequence

import pyarrow as pa
import pytest

from credit_assets.inspection.days import describe_bound

ORDINARY = [row % 180 for row in range(900)]


def describe(*cells: float | None) -> str:
    return describe_bound("days late", pa.chunked_array([pa.array(cells, pa.float64())]), 90).comment


def test_the_line_of_a_bound_says_the_range_and_the_share_of_defaults_and_no_code_without_one() -> None:
    comment = describe(*ORDINARY, None)
    assert comment == "LOOK: so many days, or more, are a default: 50.0% of the loans; seen 0 to 180"
    assert describe(0, 10, None, 95).endswith("33.3% of the loans; seen fewer than 20 values, so none is shown")
    assert describe(None).endswith(": 0.0% of the loans")


def test_codes_are_named_with_their_rows_and_what_they_count_as_and_what_to_do() -> None:
    comment = describe(*ORDINARY, *[-1] * 118, *[9999] * 40)
    assert "46.3% of the loans; seen 0 to 180 beside what may be codes" in comment
    assert "-1 (118 rows) lies below 0, counted as repaid" in comment
    assert "9,999 (40 rows) lies far from the others, counted as defaults" in comment
    assert "50.0% of the other loans are defaults" in comment
    view = 'CASE WHEN "days late" >= 0 AND "days late" NOT IN (9999) THEN "days late" END AS "days late_known"'
    assert view in comment


@pytest.mark.parametrize("cells", [[-7.0], [4321.0], [-1234.0, 7777.0]])
def test_a_number_that_may_be_one_persons_is_counted_and_not_shown(cells: Sequence[float]) -> None:
    comment = describe(*ORDINARY, *cells)
    assert "1 row with such numbers lies " in comment
    assert not any(f"{abs(cell):,g}" in comment or f"{abs(cell):g}" in comment for cell in cells if abs(cell) > 9)


def test_a_known_code_is_shown_even_if_one_row_has_it() -> None:
    assert "999 (1 row) lies far from the others" in describe(*ORDINARY, 999)


def test_many_rows_of_999_among_days_of_years_are_a_code_and_a_long_tail_is_none() -> None:
    years = [row % 1400 for row in range(2800)]
    assert "999 (402 rows) lies far from the others" in describe(*years, *[999] * 400)
    assert "codes" not in describe(*years)
    assert "codes" not in describe(*[0] * 500, *[30] * 50, *[95] * 20)
