"""The settings decide what is learned from: a typo that is skipped, or a bound that nothing is held to, goes unseen."""

from pathlib import Path

import pytest

from credit_assets.settings.columns import Strict, add_key
from credit_assets.settings.file import Settings, SettingsError, load_settings

SHIPPED = Path(__file__).parents[3] / "settings"
WHOLE = """
[table]
name = "loans"
[target]
column = "default_status"
[features]
income = { type = "number", minimum = 0 }
[personal]
age = { type = "integer", bands = [25, 40] }
[limits]
minimum_rows = 100
[promotion]
maximum_auc_loss = 0.1
[refresh]
new_loans = 10
[prices]
on_demand = 0.4
spot = 0.1
[seed]
generate = 100
[scoring]
locations = "branches"
applications = "risk.requests"
scores = "scores"
tolerated_count = 3
[pricing]
segment = "segment"
prices = "prices"
base_rate = 0.04
loss_given_default = 0.45
minimum_rate = 0.05
maximum_rate = 0.3
maximum_step = 0.02
"""


def load(folder: Path, text: str) -> Settings:
    path = folder / "some.toml"
    path.write_text(text)
    return load_settings(path)


@pytest.mark.parametrize(("name", "features", "personal"), [("loans", 5, 0), ("german_credit", 17, 3)])
def test_the_settings_that_are_shipped_are_valid(name: str, features: int, personal: int) -> None:
    settings = load_settings(SHIPPED / f"{name}.toml")
    assert (len(settings.features), len(settings.personal)) == (features, personal)
    assert list(settings.columns) == [*settings.features, *settings.personal]
    assert settings.seed.csv is None or settings.seed.csv.exists()


