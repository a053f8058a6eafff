"""The table of the settings file: its name, features and personal attributes.

Belongs here: what a column is. Does not belong here: what is predicted (`learning`), and limits on data and models
(`limits`).
"""

from itertools import pairwise
from typing import Any, Literal
from zoneinfo import available_timezones

from pydantic import BaseModel, ConfigDict, Field, StrictStr, field_validator, model_validator

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
    """Where the rows are: `name` may be qualified as `schema.table`; `time_zone` is that of times without one.

    A table whose row policies would hide rows from the role is refused, unless `row_policy` is "apply".
    """

    name: TableName
    id: Name = "id"
    created_at: Name = "created_at"
    row_policy: Literal["refuse", "apply"] = add_key("refuse")
    time_zone: StrictStr = add_key("UTC")

    @field_validator("time_zone")
    @classmethod
    def _is_a_time_zone(cls, name: str) -> str:
        if name not in available_timezones():
            raise ValueError(f'{name!r} is no time zone; expected a name such as "Europe/Berlin", or "UTC"')
        return name


class Column(Strict):
    """A feature. Numbers, integers and dates may have bounds, both included; those of a date are days.

    Attributes:
        type: what it is read as. A date is its age: the days from it to another time.
        before: the other time, for a date: `as_of`, which is the time of the dataset or of the wave, or a column.
        monotonic: how the probability of a default may change as the number grows, all else equal: not fall, or not
            rise.
        missing: whether a row may have no value (NULL or NaN).
    """

    type: Literal["number", "integer", "category", "boolean", "date"]
    minimum: float | None = None
    maximum: float | None = None
    before: Name = add_key("as_of")
    monotonic: Literal["increasing", "decreasing"] | None = add_key(None)
    missing: Literal["refused", "allowed"] = add_key("refused")

    @property
    def may_be_missing(self) -> bool:
        """Whether a row may have no value."""
        return self.missing == "allowed"

    @property
    def is_measured(self) -> bool:
        """Whether its values are numbers of a quantity, which may have bounds."""
        return self.type in ("number", "integer", "date")

    @property
    def before_column(self) -> str | None:
        """The column with the other time of a date, if it is a column."""
        return self.before if self.type == "date" and self.before != "as_of" else None

    @property
    def bounds(self) -> str:
        """For people: `18 to 120`, `at least 0`."""
        low, high = (None if bound is None else f"{bound:,.12g}" for bound in (self.minimum, self.maximum))
        if low and high:
            return f"{low} to {high}"
        return f"at least {low}" if low else f"at most {high}" if high else "any"

    @model_validator(mode="after")
    def _bounds_fit(self) -> "Column":
        if not self.is_measured and (self.minimum is not None or self.maximum is not None):
            raise ValueError(f"minimum and maximum go with type number, integer or date, not {self.type}")
        if self.type != "date" and "before" in self.model_fields_set:
            raise ValueError(f"before goes with type date, not {self.type}")
        if self.minimum is not None and self.maximum is not None and self.minimum > self.maximum:
            raise ValueError("minimum is above maximum")
        return self

    @model_validator(mode="after")
    def _only_a_number_has_a_direction(self) -> "Column":
        if self.monotonic and self.type not in ("number", "integer"):
            raise ValueError(f"monotonic goes with type number or integer, not {self.type}")
        return self


class Attribute(Column):
    """A personal attribute; `bands` cut a number into groups for the fairness table, each lower bound included."""

    bands: tuple[float, ...] = ()

    @model_validator(mode="after")
    def _bands_cut_a_number(self) -> "Attribute":
        if self.bands and not self.is_measured:
            raise ValueError(f"bands go with type number, integer or date, not {self.type}")
        if self.type == "date" and not self.bands:
            raise ValueError("a date has a group of its own for each day; give it bands, in days")
        if any(low >= high for low, high in pairwise(self.bands)):
            raise ValueError("bands are numbers that rise")
        return self

    @model_validator(mode="after")
    def _no_model_sees_it(self) -> "Attribute":
        if self.monotonic:
            raise ValueError("monotonic goes with a feature; no model sees a personal attribute")
        return self
