"""A draft that takes the wrong column or the wrong value for the outcome trains a model that is upside down."""

from typing import Any

import pyarrow as pa
import pytest

from credit_assets.inspection.keys import choose_created_at, choose_id, describe_future
from credit_assets.inspection.reading.catalogue import FoundColumn
from credit_assets.inspection.reading.facts import describe_column
from credit_assets.inspection.targets import choose_target
from credit_assets.tables.kinds import ColumnType

TIME = "timestamp with time zone"


@pytest.mark.parametrize(
    ("name", "sql_type", "cells", "positive", "why"),
    [
        ("default_status", "integer", [0, 0, 1], 1, "by its name"),
        ("is_repaid", "integer", [0, 1, 1], 0, "by its name, which says that a loan was repaid"),
        ("creditability", "text", ["bad", "good", "good"], "bad", "by the words of its values"),
        ("creditability", "integer", [1, 1, 2], 2, "the rarer value"),
        (
            "loan_status",
            "text",
            ["Fully Paid", "Fully Paid", "Charged Off"],
            "Charged Off",
            "by the words of its values",
        ),
        ("ausgefallen", "text", ["nein", "ja", "nein"], "ja", "by its name"),
        ("is_bad", "boolean", ["true", "false", "false"], True, "by its name"),
        ("good", "boolean", ["true", "false", "true"], False, "by its name, which says that a loan was repaid"),
        ("defaulted", "text", ["N", "N", None, "Y"], "Y", "by its name"),
        ("defaulted", "numeric", [0.0, 0.0, 1.0], 1, "by its name"),
    ],
)
def test_the_value_that_means_a_default_is_found_by_its_meaning_and_marked(
    facts: Any, name: str, sql_type: str, cells: list[Any], positive: Any, why: str
) -> None:
    chosen = choose_target([facts("purpose", "text", ["a", "b", "a"]), facts(name, sql_type, cells)])
    lines = {line.key: line for line in chosen.lines}
    assert lines["column"].value == name
    assert lines["positive"].value == positive
    assert lines["negative"].value != positive
    assert lines["positive"].comment.startswith("LOOK: the loan defaulted, ")
    assert why in lines["positive"].comment


def test_two_values_with_an_ordinary_name_are_no_target_and_the_key_is_left_open(facts: Any) -> None:
    chosen = choose_target([facts("has_telephone", "integer", [0, 1, 1]), facts("prior_default", "integer", [0, 1, 0])])
    assert chosen.column is None
    assert [line.state for line in chosen.lines if line.key == "column"] == ["open"]
    assert chosen.mark(pa.table({"has_telephone": [0]})) is None


def test_days_past_due_are_a_bound_of_90_and_a_column_with_two_values_wins_over_it(facts: Any) -> None:
    days = facts("dpd", "integer", [0, 10, None, 95])
    chosen = choose_target([days])
    assert {line.key: line.value for line in chosen.lines if line.state == "kept"} == {"column": "dpd", "at_least": 90}
    assert "25.0% of the loans have none" in chosen.lines[0].comment
    marked = chosen.mark(pa.table({"dpd": [0, 90, None, 95]}))
    assert marked is not None
    assert [list(each) for each in marked] == [[False, True, False, True], [True, True, False, True]]
    flag = facts("is_bad", "integer", [0, 0, None, 1])
    assert (choose_target([days, flag]).column, choose_target([days, flag]).rivals) == ("is_bad", ["dpd"])
    assert choose_target([facts("dpd", "integer", [0, 10, 60])]).column is None


def test_a_status_of_many_values_is_named_where_no_column_says_the_outcome(facts: Any) -> None:
    status = facts("loan_status", "text", ["current", "late", "charged off"])
    assert "loan_status may say it" in choose_target([status]).lines[0].comment
    assert "marital_status" not in choose_target([facts("marital_status", "text", ["a", "b", "c"])]).lines[0].comment


