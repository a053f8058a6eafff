"""The table of the settings file: its name, the column to predict, features and personal attributes.

Belongs here: what a column is. Does not belong here: limits on data and models (`limits`).
"""

from itertools import pairwise
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StrictInt, StrictStr, field_validator, model_validator

from credit_assets.settings.names import Name, TableName


class Strict(BaseModel):
    """Nothing but what is declared: a typo is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


def add_key(default: Any) -> Any:
    """Declares a key that came after the first release: while it has its default, the fingerprint is without it.

    So a new release makes no other model of a settings file that says nothing new.
    """
    return Field(default, exclude_if=lambda value: value == default)


class Table(Strict):
    """Where the rows are: `name` may be qualified as `schema.table`; `id` rises with every row."""

    name: TableName
    id: Name = "id"
    created_at: Name = "created_at"


class Target(Strict):
    """The column to predict and its two values; `positive` is the event (a default)."""

    column: Name
    negative: StrictInt | StrictStr = 0
    positive: StrictInt | StrictStr = 1

    @field_validator("negative", "positive", mode="before")
    @classmethod
    def _text_or_whole_number(cls, value: Any) -> Any:
        if isinstance(value, bool):
            raise ValueError('write "t" or "f": PostgreSQL prints the values of a boolean column so')
        if not isinstance(value, int | str):
            raise ValueError(f"{value!r} is neither text nor a whole number; write the value as the column has it")
        return value

    @model_validator(mode="after")
    def _two_values_of_one_type(self) -> "Target":
        if type(self.negative) is not type(self.positive) or self.negative == self.positive:
            raise ValueError("negative and positive are two different values, both whole numbers or both text")
        return self


class Column(Strict):
    """A feature: numbers and integers may have bounds, both included; categories are text."""

    type: Literal["number", "integer", "category"]
    minimum: float | None = None
    maximum: float | None = None

    @property
    def bounds(self) -> str:
        """For people: `18 to 120`, `at least 0`."""
        low, high = (None if bound is None else f"{bound:,.12g}" for bound in (self.minimum, self.maximum))
        if low and high:
            return f"{low} to {high}"
        return f"at least {low}" if low else f"at most {high}" if high else "any"

    @model_validator(mode="after")
    def _bounds_fit(self) -> "Column":
        if self.type == "category" and (self.minimum is not None or self.maximum is not None):
            raise ValueError("minimum and maximum go with type number or integer, not category")
        if self.minimum is not None and self.maximum is not None and self.minimum > self.maximum:
            raise ValueError("minimum is above maximum")
        return self


class Attribute(Column):
    """A personal attribute; `bands` cut a number into groups for the fairness table, each lower bound included."""

    bands: tuple[float, ...] = ()

    @model_validator(mode="after")
    def _bands_cut_a_number(self) -> "Attribute":
        if self.bands and self.type == "category":
            raise ValueError("bands go with type number or integer, not category")
        if any(low >= high for low, high in pairwise(self.bands)):
            raise ValueError("bands are numbers that rise")
        return self
