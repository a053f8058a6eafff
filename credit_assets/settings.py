"""The settings file: which table the model learns from, what its columns mean, and where the limits lie."""

import tomllib
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any, Literal

import dagster as dg
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    StrictInt,
    StrictStr,
    StringConstraints,
    ValidationError,
    model_validator,
)

from resources.errors import PlatformError
from resources.store.written_once import compute_sha256

SETTING = "PLATFORM_SETTINGS"

Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,62}$")]
Share = Annotated[float, Field(ge=0, le=1)]


class SettingsError(PlatformError, ValueError):
    """The settings file is missing, unreadable or wrong: says which key, and what was expected."""


class Strict(BaseModel):
    """Nothing but what is declared: a typo is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Table(Strict):
    """Where the rows are: `name` may be qualified as `schema.table`; `id` rises with every row."""

    name: Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,62}(\.[A-Za-z_][A-Za-z0-9_]{0,62})?$")]
    id: Name = "id"
    created_at: Name = "created_at"


class Target(Strict):
    """The column to predict and its two values; `positive` is the event (a default)."""

    column: Name
    negative: StrictInt | StrictStr = 0
    positive: StrictInt | StrictStr = 1

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


class Limits(Strict):
    """What the asset checks hold the data and the model to."""

    minimum_rows: Annotated[int, Field(ge=50)] = 500
    minimum_class_share: Annotated[float, Field(gt=0, lt=0.5)] = 0.01
    maximum_feature_auc: Annotated[float, Field(gt=0.5, le=1)] = 0.98
    minimum_auc: Annotated[float, Field(ge=0.5, le=1)] = 0.6
    cross_validation_folds: Annotated[int, Field(ge=0, le=50)] = 0


class Promotion(Strict):
    """What a new model must show to become the promoted one by itself; a person may promote any.

    Each model's ROC AUC is of its own held-out loans, so that the two differ by chance too: the standard error of 0.837
    on 932 defaults and 3,068 others is 0.009 (Hanley and McNeil 1982), and `maximum_auc_loss` should be above it.
    """

    minimum_auc: Annotated[float, Field(ge=0.5, le=1)] = 0.6
    maximum_auc_loss: Annotated[float, Field(ge=0, le=0.5)] = 0.02


class Refresh(Strict):
    """How many loans must have arrived since the last dataset: the greater of a count and a share of its rows."""

    new_loans: Annotated[int, Field(ge=1)] = 1_000
    new_loans_share: Share = 0.05


class Prices(Strict):
    """What an hour of a worker costs, in any currency, on a node that stays and on a spot node: both, or neither."""

    on_demand: Annotated[float, Field(gt=0)] | None = None
    spot: Annotated[float, Field(gt=0)] | None = None

    @model_validator(mode="after")
    def _both_or_neither(self) -> "Prices":
        if (self.on_demand is None) != (self.spot is None):
            raise ValueError("on_demand and spot are compared: give both, or neither")
        return self


class Seed(Strict):
    """What an empty local database is filled with: a CSV file beside the settings, or generated loans."""

    csv: Path | None = None
    generate: Annotated[int, Field(ge=0, le=50_000_000)] = 0


class Settings(Strict):
    """One table and everything that is particular to it."""

    table: Table
    target: Target
    features: dict[Name, Column] = Field(min_length=1)
    personal: dict[Name, Attribute] = {}
    limits: Limits = Limits()
    promotion: Promotion = Promotion()
    refresh: Refresh = Refresh()
    prices: Prices = Prices()
    seed: Seed = Seed()

    @model_validator(mode="after")
    def _every_column_has_one_role(self) -> "Settings":
        roles = [self.table.id, self.table.created_at, self.target.column, *self.features, *self.personal]
        doubled = sorted({name for name in roles if roles.count(name) > 1})
        if doubled:
            raise ValueError(
                f"{', '.join(doubled)}: a column has one role: id, created_at, target, feature or personal"
            )
        return self

    @property
    def columns(self) -> dict[str, Column]:
        """Features and personal attributes, in the order of the file."""
        return {**self.features, **self.personal}

    @property
    def fingerprint(self) -> str:
        """SHA-256 of what the settings say; comments and layout of the file don't count."""
        return compute_sha256(self.model_dump(mode="json", exclude={"seed", "refresh", "prices", "promotion"}))


def load_settings(path: str | Path) -> Settings:
    """Reads and validates a settings file.

    Raises:
        SettingsError: no such file, not TOML, an unknown or missing key, a value out of bounds.
    """
    if not path:
        raise SettingsError(f"{SETTING} is not set: expected the path of a settings file")
    path = Path(path)
    try:
        raw = tomllib.loads(path.read_text())
    except FileNotFoundError:
        raise SettingsError(f"{SETTING}: there is no settings file {path}") from None
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{SETTING}: {path} can't be read: {error}") from None
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"{SETTING}: {path} is not TOML: {error}") from None
    try:
        settings = Settings(**raw)
    except ValidationError as error:
        raise SettingsError(f"{SETTING}: {path}: " + "; ".join(_sentence(each) for each in error.errors())) from None
    if settings.seed.csv:
        beside = settings.seed.model_copy(update={"csv": path.parent / settings.seed.csv})
        settings = settings.model_copy(update={"seed": beside})
    return settings


def _sentence(error: Any) -> str:
    where = ".".join(str(part) for part in error["loc"]) or "the file"
    if error["type"] == "extra_forbidden":
        return f"{where} is not a setting; remove it or correct its name"
    ours = error.get("ctx", {}).get("error")  # what a validator of this module raised
    return f"{where}: {ours or error['msg']}"


class SettingsFile(dg.ConfigurableResource):
    """The settings file that assets and sensors read when they run, never at import."""

    path: str

    def load(self) -> Settings:
        return load_settings(self.path)