def test_a_status_of_three_values_is_named_beside_the_target_and_is_no_feature(facts: Any) -> None:
    states = ["current", "late", "charged off"]
    flag, loan = facts("is_bad", "integer", [0, 1, 0]), facts("loan_status", "text", states)
    chosen = choose_target([flag, loan, facts("purpose", "text", ["a", "b", "c"])])
    assert (chosen.column, chosen.rivals) == ("is_bad", ["loan_status"])
    assert "loan_status may say it too, by more than two values" in chosen.lines[0].comment
    assert "purpose" not in chosen.lines[0].comment


def test_what_was_late_before_and_the_status_of_something_else_stay_features(facts: Any) -> None:
    known = [
        facts("late_payments", "integer", [0, 1, 5]),
        facts("housing_status", "text", ["own", "rent", "free"]),
        facts("previous_loan_status", "text", ["repaid", "late", "none"]),
    ]
    chosen = choose_target([facts("is_bad", "integer", [0, 1, 0]), *known])
    assert chosen.rivals == []
    assert "previous_loan_status" not in chosen.lines[0].comment, "it says how an earlier loan stood"


@pytest.mark.parametrize(
    ("name", "cells"),
    [
        ("housing_status", ["own", "rent", "mortgage"]),
        ("employment_status", ["salaried", "self-employed", "none"]),
        ("verification_status", ["verified", "source verified", "not verified"]),
        ("state", ["CA", "NY", "TX"]),
        ("house_flag", ["a", "b", "c"]),
    ],
)
def test_the_state_of_a_home_or_a_job_is_named_nowhere_beside_the_target(
    facts: Any, name: str, cells: list[str]
) -> None:
    flag, status = facts("is_bad", "integer", [0, 1, 0]), facts(name, "text", cells)
    chosen = choose_target([flag, status])
    assert (chosen.rivals, chosen.states) == ([], [])
    assert name not in chosen.lines[0].comment
    assert name not in choose_target([status]).lines[0].comment
    two = facts(name, "text", [*cells[:2], cells[0]])
    assert name == "house_flag" or choose_target([flag, two]).rivals == [], "two kinds of homes are no outcome"


def test_a_status_whose_values_only_a_loan_has_is_named_whatever_it_is_the_status_of(facts: Any) -> None:
    flag = facts("is_bad", "integer", [0, 1, 0])
    account = facts("account_status", "text", ["Open", "Fully Paid", "Charged Off"])
    chosen = choose_target([flag, account])
    assert (chosen.rivals, chosen.states) == ([], ["account_status"]), "an account may be another one than the loan's"
    assert "account_status may say it too" in chosen.lines[0].comment
    status = facts("status", "text", ["Open", "Fully Paid", "Charged Off"])
    assert choose_target([flag, status]).rivals == ["status"]
    alone = choose_target([facts("loan_status", "text", ["Open", "Fully Paid", "Charged Off"])])
    assert (alone.column, alone.rivals) == (None, ["loan_status"]), "without a target it knows the outcome as well"


def test_a_second_candidate_is_named_and_the_stronger_name_wins(facts: Any) -> None:
    chosen = choose_target([facts("status", "text", ["a", "b"]), facts("charged_off", "integer", [0, 1])])
    assert (chosen.column, chosen.rivals) == ("charged_off", ["status"])
    assert "it could also be status" in chosen.lines[0].comment


def test_a_loan_without_an_outcome_is_in_neither_class(facts: Any) -> None:
    chosen = choose_target([facts("defaulted", "text", ["N", None, "Y"])])
    marked = chosen.mark(pa.table({"defaulted": ["N", None, "Y"]}))
    assert marked is not None
    assert [list(each) for each in marked] == [[False, False, True], [True, False, True]]


