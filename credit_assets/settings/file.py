"""The settings file as a whole: its sections, and how it is read and validated.

Belongs here: the file, and errors in it. Does not belong here: the meaning of a section (`columns`, `learning`, …).
"""

import re
import tomllib
from pathlib import Path
from typing import Annotated, Any

import dagster as dg
from pydantic import Field, ValidationError, model_validator

from credit_assets.settings.columns import Attribute, Column, Strict, Table, add_key
from credit_assets.settings.learning.model import Model
from credit_assets.settings.learning.target import Split, Target
from credit_assets.settings.limits import Limits, Prices, Promotion, Refresh
from credit_assets.settings.names import Name
from credit_assets.settings.pricing import Pricing
from credit_assets.settings.retention import Retention
from credit_assets.settings.scoring import Scoring
from resources.errors import PlatformError
from resources.store.written_once import compute_sha256

SETTING = "PLATFORM_SETTINGS"
# Pydantic's words for a bound, and ours.
PLAIN_WORDS = {"greater than or equal to": "at least", "less than or equal to": "at most", "greater than": "more than"}
# As `credit_assets.inspection` writes them. Whoever fills a value in may leave the comment.
OPEN_LINE = re.compile(r'\s*([^#=]*[^#=\s])\s*= "" # FILL IN:')


class SettingsError(PlatformError, ValueError):
    """The settings file is missing, unreadable or wrong: says which key, and what was expected."""


class Seed(Strict):
    """What an empty local database is filled with.

    Attributes:
        csv: a file with loans, beside the settings.
        generate: how many loans are generated if there is no file.
        locations: how many locations are generated, for `scoring`.
        applications: how many open applications each of these locations has.
    """

    csv: Path | None = None
    generate: Annotated[int, Field(ge=0, le=50_000_000)] = 0
    locations: Annotated[int, Field(ge=0, le=100_000)] = 0
    applications: Annotated[int, Field(ge=0, le=1_000)] = 50


class Settings(Strict):
    """One table and everything that is particular to it."""

    table: Table
    target: Target
    split: Split = add_key(Split())
    features: dict[Name, Column] = Field(min_length=1)
    personal: dict[Name, Attribute] = Field(default_factory=dict)
    model: Model = add_key(Model())
    limits: Limits = Limits()
    promotion: Promotion = Promotion()
    refresh: Refresh = Refresh()
    prices: Prices = Prices()
    seed: Seed = Seed()
    scoring: Scoring | None = None
    pricing: Pricing | None = None
    retention: Retention | None = None

    @model_validator(mode="after")
    def _every_column_has_one_role(self) -> "Settings":
        roles = [self.table.id, self.table.created_at, self.target.column, *self.features, *self.personal]
        doubled = sorted({name for name in roles if roles.count(name) > 1})
        if doubled:
            raise ValueError(
                f"{', '.join(doubled)}: a column has one role: id, created_at, target, feature or personal"
            )
        return self

    @model_validator(mode="after")
    def _the_model_can_be_monotonic(self) -> "Settings":
        if self.monotonic_features and self.model.kind == "logistic_regression":
            raise ValueError(
                f"features: {', '.join(self.monotonic_features)}: a logistic_regression (model.kind) can't be held to "
                "monotonic. Remove monotonic, or choose random_forest or hist_gradient_boosting"
            )
        return self

    @model_validator(mode="after")
    def _dates_lie_before_other_times(self) -> "Settings":
        dates = {name for name, column in self.columns.items() if column.type == "date"}
        others = {self.table.id, self.target.column, *self.columns} - dates
        for name in dates:
            if (before := self.columns[name].before_column) in {name, *others}:
                raise ValueError(
                    f"{name}: before is {before}; expected as_of, or another column of the table that holds a time"
                )
        return self

    @model_validator(mode="after")
    def _scores_lie_apart(self) -> "Settings":
        if self.scoring is None:
            return self
        if self.table.name in (self.scoring.locations, self.scoring.applications, self.scoring.scores):
            raise ValueError(f"scoring: {self.table.name} is the table of the loans (table.name); name another table")
        for key in ("location", "id", "decided_at"):
            if (name := getattr(self.scoring, key)) in self.features:
                raise ValueError(f"scoring.{key}: {name} is a feature; name another column of the applications")
        return self

    @model_validator(mode="after")
    def _services_answer_features(self) -> "Settings":
        if self.scoring and (others := set(self.scoring.answered_columns) - set(self.features)):
            raise ValueError(
                f"scoring.services: {', '.join(sorted(others))} is no feature; name a feature, or declare it under "
                "[features]"
            )
        answered = self.scoring.answered_columns if self.scoring else []
        if dates := [name for name in answered if self.features[name].type == "date"]:
            raise ValueError(
                f"scoring.services: {', '.join(dates)} is a date, and a service answers numbers; declare its age as a "
                "number"
            )
        return self

    @model_validator(mode="after")
    def _prices_follow_scores(self) -> "Settings":
        if self.pricing is None:
            return self
        if self.scoring is None:
            raise ValueError("pricing: a rate follows from scores; add the section [scoring] too")
        others = (self.table.name, self.scoring.locations, self.scoring.applications, self.scoring.scores)
        if self.pricing.prices in others:
            raise ValueError(f"pricing: {self.pricing.prices} is the name of another table; give the prices their own")
        return self

    @property
    def columns(self) -> dict[str, Column]:
        """Features and personal attributes, in the order of the file."""
        return {**self.features, **self.personal}

    @property
    def monotonic_features(self) -> dict[str, str]:
        """The features whose direction is declared, each with its direction."""
        return {name: column.monotonic for name, column in self.features.items() if column.monotonic}

    @property
    def columns_with_missing(self) -> list[str]:
        """The features and personal attributes that may have missing values, in the order of the file."""
        return [name for name, column in self.columns.items() if column.may_be_missing]

    @property
    def fingerprint(self) -> str:
        """SHA-256 of what the settings say; comments and layout of the file don't count."""
        unrelated = {"seed", "refresh", "prices", "promotion", "scoring", "pricing", "retention"}
        return compute_sha256(self.model_dump(mode="json", exclude=unrelated))

    def require_scoring(self) -> Scoring:
        """The section `scoring`, which may be absent.

        Raises:
            SettingsError: it is absent, so that nothing can be scored.
        """
        if self.scoring is None:
            raise SettingsError(
                "the settings have no section [scoring]: it names the tables of the locations, the applications and "
                "the scores. Add it to the settings file"
            )
        return self.scoring

    def require_pricing(self) -> Pricing:
        """The section `pricing`, which may be absent.

        Raises:
            SettingsError: it is absent, so that no segment can be priced.
        """
        if self.pricing is None:
            raise SettingsError(
                "the settings have no section [pricing]: it names the table of the prices and the bounds of the "
                "rates. Add it to the settings file"
            )
        return self.pricing


