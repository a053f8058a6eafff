"""A name that PostgreSQL would cut, or that leaves its quotes, reads another table or becomes SQL.

Two tables that share a folder of the store would share one model in use.
"""

import pytest

from credit_assets.settings.names import check_name, make_key, quote_name, quote_table, spell_table


@pytest.mark.parametrize("name", ["income", "größe einkommen", 'a "b"', "50 %", "a.b", "x; DROP TABLE y --", "é" * 31])
def test_a_column_may_have_any_name_that_postgresql_takes(name: str) -> None:
    assert check_name(name) == name


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("", "has 0 bytes in UTF-8; expected a name of 1 to 63"),
        ("x" * 64, "has 64 bytes in UTF-8; expected a name of 1 to 63"),
        ("é" * 32, "has 64 bytes in UTF-8; expected a name of 1 to 63"),
        ("a\0b", "the name has the character NUL"),
    ],
    ids=["empty", "long", "long in bytes", "NUL"],
)
def test_a_name_that_postgresql_would_cut_or_refuse_is_refused_with_what_was_expected(name: str, expected: str) -> None:
    for check in (check_name, spell_table) if name else (check_name,):
        with pytest.raises(ValueError, match=expected):
            check(name)


@pytest.mark.parametrize("name", ["", ".", "a.", ".b", "a.b.c", '"a', 'a"b', '"a"b', '""', '"a".b.c'])
def test_what_is_no_name_of_a_table_is_refused_and_the_quotes_are_explained(name: str) -> None:
    with pytest.raises(ValueError, match=r"is no name of a table; expected table or schema\.table"):
        spell_table(name)


@pytest.mark.parametrize(
    ("name", "spelled", "quoted"),
    [
        ("loans", "loans", '"loans"'),
        ('"loans"', "loans", '"loans"'),
        ("risk.Loans", "risk.Loans", '"risk"."Loans"'),
        ('"risk.loans"', '"risk.loans"', '"risk.loans"'),
        ('my risk."loans 2.0"', 'my risk."loans 2.0"', '"my risk"."loans 2.0"'),
        ('"a ""b"""', '"a ""b"""', '"a ""b"""'),
        ("x'; DROP TABLE y --", "x'; DROP TABLE y --", '"x\'; DROP TABLE y --"'),
    ],
)
def test_a_table_has_one_spelling_and_stays_within_its_quotes(name: str, spelled: str, quoted: str) -> None:
    assert spell_table(name) == spelled
    assert spell_table(spelled) == spelled
    assert quote_table(name) == quoted


def test_a_quote_in_a_name_does_not_end_it() -> None:
    assert quote_name('x" FROM y --') == '"x"" FROM y --"'


def test_every_table_has_a_folder_of_its_own_that_any_store_and_registry_takes() -> None:
    assert [make_key(name) for name in ("loans", "risk.Loans")] == ["loans", "risk.Loans"]
    others = ["risk.über", "risk.öber", '"risk.loans"', "risk-loans", "risk loans", "../loans", "ü" * 31, "é" * 31]
    keys = [make_key(name) for name in others]
    assert len(set(keys)) == len(keys)
    for key in keys:
        assert key.replace("-", "").replace("_", "").isalnum()
        assert key.isascii()
        assert len(key) <= 80