def test_the_id_is_the_primary_key_or_a_unique_column_and_never_one_that_repeats(facts: Any) -> None:
    primary = facts("loan_number", "integer", range(3), "primary")
    assert choose_id([facts("id", "integer", [1, 1, 2]), primary], "loans").value == "loan_number"
    many = facts("id", "integer", range(100))
    found = choose_id([many], "loans")
    assert found.value == "id"
    assert "LOOK: no index keeps two loans from having one" in found.comment
    opened = choose_id([facts("id", "integer", [1, 1, 2]), facts("amount", "numeric", [1.0, 2.0, 3.0])], "loans")
    assert opened.state == "open"


def test_a_text_that_differs_in_every_row_may_be_the_id_if_no_key_is_there(facts: Any) -> None:
    texts = facts("x7", "text", [f"A-{number}" for number in range(30)])
    chosen = choose_id([texts, facts("amount", "integer", range(30))], "loans")
    assert (chosen.value, "LOOK: no index keeps" in chosen.comment) == ("x7", True)
    assert choose_id([texts, facts("x8", "uuid", map(str, range(30)), "primary")], "loans").value == "x8"
    opened = choose_id([facts("x7", "text", ["a", None]), facts("amount", "integer", range(30))], "loans")
    assert (opened.state, "no two rows have one value of amount" in opened.comment) == ("open", True)


@pytest.mark.parametrize(
    ("name", "value"), [("x7", "p{}@example.com"), ("kunde", "k{}"), ("phone", "{}"), ("x7", "Anna M{}üller")]
)
def test_a_text_that_names_a_person_is_no_id(facts: Any, name: str, value: str) -> None:
    cells = [value.format("abcdefghijklmnop"[number]) for number in range(16)]
    opened = choose_id([facts(name, "text", cells)], "loans")
    assert (opened.state, "names no person" in opened.comment) == ("open", True)


def test_the_time_of_a_loan_is_found_by_its_name_and_another_candidate_is_named(facts: Any) -> None:
    times = [facts("updated_at", TIME, [3.0]), facts("fecha_alta", TIME, [1.0]), facts("closed_at", TIME, [9.0])]
    assert choose_created_at(times).value == "fecha_alta"
    two = [facts("created_at", TIME, [1.0]), facts("applied_at", TIME, [1.0]), facts("issue_date", TIME, [2.0])]
    chosen = choose_created_at(two)
    assert (chosen.value, chosen.state) == ("created_at", "kept")


def test_times_that_say_nothing_of_the_loan_are_left_to_a_person_and_a_single_one_is_marked(facts: Any) -> None:
    closed, updated = facts("closed_at", TIME, [9.0]), facts("updated_at", TIME, [3.0])
    opened = choose_created_at([closed, updated])
    assert opened.state == "open"
    assert "times are closed_at, updated_at" in opened.comment
    single = choose_created_at([closed])
    assert (single.value, single.comment.startswith("LOOK: the only time of the table")) == ("closed_at", True)
    assert choose_created_at([facts("amount", "integer", [1])]).state == "open"


@pytest.mark.parametrize(("sql_type", "is_local"), [(TIME, False), ("timestamp without time zone", True)])
def test_loans_of_the_future_are_counted_because_a_dataset_leaves_them_out(
    facts: Any, sql_type: str, is_local: bool
) -> None:
    cells = [5.0, 10.0, 11.0, 12.0, float("inf"), float("-inf"), None]
    column = pa.chunked_array([pa.array(cells, pa.float64())])
    created = describe_column(FoundColumn("created_at", ColumnType(sql_type, sql_type)), column)
    later, before = describe_future(created, column, 10.0)
    assert later.startswith("LOOK: 3 of the 7 rows of the sample lie in the future, 1 of them at infinity: a dataset ")
    assert "(left_out)" in later
    assert ("name the time zone" in later) == is_local
    assert before == "LOOK: 1 rows lie at -infinity, and a run refuses them: correct them"
    past = facts("created_at", TIME, [5.0, None])
    assert describe_future(past, pa.chunked_array([pa.array([5.0, None], pa.float64())]), 10.0) == []
