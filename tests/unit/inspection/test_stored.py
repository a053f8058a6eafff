"""A view with the SQL of a draft fails, or loses values, if a text is taken for a number that it is not."""

import re

import pytest

from credit_assets.inspection.suspicions.stored import find_stored, suggest_stored_cast


@pytest.mark.parametrize(
    ("value", "cast"),
    [
        ("12{}.5", "::numeric"),
        ("-7{}", "::numeric"),
        ("1,{}.75", "replace("),
        ("1.{},75", "replace(replace("),
        ("1{},5", "replace(replace("),
        ("2{}-05-01", None),
        ("0{}", None),
        ("A{}", None),
        ("{} EUR", None),
    ],
)
def test_numbers_are_found_as_they_are_written_and_codes_are_not(facts, value: str, cast: str | None) -> None:
    texts = [value.format(100 + 7 * number) for number in range(60)]
    column = facts("x7", "text", [*texts, *texts, "unknown"])
    found = find_stored(column)
    assert (found is not None) == (cast is not None)
    if found:
        sql = suggest_stored_cast(column, found)
        assert "its values are numbers" in sql
        assert f"{cast}" in sql
        assert all(re.fullmatch(found.pattern, text) for text in texts)
        assert "unknown" not in sql


@pytest.mark.parametrize(
    ("value", "cast"),
    [
        ("2020-03-{:02}", "::date"),
        ("2020-03-{:02} 10:00:00", "::date"),
        ("202003{:02}", "'YYYYMMDD'"),
        ("{}.3.2020", "'DD.MM.YYYY'"),
        ("2020/3/{}", "'YYYY/MM/DD'"),
        ("03/{:02}/2020", "'MM/DD/YYYY'"),
        ("{:02}/03/2020 10:00", "'DD/MM/YYYY'"),
    ],
)
def test_dates_are_found_as_they_are_written(facts, value: str, cast: str) -> None:
    found = find_stored(facts("x7", "text", [value.format(1 + number % 28) for number in range(60)]))
    assert found is not None
    assert (found.kind, cast in found.cast) == ("date", True)


@pytest.mark.parametrize(
    ("others", "is_certain"),
    [([], False), (["01/31/2026"], True), (["31/01/2026"], True), (["01/31/2026", "31/01/2026"], False)],
)
def test_dates_that_may_have_the_day_or_the_month_first_are_called_ambiguous(
    facts, others: list[str], is_certain
) -> None:
    either = [f"{1 + number % 12:02}/{1 + number // 12:02}/2026" for number in range(60)]
    column = facts("x7", "text", [*either, *others])
    found = find_stored(column)
    assert found is not None
    said = suggest_stored_cast(column, found)
    assert ("ambiguous" in said) != is_certain
    ways = [way for way in ("'MM/DD/YYYY'", "'DD/MM/YYYY'") if way in said]
    if is_certain:
        assert ways == ["'MM/DD/YYYY'" if others == ["01/31/2026"] else "'DD/MM/YYYY'"]
        assert all(re.fullmatch(found.pattern, text) for text in (*either, *others))
    else:
        assert len(ways) == 2


def test_a_way_that_reads_more_values_wins_over_a_simpler_one(facts) -> None:
    small, large = [f"{number}.5" for number in range(100, 160)], [f"1,{number}.5" for number in range(100, 140)]
    found = find_stored(facts("x7", "text", [*small, *large]))
    assert found is not None
    assert all(re.fullmatch(found.pattern, text) for text in (*small, *large))


def test_few_numbers_are_a_category(facts) -> None:
    assert find_stored(facts("x7", "text", [str(row % 20) for row in range(200)])) is None
