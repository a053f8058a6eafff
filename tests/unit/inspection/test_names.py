"""A person's attribute that is not found by its name becomes a feature, and nobody notices that the model uses it."""

import pytest

from credit_assets.inspection.suspicions.names import (
    ends_as_reference,
    find_identity,
    find_personal,
    says_afterwards,
    says_past_due,
    says_person,
    spell,
)


@pytest.mark.parametrize(
    ("name", "attribute"),
    [
        ("sex", "sex"),
        ("Geschlecht", "sex"),
        ("SEXO_CLIENTE", "sex"),
        ("geschl", "sex"),
        ("GESCH", "sex"),
        ("gender_cd", "sex"),
        ("sexe", "sex"),
        ("Anrede", "sex"),
        ("civilité", "sex"),
        ("tratamiento", "sex"),
        ("age", "age"),
        ("AgeInYears", "age"),
        ("alter", "age"),
        ("date_of_birth", "date of birth"),
        ("Geburtsdatum", "date of birth"),
        ("fecha de nacimiento", "date of birth"),
        ("date_naissance", "date of birth"),
        ("staatsangehörigkeit", "nationality"),
        ("Staatsangehoerigkeit", "nationality"),
        ("nationalité", "nationality"),
        ("foreign_worker", "nationality"),
        ("familienstand", "marital status"),
        ("estado-civil", "marital status"),
        ("PLZ", "postcode or address"),
        ("code postal", "postcode or address"),
        ("homeZipCode", "postcode or address"),
        ("religion", "religion"),
        ("raza", "ethnicity"),
    ],
)
def test_the_name_of_a_personal_attribute_is_found_in_four_languages(name: str, attribute: str) -> None:
    assert find_personal(name) == attribute


@pytest.mark.parametrize(
    "name",
    [
        "amount",
        "loan_age",
        "age_of_oldest_account",
        "percentage",
        "mortgage",
        "essex_branch",
        "traceability",
        "storage",
    ],
)
def test_a_thing_whose_name_only_sounds_like_a_person_is_left_alone(name: str) -> None:
    assert find_personal(name) is None


@pytest.mark.parametrize(
    ("name", "identity"),
    [
        ("Nachname", "name of a person"),
        ("customer_name", "name of a person"),
        ("E-Mail", "e-mail address"),
        ("correo_electronico", "e-mail address"),
        ("téléphone", "telephone number"),
        ("IBAN", "account number"),
        ("passport_number", "number of a document"),
        ("amount", None),
        ("number_of_loans", None),
    ],
)
def test_a_name_says_whether_it_identifies_a_person(name: str, identity: str | None) -> None:
    assert find_identity(name) == identity


def test_the_last_word_of_a_name_says_that_it_is_a_person() -> None:
    assert all(map(says_person, ("kunde", "Bürge", "loanOfficer", "cliente", "nom", "prénom", "apellido_1")))
    assert not any(map(says_person, ("customer_type", "officer_count", "product", "managed_by")))


@pytest.mark.parametrize(
    "name",
    ["recovered_amount", "written_off_at", "collection_stage", "days_past_due", "Rückstand", "rueckstand", "mora"],
)
def test_a_name_that_says_what_is_known_after_the_outcome_is_found(name: str) -> None:
    assert says_afterwards(name)


@pytest.mark.parametrize("name", ["prior_default", "default_currency", "previous_days_past_due", "recollect", "income"])
def test_a_name_that_says_what_is_known_before_the_loan_is_not(name: str) -> None:
    assert not says_afterwards(name)


def test_days_past_due_are_found_in_four_languages_and_a_due_date_is_not() -> None:
    assert all(map(says_past_due, ("dpd", "DaysPastDue", "Verzugstage", "dias_mora", "jours de retard")))
    assert not says_past_due("due_date")


def test_a_reference_is_the_last_word_of_a_name() -> None:
    assert ends_as_reference("branchId")
    assert ends_as_reference("customer_uuid")
    assert not ends_as_reference("id_checked")


def test_a_name_is_spelled_without_accents_capitals_and_signs() -> None:
    assert spell("Días-de Mora") == "dias_de_mora"
    assert spell("loanAmountEUR") == "loan_amount_eur"
    assert spell("Straße") == "strasse"
