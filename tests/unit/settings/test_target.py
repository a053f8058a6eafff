"""The target says what a default is: read in another way than it was meant, every figure is about something else."""

from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from credit_assets.settings.file import SettingsError, load_settings
from credit_assets.settings.learning.target import Target

NOT_TWO = (
    "target: negative and positive are two different values of one kind: both text, both numbers, or true and false"
)
ONE_FORM = "target: give either negative and positive, or at_least, or at_most, and only one of these"


def load(folder: Path, target: str) -> Target:
    path = folder / "some.toml"
    path.write_text(f'[table]\nname = "loans"\n[target]\n{target}\n[features]\nincome = {{ type = "number" }}\n')
    return load_settings(path).target


@pytest.mark.parametrize(
    ("target", "kind", "labels"),
    [
        ("", "integer", ("0", "1")),
        ("positive = 2", "integer", ("0", "2")),
        ("negative = 0.0\npositive = 1.0", "number", ("0.0", "1.0")),
        ("negative = 0.5\npositive = 1", "number", ("0.5", "1")),
        ('negative = "good"\npositive = "bad"', "category", ("'good'", "'bad'")),
        ("negative = false\npositive = true", "category", ("false", "true")),
        ("at_least = 90", "number", ("less than 90", "at least 90")),
        ("at_most = 0.5", "number", ("more than 0.5", "at most 0.5")),
    ],
)
def test_a_target_has_two_values_or_one_bound(tmp_path: Path, target: str, kind: str, labels: tuple[str, str]) -> None:
    found = load(tmp_path, f'column = "outcome"\n{target}')
    assert (found.kind, found.labels) == (kind, labels)


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        ("positive = 0", NOT_TWO),
        ("positive = 0.0", NOT_TWO),
        ('positive = "bad"', NOT_TWO),
        ("positive = true", NOT_TWO),
        ("negative = true\npositive = true", NOT_TWO),
        ("at_least = 90\nat_most = 90", ONE_FORM),
        ("at_least = 90\npositive = 1", ONE_FORM),
        ("at_most = 90\nnegative = 0", ONE_FORM),
        ("positive = nan", "target.positive: nan is neither text, a number, true nor false"),
        ("positive = 2026-01-31", "target.positive: 2026-01-31 is neither text, a number, true nor false"),
        ("positive = [1, 2]", "target.positive: [1, 2] is neither text, a number, true nor false"),
        ('at_least = "90"', "target.at_least: expected a valid number"),
        ("at_least = true", "target.at_least: expected a valid number"),
        ("at_least = inf", "target.at_least: expected a finite number"),
        ('matures_after = "12 moons"', "target.matures_after: '12 moons' is no duration; write a number from 1 to 999"),
        ('matures_after = "0 days"', "target.matures_after: '0 days' is no duration"),
        ('matures_after = "1000 days"', "target.matures_after: '1000 days' is no duration"),
        ("matures_after = 12", "target.matures_after: expected a valid string"),
    ],
)
def test_a_target_that_says_nothing_or_two_things_is_refused(tmp_path: Path, target: str, expected: str) -> None:
    with pytest.raises(SettingsError) as refused:
        load(tmp_path, f'column = "outcome"\n{target}')
    assert expected in str(refused.value)


@pytest.mark.parametrize(
    ("duration", "as_of", "newest"),
    [
        ("12 months", datetime(2026, 11, 28, 9, 30, tzinfo=UTC), datetime(2025, 11, 28, 9, 30, tzinfo=UTC)),
        ("12 months", datetime(2024, 2, 29, tzinfo=UTC), datetime(2023, 2, 28, tzinfo=UTC)),
        ("1 month", datetime(2026, 3, 31, tzinfo=UTC), datetime(2026, 2, 28, tzinfo=UTC)),
        ("2 years", datetime(2026, 2, 28, tzinfo=UTC), datetime(2024, 2, 28, tzinfo=UTC)),
        ("6 weeks", datetime(2026, 2, 28, tzinfo=UTC), datetime(2026, 1, 17, tzinfo=UTC)),
        ("1 day", datetime(2026, 3, 1, 0, 0, 0, 1, tzinfo=UTC), datetime(2026, 2, 28, 0, 0, 0, 1, tzinfo=UTC)),
        ("999 years", datetime(2026, 3, 1, tzinfo=UTC), datetime(1027, 3, 1, tzinfo=UTC)),
    ],
)
def test_a_loan_matures_by_the_calendar(duration: str, as_of: datetime, newest: datetime) -> None:
    assert Target(column="outcome", matures_after=duration).find_newest_mature(as_of) == newest


def test_the_same_moment_in_another_zone_matures_the_same_loans() -> None:
    target, moment = Target(column="outcome", matures_after="1 month"), datetime(2026, 3, 30, 22, tzinfo=UTC)
    there = moment.astimezone(timezone(timedelta(hours=9)))
    assert there.day != moment.day
    assert (
        target.find_newest_mature(there) == target.find_newest_mature(moment) == datetime(2026, 2, 28, 22, tzinfo=UTC)
    )


def test_without_matures_after_any_age_will_do() -> None:
    assert Target(column="outcome").find_newest_mature(datetime(2026, 3, 1, tzinfo=UTC)) is None


@pytest.mark.parametrize("more", [{"matures_after": "1 day"}, {"negative": 2}, {"positive": True, "negative": False}])
def test_another_target_is_another_model(more: dict[str, Any]) -> None:
    assert Target(column="outcome").model_dump(mode="json") == {"column": "outcome", "negative": 0, "positive": 1}
    assert Target(column="outcome", **more).model_dump_json() != Target(column="outcome").model_dump_json()
