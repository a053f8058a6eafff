"""An answer that is not as declared must fail its location, or a model scores with a value that nobody has checked."""

import json
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest

from credit_assets.settings.columns import Column
from credit_assets.settings.services import ScoringService
from credit_assets.waves.services.answers import describe_service, is_as_declared, make_request, read_answer
from resources.environment import DeploymentError
from resources.services.calls.service import BadAnswer

COLUMNS = {
    "index": Column(type="number", minimum=0, maximum=10),
    "banks": Column(type="integer", minimum=0),
    "climate": Column(type="category"),
}
GOOD = {"index": 1.5, "banks": 3, "climate": "mild"}
DECLARED = ScoringService(name="region", url="https://region.example/v1/{location}?full=1", columns=("index", "banks"))


def test_an_answer_has_a_value_for_each_column_and_the_rest_of_it_does_not_count() -> None:
    assert read_answer(json.dumps(GOOD | {"more": [1]}).encode(), COLUMNS) == GOOD


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"", "the answer is no JSON"),
        (b"\xff\xfe", "the answer is no JSON"),
        (b"<html>Jane Doe</html>", "the answer is no JSON"),
        (b"[" * 60_000, "the answer is no JSON"),
        (b'{"index": ' + b"9" * 5_000 + b"}", "the answer is no JSON"),
        (b'["Jane Doe"]', "no object"),
        (b"null", "no object"),
        (b'{"banks": 3, "climate": "mild"}', r"index is missing \(expected number, 0 to 10\)"),
        (b'{"index": 11.5, "banks": 3, "climate": "mild"}', r"index is not as declared \(expected number, 0 to 10\)"),
        (b'{"index": 1, "banks": 3.5, "climate": 7}', "banks is not as declared .*climate is not as declared"),
    ],
)
def test_garbage_is_refused_by_what_was_expected_and_never_quoted(body: bytes, message: str) -> None:
    with pytest.raises(BadAnswer, match=message) as raised:
        read_answer(body, COLUMNS)
    assert raised.value.cause == "an answer that can't be used"
    assert not any(quoted in str(raised.value) for quoted in ("Jane", "11.5", "3.5"))


@pytest.mark.parametrize(
    ("kind", "good", "bad"),
    [
        ("number", [0, 1.5, -2], [None, True, "1", [1], float("nan"), float("inf"), 10**400]),
        ("integer", [0, -5, 2**63 - 1], [None, True, 1.0, "1", 2**63, -(2**63) - 1]),
        ("category", ["", "mild"], [None, 1, ["mild"]]),
    ],
)
def test_a_value_has_the_type_of_its_column(kind: Any, good: list[Any], bad: list[Any]) -> None:
    assert all(is_as_declared(value, Column(type=kind)) for value in good)
    assert not any(is_as_declared(value, Column(type=kind)) for value in bad)


@pytest.mark.parametrize("kind", ["number", "integer", "category"])
def test_null_is_a_value_that_is_missing_only_where_that_is_allowed_and_a_left_out_one_never_is(kind: Any) -> None:
    strict, allowing = Column(type=kind), Column(type=kind, missing="allowed")
    assert read_answer(b'{"risk": null}', {"risk": allowing}) == {"risk": None}
    with pytest.raises(BadAnswer, match="risk is not as declared"):
        read_answer(b'{"risk": null}', {"risk": strict})
    for column in (strict, allowing):
        with pytest.raises(BadAnswer, match="risk is missing"):
            read_answer(b"{}", {"risk": column})


def test_every_name_of_a_location_stands_in_the_address_as_one_part() -> None:
    names = ["branch-0001", 'a "quoted" name', "slashes/and?#%2F", "🏦 Zürich", "x" * 200, "...", "tab\tand\nline"]
    addresses = make_request(describe_service(DECLARED), DECLARED, COLUMNS, [*names, ".", ".."]).addresses
    assert list(addresses) == names
    for name, address in addresses.items():
        assert address.isascii()
        parts = urlsplit(address)
        assert (parts.hostname, parts.path.count("/"), parts.query) == ("region.example", 2, "full=1")
        assert unquote(parts.path.rsplit("/", 1)[1]) == name


def test_a_token_is_read_from_its_variable_and_its_absence_names_it(monkeypatch) -> None:
    declared = DECLARED.model_copy(update={"token_variable": "REGION_TOKEN"})
    monkeypatch.delenv("REGION_TOKEN", raising=False)
    with pytest.raises(
        DeploymentError, match="REGION_TOKEN is not set: expected the bearer token of the service region"
    ):
        describe_service(declared)
    monkeypatch.setenv("REGION_TOKEN", "secret\ntoken")
    with pytest.raises(DeploymentError, match="REGION_TOKEN has a character") as raised:
        describe_service(declared)
    assert "secret" not in str(raised.value)
    monkeypatch.setenv("REGION_TOKEN", "secret\n")
    assert describe_service(declared).headers == {"Authorization": "Bearer secret"}
    assert describe_service(DECLARED).headers == {}
