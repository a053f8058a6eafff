"""What is predicted: which loans defaulted, which have no outcome yet, and which ones are kept for the test.

Belongs here: the sections `target` and `split`. Does not belong here: features (`columns`), and how outcomes are read
off the rows (`credit_assets.loans.columns`).
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from math import isfinite
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    Field,
    StrictBool,
    StrictFloat,
    StrictInt,
    StrictStr,
    field_validator,
    model_validator,
)

from credit_assets.settings.columns import Strict, add_key
from credit_assets.settings.names import Name
from resources.errors import PlatformError

DURATION = re.compile(r"([1-9]\d{0,2}) (day|week|month|year)s?")
TWO_VALUES = "negative and positive are two different values of one kind: both text, both numbers, or true and false"
Value = StrictBool | StrictInt | StrictFloat | StrictStr
Bound = Annotated[float, Field(strict=True)]


def _refuse_other_durations(text: str) -> str:
    if not DURATION.fullmatch(text):
        raise ValueError(
            f'{text!r} is no duration; write a number from 1 to 999 and a unit, such as "90 days", "6 weeks", '
            '"12 months" or "2 years"'
        )
    return text


class Target(Strict):
    """The column to predict: two values, or a bound on a number.

    Attributes:
        column: has the outcome of each loan. A loan with NULL there has no outcome.
        negative: the value of a loan that was repaid; 0 if neither form is given.
        positive: the value of a loan that defaulted; 1 if neither form is given.
        at_least: a loan with this number or a greater one defaulted, and any other was repaid.
        at_most: a loan with this number or a smaller one defaulted, and any other was repaid.
        matures_after: a younger loan has no outcome, whatever its column says. None: the column decides alone.
    """

    column: Name
    negative: Value | None = None
    positive: Value | None = None
    at_least: Bound | None = add_key(None)
    at_most: Bound | None = add_key(None)
    matures_after: Annotated[StrictStr, AfterValidator(_refuse_other_durations)] | None = add_key(None)

    @model_validator(mode="before")
    @classmethod
    def _zero_and_one_if_nothing_is_said(cls, given: Any) -> Any:
        if isinstance(given, dict) and given.get("at_least") is None and given.get("at_most") is None:
            values = {"negative": 0, "positive": 1}
            return given | {name: value for name, value in values.items() if given.get(name) is None}
        return given

    @field_validator("negative", "positive", mode="before")
    @classmethod
    def _is_a_value_of_a_column(cls, value: Any) -> Any:
        if not isinstance(value, bool | int | float | str | None) or (isinstance(value, float) and not isfinite(value)):
            raise ValueError(
                f"{value} is neither text, a number, true nor false; a column of another kind needs a view that says "
                "which loans defaulted"
            )
        return value

    @model_validator(mode="after")
    def _one_form(self) -> "Target":
        values, bounds = (self.negative, self.positive), (self.at_least, self.at_most)
        if any(each is not None for each in bounds):
            if any(each is not None for each in values) or None not in bounds:
                raise ValueError("give either negative and positive, or at_least, or at_most, and only one of these")
            return self
        if self._kind(self.negative) != self._kind(self.positive) or self.negative == self.positive:
            raise ValueError(TWO_VALUES)
        return self

    @staticmethod
    def _kind(value: Any) -> str:
        return "boolean" if isinstance(value, bool) else "text" if isinstance(value, str) else "number"

    @property
    def kind(self) -> str:
        """How the column is read: one of the kinds of `credit_assets.tables.kinds`."""
        if self.positive is None:
            return "number"
        if isinstance(self.positive, bool | str):
            return "category"
        return "integer" if isinstance(self.positive, int) and isinstance(self.negative, int) else "number"

    @property
    def labels(self) -> tuple[str, str]:
        """For people: what the column says of a loan that was repaid, and of one that defaulted."""
        if self.at_least is not None:
            return f"less than {self.at_least:,.12g}", f"at least {self.at_least:,.12g}"
        if self.at_most is not None:
            return f"more than {self.at_most:,.12g}", f"at most {self.at_most:,.12g}"
        repaid, defaulted = (
            str(value).lower() if isinstance(value, bool) else repr(value) for value in (self.negative, self.positive)
        )
        return repaid, defaulted

    @property
    def stored_values(self) -> tuple[Any, Any]:
        """`negative` and `positive` as a dataset holds them: PostgreSQL prints the values of a boolean as t and f."""
        repaid, defaulted = (
            ("t" if value else "f") if isinstance(value, bool) else value for value in (self.negative, self.positive)
        )
        return repaid, defaulted

    def to_facts(self) -> dict[str, Any]:
        """What a manifest records of it: the keys that are given, and those two that are 0 and 1 if nothing is said."""
        return self.model_dump(mode="json", exclude_none=True)

    def find_newest_mature(self, as_of: datetime) -> datetime | None:
        """The creation time of the youngest loan that has an outcome as of a time; None if any age will do.

        Months and years go back to the same day and time of day in UTC. If that month has no such day, it is the
        month's last one: 12 months before 2024-02-29 is 2023-02-28.
        """
        if self.matures_after is None:
            return None

        import pandas as pd

        number, unit = self.matures_after.removesuffix("s").split()
        return (pd.Timestamp(as_of.astimezone(UTC)) - pd.DateOffset(**{f"{unit}s": int(number)})).to_pydatetime()


class OtherTarget(PlatformError, ValueError):
    """A thing that was made for another [target] than that of the settings: its figures and scores mean another."""


def describe_other_target(
    there: Mapping[str, Any] | None, here: Mapping[str, Any] | None, here_is: str = "in the settings"
) -> str | None:
    """Which keys of two recorded targets differ; None if none does, or if one of the two was not recorded.

    Args:
        there: what a manifest or a promotion records (`Target.to_facts`).
        here: what it is compared with.
        here_is: where that one stands, in words.
    """
    if there is None or here is None:
        return None
    differences = [
        f"target.{key} is {there.get(key, 'not given')} there and {here.get(key, 'not given')} {here_is}"
        for key in Target.model_fields
        if there.get(key) != here.get(key)
    ]
    return "; ".join(differences) or None


def refuse_other_target(what: str, facts: Mapping[str, Any], target: Target, remedy: str) -> None:
    """Raises OtherTarget if a thing was made for another target, for example with `at_least` 90 in the place of 30.

    Args:
        what: the thing, for the error.
        facts: of its manifest. One of an earlier release records no target, and is not refused.
        target: that of the settings.
        remedy: what to do, for the error.
    """
    if difference := describe_other_target(facts.get("target"), target.to_facts()):
        raise OtherTarget(f"{what} was made for another outcome than the settings declare: {difference}. {remedy}")


class Split(Strict):
    """Which loans are kept for the test: some that are drawn by lot, or the newest ones and beside them some by lot."""

    by: Literal["random", "time"] = "random"