def test_a_personal_attribute_is_no_feature(tmp_path: Path) -> None:
    settings = load(tmp_path, WHOLE)
    assert list(settings.features) == ["income"]
    assert list(settings.personal) == ["age"]


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("minimum_rows", "minimun_rows", "limits.minimun_rows is not a setting; remove it or correct its name"),
        ("[limits]", "[limit]", "limit is not a setting"),
        ("minimum = 0", "minimum = 0, unit = 'EUR'", "features.income.unit is not a setting"),
        ("[table]", "[tables]", "table is missing; add it"),
        ('column = "default_status"', "", "target.column is missing; add it"),
        (
            'type = "number"',
            'type = "float"',
            "features.income.type: expected 'number', 'integer', 'category', 'boolean' or 'date'",
        ),
        (
            'type = "number"',
            'type = "category"',
            "features.income: minimum and maximum go with type number, integer or date",
        ),
        ('type = "number", minimum = 0', 'type = "boolean", minimum = 0', "integer or date, not boolean"),
        ("minimum = 0", "before = 'created_at'", "features.income: before goes with type date, not number"),
        ('type = "number"', 'type = "date", before = "income"', "income: before is income; expected as_of, or another"),
        ('type = "number"', 'type = "date", before = "default_status"', "before is default_status; expected as_of"),
        ('"integer", bands = [25, 40]', '"date"', "personal.age: a date has a group of its own for each day"),
        ('name = "loans"', 'name = "loans"\ntime_zone = "Mars"', "table.time_zone: 'Mars' is no time zone; expected"),
        ('name = "loans"', 'name = "loans"\ntime_zone = "UTC+9"', "table.time_zone: 'UTC+9' is no time zone; expected"),
        ("minimum = 0", "minimum = 2, maximum = 1", "features.income: minimum is above maximum"),
        ("minimum = 0", "minimum = nan", "features.income.minimum: expected a finite number"),
        ("minimum = 0", "minimum = 'low'", "features.income.minimum: expected a valid number"),
        ("minimum = 0", "monotonic = 'up'", "features.income.monotonic: expected 'increasing' or 'decreasing'"),
        (
            'type = "number", minimum = 0',
            'type = "category", monotonic = "increasing"',
            "features.income: monotonic goes with type number or integer, not category",
        ),
        ("bands = [25, 40]", 'monotonic = "increasing"', "personal.age: monotonic goes with a feature"),
        ("minimum_rows = 100", "minimum_rows = 49", "limits.minimum_rows: expected at least 50"),
        ("minimum_rows = 100", "minimum_class_share = 0", "limits.minimum_class_share: expected more than 0"),
        (
            "minimum_rows = 100",
            "minimum_class_share = 0.5",
            "limits.minimum_class_share: expected less than 0.5",
        ),
        ("minimum_rows = 100", "maximum_feature_auc = 0.5", "limits.maximum_feature_auc: expected more than"),
        ("minimum_rows = 100", "minimum_auc = 1.1", "limits.minimum_auc: expected at most 1"),
        ("maximum_auc_loss", "maximal_auc_loss", "promotion.maximal_auc_loss is not a setting"),
        ("maximum_auc_loss = 0.1", "maximum_auc_loss = 0.6", "promotion.maximum_auc_loss: expected at most"),
        ("maximum_auc_loss = 0.1", "minimum_auc = 0.4", "promotion.minimum_auc: expected at least"),
        ("new_loans = 10", "new_loans = 0", "refresh.new_loans: expected at least 1"),
        ('"default_status"', '"income"', "income: a column has one role"),
        ("age = {", "income = {", "income: a column has one role"),
        ("bands = [25, 40]", "bands = [40, 25]", "personal.age: bands are numbers that rise"),
        ('"integer", bands', '"category", bands', "personal.age: bands go with type number, integer or date"),
        ("generate = 100", "locations = 100_001", "seed.locations: expected at most 100000"),
        ('"branches"', '""', "scoring.locations: '' is no name of a table; expected table or schema.table"),
        ('"risk.requests"', '"risk.requests.open"', "A part with a dot or a quote stands in quotes"),
        ('scores = "scores"', "", "scoring.scores is missing; add it"),
        ('scores = "scores"', 'scores = "branches"', "scoring: locations, applications and scores are three tables"),
        (
            'scores = "scores"',
            'scores = "loans"',
            "scoring: loans is the table of the loans (table.name); name another",
        ),
        (
            "tolerated_count = 3",
            "tolerated_count = -1",
            "scoring.tolerated_count: expected at least",
        ),
        ("tolerated_count = 3", "tolerated_share = 1.1", "scoring.tolerated_share: expected at most"),
        ("tolerated_count = 3", 'id = "location"', "scoring: location, id and decided_at are different columns"),
        ("tolerated_count = 3", 'decided_at = "id"', "scoring: location, id and decided_at are different columns"),
        (
            "tolerated_count = 3",
            'decided_at = "income"',
            "scoring.decided_at: income is a feature; name another column of the applications",
        ),
        ('prices = "prices"', "", "pricing.prices is missing; add it"),
        ("base_rate = 0.04", "base_rate = 4", "pricing.base_rate: expected at most 1"),
        ("base_rate = 0.04", "base_rate = 0.3", "pricing: base_rate is not below maximum_rate"),
        ("base_rate = 0.04", "base_rate = nan", "pricing.base_rate: expected a finite number"),
        ("loss_given_default = 0.45", "loss_given_default = -1", "pricing.loss_given_default: expected at least 0"),
        ("minimum_rate = 0.05", "minimum_rate = 0.3", "pricing: minimum_rate is not below maximum_rate"),
        ("maximum_step = 0.02", "maximum_step = 0", "pricing.maximum_step: expected more than 0"),
        ("maximum_step = 0.02", "maximum_jump = 0.02", "pricing.maximum_jump is not a setting"),
        ('prices = "prices"', 'prices = "scores"', "pricing: scores is the name of another table"),
        ('prices = "prices"', 'prices = "loans"', "pricing: loans is the name of another table"),
        ("maximum_step = 0.02", "maximum_step = 0.02\nminimum_scores = 0", "pricing.minimum_scores: expected"),
        (
            "maximum_step = 0.02",
            "maximum_step = 0.02\nmaximum_age_hours = 0",
            "pricing.maximum_age_hours: expected more than 0",
        ),
        ('"loans"', "7", "table.name: expected a valid string"),
        ('"loans"', '"loans\\u0000"', "table.name: the name has the character NUL"),
        ("income =", f"'{'x' * 64}' =", "has 64 bytes in UTF-8; expected a name of 1 to 63. Correct the name"),
        ("income =", "'' =", "'' has 0 bytes in UTF-8; expected a name of 1 to 63"),
        ("income = {", "# income = {", "features: has 0 entries; expected at least 1"),
    ],
)
def test_a_wrong_settings_file_is_refused_by_the_key_and_what_was_expected(
    tmp_path: Path, old: str, new: str, expected: str
) -> None:
    assert WHOLE.count(old) == 1
    load(tmp_path, WHOLE)
    with pytest.raises(SettingsError) as refused:
        load(tmp_path, WHOLE.replace(old, new))
    assert str(refused.value).startswith(f"settings file {tmp_path / 'some.toml'}: ")
    assert expected in str(refused.value)