def load_settings(path: str | Path) -> Settings:
    """Reads and validates a settings file.

    Raises:
        SettingsError: no such file, not TOML, an unknown or missing key, a value out of bounds.
    """
    if not path:
        raise SettingsError(f"{SETTING} is not set: expected the path of a settings file")
    path = Path(path)
    try:
        # A byte order mark, which some editors write, is not part of the text.
        text = path.read_text(encoding="utf-8-sig")
        raw = tomllib.loads(text)
    except FileNotFoundError:
        raise SettingsError(f"there is no settings file {path}. Name one by --settings, or by {SETTING}") from None
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise SettingsError(f"settings file {path} can't be read: {reason}") from None
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"settings file {path} is not TOML: {error}. Correct that line") from None
    if open_lines := find_open_lines(text):
        raise SettingsError(
            f"settings file {path} still has lines with FILL IN, for which a person must write the value: "
            f"{', '.join(open_lines)}. docs/your-table/inspect.md explains them"
        )
    try:
        settings = Settings(**raw)
    except ValidationError as error:
        raise SettingsError(f"settings file {path}: " + "; ".join(_sentence(each) for each in error.errors())) from None
    if settings.seed.csv:
        beside = settings.seed.model_copy(update={"csv": path.parent / settings.seed.csv})
        settings = settings.model_copy(update={"seed": beside})
    return settings


def find_open_lines(text: str) -> list[str]:
    """The lines of a draft that nobody has filled in: each with its number and its key."""
    lines = enumerate(text.splitlines(), start=1)
    return [f"line {number} ({found[1]})" for number, line in lines if (found := OPEN_LINE.match(line))]


def _sentence(error: Any) -> str:
    where = ".".join(str(part) for part in error["loc"] if part != "[key]")
    if error["type"] == "extra_forbidden":
        return f"{where} is not a setting; remove it or correct its name"
    if error["type"] == "missing":
        return f"{where} is missing; add it"
    ours = error.get("ctx", {}).get("error")  # what a validator of this room raised
    said = str(ours or _describe_expected(error))
    return f"{where}: {said}" if where else said


def _describe_expected(error: Any) -> str:
    """What was expected of a value, without the words that only programmers know."""
    if error["type"] in ("model_type", "dict_type"):
        return 'expected keys with values, such as { type = "number" } for a feature, or lines below [section]'
    if error["type"] == "too_short":
        return f"has {error['ctx']['actual_length']} entries; expected at least {error['ctx']['min_length']}"
    expected = error["msg"].removeprefix("Input should be ")
    for words, ours in PLAIN_WORDS.items():
        expected = expected.replace(words, ours)
    return f"expected {expected}"


class SettingsFile(dg.ConfigurableResource):
    """The settings file that assets and sensors read when they run, never at import."""

    path: str

    def load(self) -> Settings:
        return load_settings(self.path)
