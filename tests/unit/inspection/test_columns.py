"""A column that knows the outcome, or names a person, must not become a feature of a draft that is read in haste."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest

from credit_assets.inspection.columns import Subject, draft_columns
from credit_assets.inspection.declarations import describe_column as describe
from credit_assets.inspection.lines import Line

ROWS = 200
DEFAULTED = np.arange(ROWS) % 4 == 0
KNOWN = np.ones(ROWS, dtype=bool)
Draft = Callable[..., tuple[str, Line]]


@pytest.fixture
def draft(facts: Any, values: Any) -> Draft:
    """The section of one column of 200 loans, of which every fourth defaulted, and its line."""

    def make(
        name: str,
        sql_type: str,
        cells: Sequence[Any],
        *,
        key: str = "",
        is_rival: bool = False,
        is_state: bool = False,
    ) -> tuple[str, Line]:
        created = [float(1_000_000 + row) for row in range(ROWS)]
        subject = Subject(
            facts(name, sql_type, cells, key),
            values(sql_type, cells),
            facts("created_at", "timestamp with time zone", created),
            values("timestamp with time zone", created),
            (DEFAULTED, KNOWN),
            is_rival,
            is_state,
        )
        ((section, (line,)),) = ((name, lines) for name, lines in draft_columns([subject]).items() if lines)
        return section, line

    return make


def per_row(make: Callable[[int], Any]) -> list[Any]:
    return [make(row) for row in range(ROWS)]


@pytest.mark.parametrize(
    ("name", "sql_type", "make", "reason"),
    [
        ("x7", "numeric", lambda row: float(row % 4 == 0) + row / 1000, "ranks the outcome with an AUC of 1.000"),
        ("x7", "text", lambda row: "a" if row % 4 == 0 else None, "filled for loans that defaulted only"),
        ("x7", "text", lambda row: None if row % 8 == 0 else "ab"[row % 2], "empty for loans that defaulted only"),
        ("x7", "numeric", lambda row: 1.5 if row % 4 else None, "filled for loans that did not default only"),
        ("recovered_amount", "numeric", lambda row: row % 7 / 10, "known after the outcome only"),
        ("x7", "timestamp with time zone", lambda row: 2e9 + row % 9, "lies after the loan was made"),
        ("x7", "text", lambda row: "a", "all rows have one value"),
        ("x7", "integer", lambda row: None if row else 1, "99.5% missing"),
        ("x7", "text", lambda row: None, "it has no value in the sample"),
        ("x7", "text", lambda row: f"k{row}", "a key"),
        ("x7", "integer", lambda row: 500 + (row * 7) % 200, "a key"),
        ("branch_id", "integer", lambda row: row % 60, "refers to something"),
        ("x7", "text", lambda row: f"k{row % 150}", "most rows have a value of their own"),
        ("x7", "text", lambda row: f"person{row}@example.com", "its values look like e-mail addresses"),
        ("surname", "text", lambda row: f"Kryptozoologe{row % 150}", "it is the name of a person"),
        ("kunde", "text", lambda row: ["Anna Müller", "Jürgen Schmidt"][row % 2], "it looks like the name of a person"),
        ("loan_officer", "text", lambda row: ["Ada Lovelace", "J. Doe-Ray"][row % 2], "it looks like the name of a "),
        ("x7", "text", lambda row: ["Hr. Krause", "Fr. Öztürk"][row % 2], "it looks like the name of a person"),
        (
            "x7",
            "jsonb",
            lambda row: "t",
            """its type jsonb is not read; a view may have ("x7" #>> '{}')::text AS "x7_""",
        ),
        ("x7", "point", lambda row: "t", "its type point is not read, and says nothing to a model"),
        ("x7", "bytea", lambda row: "t", "says nothing to a model"),
        ("x7", "text", lambda row: f"{row * 7919 % 10007}.50", 'THEN "x7"::numeric END AS "x7_number"'),
        ("x7", "text", lambda row: f"{row * 7919 % 100003}", "its values are numbers that are stored as text"),
        ("x7", "text", lambda row: f"{1 + row % 28}.{1 + row // 28}.2020", """to_date("x7", 'DD.MM.YYYY')"""),
        ("x7", "text", lambda row: str(500 + row), "a key: no two rows"),
        ("x7", "text[]", lambda row: "t", """a view may have array_to_string("x7", ',')::text AS "x7_category\""""),
        ("x7", "interval", lambda row: "t", 'AS "x7_number"'),
        ("x7", "numeric", lambda row: float("inf") if row == 9 else row % 8 / 7, "1 rows are infinite"),
    ],
)
def test_a_column_that_a_model_must_not_learn_from_is_left_out_with_the_reason(
    draft: Draft, name: str, sql_type: str, make: Callable[[int], Any], reason: str
) -> None:
    section, line = draft(name, sql_type, per_row(make))
    assert (section, line.state) == ("features", "left out")
    assert reason in line.comment