def test_all_wrong_keys_are_reported_at_once(tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as refused:
        load(tmp_path, WHOLE.replace("new_loans", "loans").replace("minimum_rows", "rows"))
    assert "refresh.loans is not a setting" in str(refused.value)
    assert "limits.rows is not a setting" in str(refused.value)


def test_bounds_and_limits_may_be_reached(tmp_path: Path) -> None:
    text = WHOLE.replace("minimum = 0", "minimum = 1, maximum = 1").replace("minimum_rows = 100", "minimum_rows = 50")
    assert load(tmp_path, text).features["income"].bounds == "1 to 1"


@pytest.mark.parametrize(
    ("bounds", "text"),
    [
        ("minimum = 0", "at least 0"),
        ("maximum = 99_999.5", "at most 99,999.5"),
        ("minimum = -1, maximum = 2", "-1 to 2"),
    ],
)
def test_bounds_are_written_as_people_write_them(tmp_path: Path, bounds: str, text: str) -> None:
    assert load(tmp_path, WHOLE.replace("minimum = 0", bounds)).features["income"].bounds == text


def test_a_missing_an_unreadable_and_a_broken_file_are_three_things(tmp_path: Path) -> None:
    missing, folder, latin, broken, empty = (
        tmp_path / name for name in ("missing", "folder", "latin", "broken", "empty")
    )
    folder.mkdir()
    latin.write_bytes(b'[table]\nname = "pr\xeats"')
    broken.write_text("[table\nname = loans")
    empty.write_text("")
    refusals = {}
    for path in (missing, folder, latin, broken, empty):
        with pytest.raises(SettingsError, match=f"settings file .*{path.name}") as refused:
            load_settings(path)
        refusals[path.name] = str(refused.value)
    assert "there is no settings file" in refusals["missing"]
    assert "--settings, or by PLATFORM_SETTINGS" in refusals["missing"]
    assert refusals["folder"].endswith("can't be read: Is a directory")
    assert refusals["latin"].endswith("can't be read: it is not UTF-8")
    assert "is not TOML" in refusals["broken"]
    assert "line 1" in refusals["broken"]
    assert "table is missing; add it" in refusals["empty"]


def test_the_seed_file_lies_beside_the_settings_wherever_they_are_read_from(tmp_path: Path) -> None:
    settings = load(tmp_path, WHOLE.replace("generate = 100", 'csv = "loans.csv"'))
    assert settings.seed.csv == tmp_path / "loans.csv"


def test_what_the_model_depends_on_changes_the_fingerprint_and_nothing_else_does(tmp_path: Path) -> None:
    fingerprint = load(tmp_path, WHOLE).fingerprint
    assert load(tmp_path, WHOLE.replace("[limits]", "# a remark\n[limits]")).fingerprint == fingerprint
    assert load(tmp_path, WHOLE.replace("new_loans = 10", "new_loans = 11")).fingerprint == fingerprint
    assert load(tmp_path, WHOLE.replace("generate = 100", "generate = 101")).fingerprint == fingerprint
    assert load(tmp_path, WHOLE.replace("auc_loss = 0.1", "auc_loss = 0.2")).fingerprint == fingerprint
    assert load(tmp_path, WHOLE.replace("spot = 0.1", "spot = 0.2")).fingerprint == fingerprint
    assert load(tmp_path, WHOLE.replace("tolerated_count = 3", "tolerated_count = 4")).fingerprint == fingerprint
    assert load(tmp_path, WHOLE.partition("[scoring]")[0]).fingerprint == fingerprint
    assert load(tmp_path, WHOLE.replace("maximum_step = 0.02", "maximum_step = 0.03")).fingerprint == fingerprint
    assert load(tmp_path, WHOLE.replace("minimum_rows = 100", "minimum_rows = 101")).fingerprint != fingerprint
    assert load(tmp_path, WHOLE.replace("minimum = 0", "minimum = 1")).fingerprint != fingerprint
    assert load(tmp_path, WHOLE.replace('"loans"', '"loans_2"')).fingerprint != fingerprint


def test_without_the_section_nothing_is_scored_and_whoever_needs_it_says_so(tmp_path: Path) -> None:
    scoring = load(tmp_path, WHOLE).require_scoring()
    assert (scoring.location, scoring.id, scoring.decided_at) == ("location", "id", None)
    assert (scoring.tolerated_share, scoring.tolerated_count) == (0.01, 3)
    without = load(tmp_path, WHOLE.partition("[scoring]")[0])
    assert without.scoring is None
    with pytest.raises(SettingsError, match=r"no section \[scoring\].* Add it to the settings file"):
        without.require_scoring()


def test_without_the_section_nothing_is_priced_and_prices_without_scores_are_refused(tmp_path: Path) -> None:
    pricing = load(tmp_path, WHOLE).require_pricing()
    assert (pricing.minimum_scores, pricing.maximum_age_hours) == (30, 7)
    unscored, _, prices = WHOLE.partition("[scoring]")
    unpriced = load(tmp_path, WHOLE.partition("[pricing]")[0])
    assert unpriced.pricing is None
    with pytest.raises(SettingsError, match=r"no section \[pricing\].* Add it to the settings file"):
        unpriced.require_pricing()
    with pytest.raises(SettingsError, match=r"pricing: a rate follows from scores; add the section \[scoring\] too"):
        load(tmp_path, unscored + prices[prices.index("[pricing]") :])


@pytest.mark.parametrize(
    ("name", "fingerprint"),
    [
        ("loans", "31be1ef4c685f63415dc49ce5ae4c2444f9faa90b526f2ca01a88e80d4f29b88"),
        ("german_credit", "e5d879c2af2f700574b805ca2e7dd04c4b077ad51f7450abaf757409edee158c"),
    ],
)
def test_a_new_section_makes_no_other_model_of_the_settings_that_are_shipped(name: str, fingerprint: str) -> None:
    assert load_settings(SHIPPED / f"{name}.toml").fingerprint == fingerprint


def test_a_key_that_came_later_counts_when_it_says_something_else_than_before() -> None:
    class Older(Strict):
        rows: int = 5

    class Newer(Older):
        columns: int = add_key(3)

    assert (
        Newer().model_dump(mode="json") == Newer(columns=3).model_dump(mode="json") == Older().model_dump(mode="json")
    )
    assert Newer(columns=4).model_dump(mode="json") == {"rows": 5, "columns": 4}
    assert Newer().columns == 3


def test_one_price_alone_compares_nothing_and_is_refused(tmp_path: Path) -> None:
    assert load(tmp_path, WHOLE).prices.spot == 0.1
    with pytest.raises(SettingsError, match="prices: on_demand and spot are compared: give both, or neither"):
        load(tmp_path, WHOLE.replace("spot = 0.1\n", ""))
