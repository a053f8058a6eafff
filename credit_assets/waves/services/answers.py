"""What services are asked about a location, and what an answer must be: a JSON object with a value for each column.

A value must be as the settings declare its column, like a value of the table of applications. `null` is a value that is
missing: it must be there, and the column must allow it.

Belongs here: addresses and answers, as pure functions. Does not belong here: the calls.
"""

import json
import math
from collections.abc import Iterable, Mapping
from functools import partial
from typing import Any
from urllib.parse import quote

from credit_assets.settings.columns import Column
from credit_assets.settings.services import PLACEHOLDER, ScoringService
from resources.environment import read_secret
from resources.services.calls.background import Request
from resources.services.calls.service import BadAnswer, Service

UNUSABLE = "an answer that can't be used"
# In a path, a server would take these names for a step to another address.
STEPS_OF_A_PATH = (".", "..")


def describe_service(declared: ScoringService) -> Service:
    """A service as it is called, with its token.

    Raises:
        DeploymentError: the variable of its token is not set.
    """
    headers = dict[str, str]()
    if declared.token_variable:
        token = read_secret(declared.token_variable, f"the bearer token of the service {declared.name}")
        headers["Authorization"] = f"Bearer {token}"
    called = ("name", "timeout_seconds", "tries", "at_once", "opens_after", "closes_after_seconds")
    return Service(headers=headers, **{name: getattr(declared, name) for name in called})


def make_request(
    service: Service, declared: ScoringService, features: Mapping[str, Column], locations: Iterable[str]
) -> Request:
    """What a service is asked about these locations. A name that can't stand in an address is left out.

    Args:
        service: as it is called.
        declared: its settings.
        features: all features of the model.
        locations: their names.
    """
    addresses = {
        location: declared.url.replace(PLACEHOLDER, quote(location, safe=""))
        for location in locations
        if location not in STEPS_OF_A_PATH
    }
    return Request(
        service, addresses, partial(read_answer, columns={name: features[name] for name in declared.columns})
    )


def read_answer(body: bytes, columns: Mapping[str, Column]) -> dict[str, Any]:
    """The values of an answer, one for each column. Other values of the answer don't count.

    Args:
        body: of the answer.
        columns: those that the service answers.

    Raises:
        BadAnswer: it is no JSON object, or a value is missing or not as declared. It never shows the value.
    """
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError):
        raise BadAnswer(UNUSABLE, "the answer is no JSON; expected an object") from None
    if not isinstance(answer, dict):
        raise BadAnswer(UNUSABLE, "the answer is JSON, and no object; expected an object")
    wrong = [
        f"{name} is {'not as declared' if name in answer else 'missing'} (expected {column.type}, {column.bounds})"
        for name, column in columns.items()
        if name not in answer or not is_as_declared(answer[name], column)
    ]
    if wrong:
        raise BadAnswer(UNUSABLE, f"in the answer, {', '.join(wrong)}")
    # A boolean is stored as 0 or 1.
    return {name: int(answer[name]) if isinstance(answer[name], bool) else answer[name] for name in columns}


def is_as_declared(value: Any, column: Column) -> bool:
    """Whether a value of JSON has the type of a column and is within its bounds, or is null where that is allowed."""
    if value is None:
        return column.may_be_missing
    if column.type == "category":
        return isinstance(value, str)
    if column.type == "boolean":
        return isinstance(value, bool)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    if column.type == "integer" and not (isinstance(value, int) and -(2**63) <= value < 2**63):
        return False
    try:
        number = float(value)
    except OverflowError:
        return False
    low = -math.inf if column.minimum is None else column.minimum
    high = math.inf if column.maximum is None else column.maximum
    return math.isfinite(number) and low <= number <= high
