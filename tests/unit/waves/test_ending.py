"""A failed location that does not fail its run is never shown as failed, and one that is tolerated alarms nobody."""

import dagster as dg
import pytest

from credit_assets.waves.ending import fail_if_any_failed, judge_failures, write_wave_report
from credit_assets.waves.outcomes import UNKNOWN_LOCATION, Failed, Outcome, Scored, read_outcomes
from credit_assets.waves.plans.plan import Plan
from resources.history.facts import CAUSES, TOLERATED

PLAN = Plan("root", "2026-01-01T00:00:00+00:00", 3, "a" * 64, ("a", "b", "c"), (2, 1, 0))
SCORED: list[Outcome] = [Scored("a", 2, 0.1, "d" * 64), Scored("c", 0, 0.0, "e" * 64)]
FAILED: list[Outcome] = [Failed("b", "rows break the schema", "income: 1 of 3 rows is NULL", 0.1)]


def test_a_wave_with_a_failed_location_fails_its_step_and_is_not_retried() -> None:
    with pytest.raises(dg.Failure, match="1 of 3 locations failed") as raised:
        fail_if_any_failed(SCORED + FAILED, tolerated=0)
    assert "launch the job rescore. A re-execution of this run would find the same failures" in str(
        raised.value.description
    )
    assert raised.value.allow_retries is False
    assert raised.value.metadata[TOLERATED].value is False


def test_the_error_has_an_example_of_each_cause_and_says_where_to_look() -> None:
    more: list[Outcome] = [
        Failed("d", "rows break the schema", "age: 2 of 3 rows are NULL", 0.1),
        Failed("e", "the database refused", "column savings is missing; add it", 0.1),
    ]
    with pytest.raises(dg.Failure) as raised:
        fail_if_any_failed([*SCORED, *FAILED, *more], tolerated=0)
    causes = [
        "rows break the schema: 2 locations (b, d). b: income: 1 of 3 rows is NULL",
        "the database refused: 1 location (e). e: column savings is missing; add it",
    ]
    said = str(raised.value.description)
    assert said.startswith(f"3 of 5 locations failed, 0 are tolerated. {causes[0]}; {causes[1]}. The page of this wave")
    assert "age: 2 of 3" not in said, "one example of each cause"
    assert raised.value.metadata[CAUSES].value == causes


def test_a_tolerated_failure_fails_the_step_too_and_says_that_it_is_tolerated() -> None:
    with pytest.raises(dg.Failure) as raised:
        fail_if_any_failed(SCORED + FAILED, tolerated=1)
    assert raised.value.metadata[TOLERATED].value is True


def test_for_a_name_that_is_unknown_no_repetition_is_recommended() -> None:
    unknown: Outcome = Failed("z", UNKNOWN_LOCATION, "table branches has no such location", 0.0)
    with pytest.raises(dg.Failure) as alone:
        fail_if_any_failed([*SCORED, unknown], tolerated=0)
    assert "Correct the names that are unknown: no run finds them" in str(alone.value.description)
    assert "rescore" not in str(alone.value.description)
    with pytest.raises(dg.Failure, match=r"launch the job rescore.*Correct the names that are unknown"):
        fail_if_any_failed([*SCORED, *FAILED, unknown], tolerated=0)


def test_a_wave_without_a_failure_does_not_fail() -> None:
    fail_if_any_failed(SCORED, tolerated=0)


def test_the_check_fails_above_the_limit_and_passes_at_it() -> None:
    assert not judge_failures(SCORED + FAILED, tolerated=0).passed
    assert judge_failures(SCORED + FAILED, tolerated=1).passed
    assert judge_failures(SCORED, tolerated=0).passed
    assert not judge_failures(SCORED + FAILED, tolerated=0).blocking


def test_a_shard_that_did_not_end_last_judges_nothing_and_says_so() -> None:
    verdict = judge_failures(SCORED + FAILED, tolerated=0, is_last=False)
    assert verdict.passed
    assert "The shard that ends last judges the whole wave" in verdict.message
    assert "The shard" not in judge_failures(SCORED + FAILED, tolerated=0).message


def test_the_report_has_every_outcome_for_programs_and_every_failure_for_people() -> None:
    report = write_wave_report(PLAN, SCORED + FAILED, tolerated=0)
    assert read_outcomes(report.data) == SCORED + FAILED
    assert (report.data["scored"], report.data["failed"], report.data["model"]["number"]) == (2, 1, 3)
    assert "b: rows break the schema: income: 1 of 3 rows is NULL" in report.text
    assert "\na:" not in report.text