def test_a_column_that_could_have_been_the_target_is_no_feature(draft: Draft) -> None:
    cells = per_row(lambda row: row % 3 % 2)
    assert draft("label", "integer", cells)[1].state == "kept"
    _, line = draft("label", "integer", cells, is_rival=True)
    assert (line.state, line.comment) == ("left out", "it could be the target, so it knows the outcome")


STANDS = ["Fully Paid", "Charged Off", "In Grace Period", "Late Again", "Not Yet Issued"]


def test_the_few_states_of_a_loan_are_shown_with_their_rows_because_a_person_judges_them(draft: Draft) -> None:
    cells = per_row(lambda row: STANDS[row % 5] if row else "Anna Krause")
    _, line = draft("loan_status", "text", cells, is_rival=True, is_state=True)
    assert line.state == "left out"
    assert all(f'"{each}" ' in line.comment for each in STANDS)
    assert ", 1 more" in line.comment
    assert "Krause" not in line.comment, "one row has it"
    _, line = draft("account_status", "text", cells, is_state=True)
    assert line.state == "kept"
    assert line.comment.startswith("LOOK: it may say how the loan stands, which nobody knew when it was made; ")
    assert '"Not Yet Issued" 40' in line.comment
    assert "Not Yet Issued" not in draft("account_status", "text", cells)[1].comment


def test_a_column_of_persons_shows_none_although_its_name_says_a_state_of_the_loan(draft: Draft) -> None:
    people = ["Anna Krause", "Bert Brecht", "Ada Lovelace", "Emmy Noether", "Lise Meitner"]
    for name in ("default_agent", "loan_status"):
        persons = [f"Mrs {each}" for each in people] if name == "loan_status" else people
        _, line = draft(name, "text", per_row(lambda row, persons=persons: persons[row % 5]), is_state=True)
        assert not any(each in line.comment for each in people)
    many = per_row(lambda row: f"state {row % 21}" if row < 21 else STANDS[0])
    assert STANDS[0] not in draft("loan_status", "text", many, is_rival=True)[1].comment


@pytest.mark.parametrize(
    ("name", "sql_type", "section"),
    [
        ("months_at_address", "integer", "features"),
        ("years_in_city", "numeric", "features"),
        ("adresse_seit", "timestamp with time zone", "features"),
        ("months_at_address", "text", "personal"),
        ("address", "integer", "personal"),
        ("zip", "integer", "personal"),
    ],
)
def test_for_how_long_somebody_has_lived_there_is_no_address(
    draft: Draft, name: str, sql_type: str, section: str
) -> None:
    cells = per_row(lambda row: f"{row % 40}" if sql_type == "text" else float(row % 40))
    if sql_type == "integer":
        cells = per_row(lambda row: row % 40)
    assert draft(name, sql_type, cells)[0] == section


@pytest.mark.parametrize(
    ("name", "sql_type", "make", "value", "comment"),
    [
        (
            "amount",
            "numeric",
            lambda row: 1000.37 + row % 150,
            {"type": "number", "minimum": 0, "maximum": 5000},
            "seen 1,000 to 1,200",
        ),
        (
            "balance",
            "integer",
            lambda row: row % 90 - 40,
            {"type": "integer", "minimum": -100, "maximum": 100},
            "seen -50 to 50",
        ),
        ("purpose", "text", lambda row: ["car", "house"][row % 2], {"type": "category"}, '"car" 100, "house" 100'),
        ("telephone", "text", lambda row: ["none", "yes"][row % 2], {"type": "category"}, '"none" 100, "yes" 100'),
        ("purpose_code", "integer", lambda row: row % 2, {"type": "category"}, '"0" 100, "1" 100'),
        ("has_car", "boolean", lambda row: ["true", "false"][row % 2], {"type": "boolean"}, '"false" 100, "true" 100'),
        (
            "customer_since",
            "timestamp with time zone",
            lambda row: float(row % 90),
            {"type": "date", "before": "created_at"},
            "read as its age in days",
        ),
    ],
)
def test_a_feature_has_its_type_and_bounds_that_are_wider_than_what_was_seen(
    draft: Draft, name: str, sql_type: str, make: Callable[[int], Any], value: Any, comment: str
) -> None:
    section, line = draft(name, sql_type, per_row(make))
    assert (section, line.state, line.value, line.comment) == ("features", "kept", value, comment)


def test_an_amount_that_differs_in_every_row_is_a_feature_unless_an_index_keeps_it_unique(draft: Draft) -> None:
    cells = per_row(lambda row: row * 7919 % 1_003 / 7)
    assert draft("amount", "numeric", cells)[1].state == "kept"
    assert draft("amount", "numeric", cells, key="unique")[1].state == "left out"


