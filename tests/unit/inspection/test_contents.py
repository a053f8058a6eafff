"""A column whose name hides what it holds would reach the model, or the draft, with the values of persons."""

import pytest

from credit_assets.inspection.suspicions.contents import (
    find_identity_content,
    find_personal_content,
    is_date_of_birth,
    is_free_text,
    is_named_people,
    is_titled_people,
)

YEAR = 365.25 * 86_400


@pytest.mark.parametrize(
    ("values", "attribute"),
    [
        (["m", "f"], "sex"),
        (["Mann", "Frau", "divers"], "sex"),
        (["hombre", "mujer"], "sex"),
        (["Mr", "Mrs", "Ms"], "sex"),
        (["Hr.", "Fr."], "sex"),
        (["M.", "Mme"], "sex"),
        (["Sr", "Sra"], "sex"),
        (["männlich", "weiblich"], "sex"),
        (["1", "2"], None),
        (["male : single", "female : divorced/married"], "marital status"),
        (["ledig", "verheiratet", "geschieden"], "marital status"),
        (["katholisch", "evangelisch", "keine"], "religion"),
        (["german", "turkish", "other"], "nationality"),
        (["m", "l", "xl"], None),
        (["f", "g"], None),
        (["single", "annuity"], None),
        (["car", "house"], None),
    ],
)
def test_values_say_what_a_name_hides(facts, values: list[str], attribute: str | None) -> None:
    assert find_personal_content(facts("x7", "text", values * 30)) == attribute


@pytest.mark.parametrize(
    ("value", "identity"),
    [
        ("person{}@example.com", "e-mail addresses"),
        ("DE89 3704 0044 0532 0{:03} 00", "account numbers"),
        ("+49 30 12345{}", "telephone numbers"),
        ("1b4e28ba-2fa1-11d2-883f-0016d3cca{:03}", "keys"),
        ("10.0.0.{}", "addresses in a network"),
        ("product {}", None),
        ("{}", None),
    ],
)
def test_values_with_the_shape_of_an_identity_are_found(facts, value: str, identity: str | None) -> None:
    assert find_identity_content(facts("x7", "text", [value.format(each) for each in range(100, 200)])) == identity


@pytest.mark.parametrize(
    ("value", "is_name", "is_titled"),
    [
        ("Anna Müller", True, False),
        ("Müller, Anna", True, False),
        ("María de la Cruz", True, False),
        ("J. O'Hara-Smith", True, False),
        ("Fr. Öztürk", True, True),
        ("Herr Dr. Krause", True, True),
        ("Single Family", True, False),
        ("Krause", False, False),
        ("debt consolidation", False, False),
        ("Class A1", False, False),
        ("Frankfurt", False, False),
        ("Dr", False, False),
        ("New Car And House", False, False),
    ],
)
def test_a_name_of_a_person_has_a_title_or_words_with_capitals(
    facts, value: str, is_name: bool, is_titled: bool
) -> None:
    found = facts("x7", "text", [value] * 30)
    assert (is_named_people(found), is_titled_people(found)) == (is_name, is_titled)


def test_sentences_that_people_typed_are_free_text_and_categories_with_spaces_are_not(facts) -> None:
    typed = [f"called on day {day}, will pay later" for day in range(100)]
    assert is_free_text(facts("x7", "text", typed))
    assert is_free_text(facts("x7", "text", [each * 5 for each in typed]))
    categories = [f"unskilled worker of class {number}" for number in range(25)]
    assert not is_free_text(facts("x7", "text", categories * 20))


def test_a_time_generations_before_the_loans_is_a_birth_and_one_shortly_before_them_is_not(facts) -> None:
    created = facts("created_at", "timestamp with time zone", [50 * YEAR, 54 * YEAR])
    assert is_date_of_birth(facts("x7", "timestamp with time zone", [-5 * YEAR, 32 * YEAR]), created)
    assert not is_date_of_birth(facts("x7", "timestamp with time zone", [20 * YEAR, 49 * YEAR]), created)
    assert not is_date_of_birth(facts("x7", "timestamp with time zone", [30 * YEAR, 32 * YEAR]), created)
    assert not is_date_of_birth(facts("x7", "integer", [1, 2]), created)
