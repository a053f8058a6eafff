"""A model that the settings can't have must be refused when they are read, and not after an hour of reading loans."""

from pathlib import Path

import pytest

from credit_assets.settings.file import Settings, SettingsError, load_settings

DECLARED = """
[table]
name = "loans"
[target]
column = "default_status"
[model]
kind = "{kind}"
[features]
income = {{ type = "number"{income} }}
term = {{ type = "integer"{term} }}
"""


def load(folder: Path, kind: str, income: str = "", term: str = "") -> Settings:
    path = folder / "some.toml"
    path.write_text(DECLARED.format(kind=kind, income=income, term=term))
    return load_settings(path)


def test_a_kind_that_there_is_not_is_refused_with_those_that_there_are(tmp_path: Path) -> None:
    expected = "model.kind: expected 'random_forest', 'hist_gradient_boosting' or 'logistic_regression'"
    with pytest.raises(SettingsError, match=expected):
        load(tmp_path, "neural_network")


def test_a_regression_with_a_direction_is_refused_by_the_names_of_the_model_and_its_columns(tmp_path: Path) -> None:
    falls, rises = ', monotonic = "decreasing"', ', monotonic = "increasing"'
    with pytest.raises(SettingsError, match=r"features: term: a logistic_regression \(model.kind\) can't be held to"):
        load(tmp_path, "logistic_regression", term=rises)
    with pytest.raises(SettingsError, match=r"income, term: .* choose random_forest or hist_gradient_boosting"):
        load(tmp_path, "logistic_regression", falls, rises)
    assert load(tmp_path, "logistic_regression").monotonic_features == {}
    for kind in ("random_forest", "hist_gradient_boosting"):
        declared = load(tmp_path, kind, falls, rises)
        assert declared.monotonic_features == {"income": "decreasing", "term": "increasing"}
        assert declared.fingerprint != load(tmp_path, kind, falls).fingerprint
