"""The page of a wave must not hide a failure, and must not say that more is tolerated than the settings say."""

from typing import Any

from credit_assets.settings.scoring import Scoring
from credit_assets.waves.outcomes import Failed, Outcome, Scored
from credit_assets.waves.page import choose_failures, count_causes, count_tolerated, describe_wave, summarize_outcomes
from credit_assets.waves.plans.plan import Plan

SCORING = Scoring(locations="l", applications="a", scores="s", tolerated_share=0.1, tolerated_count=3)
PLAN = Plan(
    "root",
    "2026-01-01T00:00:00+00:00",
    3,
    "a" * 64,
    tuple(f"l{number:02d}" for number in range(20)),
    tuple(range(20)),
    ("zz",),
)
SCORED: list[Outcome] = [Scored(f"l{number:02d}", number, number / 10, "d" * 64) for number in range(12)]
FAILED: list[Outcome] = [
    Failed("l12", "rows break the schema", "income: 1 of 3 rows is NULL", 0.1),
    Failed("l13", "TimeoutError", "TimeoutError", 5.0),
    Failed("l14", "rows break the schema", "age: 2 of 3 rows are above 120", 0.1),
    Failed("zz", "unknown location", "table l has no such location", 0.0),
]


def rows(table: Any) -> list[dict[str, Any]]:
    return [dict(record.data) for record in table.records]


def test_counts_by_state_add_up_to_all_locations_while_the_wave_is_under_way() -> None:
    page = describe_wave(PLAN, SCORED + FAILED, SCORING)
    assert (page["scored"], page["failed"], page["waiting"]) == (12, 4, 5)
    assert page["applications"] == sum(range(12))


def test_the_ten_slowest_locations_are_shown_and_no_other() -> None:
    slowest = rows(describe_wave(PLAN, SCORED, SCORING)["slowest"])
    assert [each["location"] for each in slowest] == [f"l{number:02d}" for number in range(11, 1, -1)]


def test_failures_are_counted_by_cause_with_examples_and_each_one_has_its_message() -> None:
    assert count_causes(SCORED + FAILED) == [
        {"cause": "rows break the schema", "locations": "2", "for example": "l12, l14"},
        {"cause": "TimeoutError", "locations": "1", "for example": "l13"},
        {"cause": "unknown location", "locations": "1", "for example": "zz"},
    ]
    messages = {
        each["location"]: each["what happened"]
        for each in rows(describe_wave(PLAN, FAILED, SCORING)["failed locations"])
    }
    assert messages["l14"] == "age: 2 of 3 rows are above 120"
    assert set(messages) == {"l12", "l13", "l14", "zz"}


def test_a_wave_without_a_failure_shows_none_and_has_nothing_to_repeat() -> None:
    page = describe_wave(PLAN, SCORED, SCORING)
    assert page["failures by cause"] == page["failed locations"] == "none"
    assert page["failed locations that are not shown"] == 0
    assert page["a repetition"] == "nothing: no location of the table failed"


def test_the_page_says_that_rescore_repeats_the_failures_and_that_a_re_execution_would_not() -> None:
    said = describe_wave(PLAN, FAILED, SCORING)["a repetition"]
    assert "rescore scores the 3 failed locations" in said, "the unknown name can't be scored"
    assert "A re-execution of this run would find the same failures" in said


def test_failures_beyond_the_longest_table_are_counted_and_not_left_out_in_silence() -> None:
    failed: list[Outcome] = [Failed(f"l{number}", "TimeoutError", "TimeoutError", 5.0) for number in range(213)]
    page = describe_wave(PLAN, failed, SCORING)
    assert len(rows(page["failed locations"])) == 200
    assert page["failed locations that are not shown"] == 13


def test_a_later_page_under_way_names_only_new_failures_and_says_where_the_others_are() -> None:
    assert "failed locations on earlier observations of this run" not in describe_wave(PLAN, FAILED, SCORING)
    named = {"l12", "zz"}
    page = describe_wave(PLAN, FAILED, SCORING, named)
    assert describe_wave(PLAN, FAILED, SCORING, named, choose_failures(FAILED, named)) == page
    assert [each["location"] for each in rows(page["failed locations"])] == ["l13", "l14"]
    assert (page["failed"], page["failed locations on earlier observations of this run"]) == (4, 2)
    assert page["failed locations that are not shown"] == 0
    page = describe_wave(PLAN, FAILED, SCORING, {each.location for each in FAILED})
    assert page["failed locations"] == "all of them are on earlier observations of this run"
    assert page["failed"] == 4
    many: list[Outcome] = [Failed(f"l{number}", "TimeoutError", "TimeoutError", 5.0) for number in range(213)]
    page = describe_wave(PLAN, many, SCORING, {"l0", "l1", "l2"})
    assert len(rows(page["failed locations"])) == 200
    assert page["failed locations that are not shown"] == 10


def test_the_smaller_of_share_and_count_is_tolerated() -> None:
    assert count_tolerated(SCORING, 21) == 2
    assert count_tolerated(SCORING, 1_000) == 3
    assert count_tolerated(SCORING, 5) == 0


def test_a_share_that_is_a_whole_number_of_locations_is_tolerated_whole() -> None:
    scoring = SCORING.model_copy(update={"tolerated_share": 0.29, "tolerated_count": 1_000})
    assert count_tolerated(scoring, 100) == 29
    assert count_tolerated(scoring, 103) == 29


def test_one_sentence_says_how_many_failed_and_why() -> None:
    assert summarize_outcomes(SCORED, 2) == "0 of 12 locations failed, 2 are tolerated"
    assert summarize_outcomes(SCORED + FAILED[:1], 2) == (
        "1 of 13 locations failed, 2 are tolerated. rows break the schema: 1 (l12)"
    )