def test_a_column_with_gaps_allows_them_and_says_how_many_there_are(draft: Draft) -> None:
    _, line = draft("income", "numeric", per_row(lambda row: None if row % 10 == 3 else row % 7 + 0.5))
    assert line.value == {"type": "number", "minimum": 0, "maximum": 20, "missing": "allowed"}
    assert line.comment == "10.0% missing; seen 0.5 to 6.5"
    section, line = draft("sex", "text", per_row(lambda row: [None, "m", "f"][row % 3]))
    assert (section, line.value) == ("personal", {"type": "category", "missing": "allowed"})
    assert "missing" not in draft("income", "numeric", per_row(lambda row: row % 7 + 0.5))[1].value


def test_whole_numbers_that_differ_by_chance_are_no_key(draft: Draft) -> None:
    assert draft("income", "integer", per_row(lambda row: 20_000 + row * 7919 % 100_003))[1].state == "kept"


def test_a_column_that_ranks_better_than_models_do_is_kept_and_marked(draft: Draft) -> None:
    _, line = draft("score", "numeric", per_row(lambda row: row % 10 + 6.5 * (row % 4 == 0)))
    assert line.state == "kept"
    assert line.comment.startswith("LOOK: alone it ranks the outcome with an AUC of 0.9")
    assert "; seen 0 to 1" in line.comment


@pytest.mark.parametrize(
    ("name", "sql_type", "make", "value", "attribute"),
    [
        ("age", "integer", lambda row: 18 + row % 60, {"type": "integer", "bands": [25, 40, 60]}, "age"),
        ("x7", "text", lambda row: "mf"[row % 2], {"type": "category"}, "sex"),
        (
            "geburtsdatum",
            "timestamp with time zone",
            lambda row: -1e9 + row,
            {"type": "date", "before": "created_at", "bands": [9131, 14610, 21915]},
            "date of birth",
        ),
        ("geschl", "integer", lambda row: 1 + row % 2, {"type": "category"}, "sex"),
        ("anrede", "integer", lambda row: 1 + row % 2, {"type": "category"}, "sex"),
        ("x7", "text", lambda row: ["Herr", "Frau"][row % 2], {"type": "category"}, "sex"),
        ("estado_civil", "text", lambda row: "ab"[row % 2], {"type": "category"}, "marital status"),
    ],
)
def test_an_attribute_of_a_person_is_no_feature_and_shows_no_value(
    draft: Draft, name: str, sql_type: str, make: Callable[[int], Any], value: Any, attribute: str
) -> None:
    section, line = draft(name, sql_type, per_row(make))
    assert (section, line.state, line.value) == ("personal", "kept", value)
    assert line.comment == f"LOOK: it looks like a person's {attribute}"


def test_a_personal_category_with_many_groups_stays_for_the_fairness_table(draft: Draft) -> None:
    section, line = draft("postcode", "text", per_row(lambda row: f"{row % 90:05}"))
    assert (section, line.state, line.value) == ("personal", "kept", {"type": "category"})


def test_a_category_with_many_levels_says_that_it_becomes_one_number(facts: Any) -> None:
    described = [describe(facts("branch", "text", [f"b{row % levels}" for row in range(600)])) for levels in (100, 101)]
    assert described == ["100 values", "101 values; so many are one number"]


def test_no_comment_shows_a_value_that_few_rows_have_or_the_exact_number_of_a_person(draft: Draft) -> None:
    rare = "Kryptozoologe"
    _, line = draft("job", "text", per_row(lambda row: rare if row < 19 else "clerk"))
    assert line.comment == '"clerk" 181, 1 more'
    _, line = draft("job", "text", per_row(lambda row: f"{rare}{row % 50}"))
    assert line.comment == "50 values"
    _, line = draft("income", "numeric", per_row(lambda row: 1234.56 if row else 98_765.43))
    assert line.comment == "seen 1,000 to 99,000"


@pytest.mark.parametrize(
    ("name", "cells"),
    [("property", ["Single Family", "Town House"]), ("x7", ["Anna Müller", "Jürgen Schmidt"]), ("berater", ["Krause"])],
)
def test_what_may_be_a_person_is_kept_with_a_mark_and_shows_no_value(draft: Draft, name: str, cells: list[str]) -> None:
    values = [*cells, "Old Farm"]
    _, line = draft(name, "text", per_row(lambda row: values[row % len(values)] if row % 3 else "Krause"))
    assert line.state == "kept"
    assert line.comment.startswith("LOOK: its name or its values may be those of persons, so none is shown; ")
    assert not any(value in line.comment for value in (*values, "Krause"))


def test_a_kind_of_customer_is_no_person(draft: Draft) -> None:
    _, line = draft("customer_type", "text", per_row(lambda row: ["new", "returning"][row % 2]))
    assert (line.state, line.comment) == ("kept", '"new" 100, "returning" 100')


def test_the_numbers_of_fewer_than_20_rows_are_neither_shown_nor_a_bound(draft: Draft) -> None:
    few, enough = (
        draft("income", "numeric", [1234.5 + row for row in range(rows)] + [None] * (ROWS - rows))[1]
        for rows in (19, 20)
    )
    assert "1,2" not in few.comment
    assert "minimum" not in few.value
    assert "seen 1,200 to 1,300" in enough.comment
    assert enough.value["maximum"] == 5000
