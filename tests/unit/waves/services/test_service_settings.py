"""A service that is declared wrongly must be refused before a wave asks it, by the name of the setting."""

import tomllib
from pathlib import Path

import pytest

from credit_assets.settings.file import SettingsError, load_settings
from tests.support.settings import LOANS_SETTINGS

SERVICE = """
[[scoring.services]]
name = "regional_economy"
url = "https://economy.example/v1/{location}"
columns = ["income"]
"""


def load(tmp_path: Path, text: str, more: str = ""):
    path = tmp_path / "settings.toml"
    path.write_text(LOANS_SETTINGS.read_text() + text + more)
    return load_settings(path)


def test_a_service_has_limits_without_being_told_and_changes_no_model(tmp_path: Path) -> None:
    settings = load(tmp_path, SERVICE)
    (service,) = settings.require_scoring().services
    assert (service.timeout_seconds, service.tries, service.at_once) == (10, 3, 500)
    assert (service.opens_after, service.closes_after_seconds, service.token_variable) == (20, 30, None)
    assert settings.fingerprint == load_settings(LOANS_SETTINGS).fingerprint


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('columns = ["income"]', "columns = []", "columns"),
        ('columns = ["income"]', 'columns = ["weather"]', "weather is no feature"),
        ('columns = ["income"]', 'columns = ["income", "income"]', "a column is answered twice"),
        ("{location}", "branch", "it names no location"),
        ("{location}", "{location}/{location}", "names it twice"),
        ("economy.example/v1/{location}", "{location}.example/", "it names no location"),
        ("https://", "ftp://", "it is no URL"),
        ("https://", "https://user:secret@", "it has a user or a password"),
        ("economy.example", "economy example", "it is no URL"),
        ("economy.example", "economy.example:http", "it is no URL"),
        ("columns", "timeout_seconds = 0\ncolumns", "timeout_seconds"),
        ("columns", "tries = 0\ncolumns", "tries"),
        ("columns", "retries = 1\ncolumns", "retries is not a setting"),
        ("columns", 'token_variable = "PLATFORM_TOKEN"\ncolumns', "the platform's own"),
    ],
)
def test_a_service_that_can_not_be_asked_is_refused_by_the_setting(tmp_path: Path, old, new, message) -> None:
    with pytest.raises(SettingsError, match=message) as raised:
        load(tmp_path, SERVICE.replace(old, new))
    assert "scoring" in str(raised.value)
    assert "secret" not in str(raised.value)


def test_two_services_have_two_names_and_no_column_in_common(tmp_path: Path) -> None:
    other = SERVICE.replace("regional_economy", "weather")
    with pytest.raises(SettingsError, match="a column is answered twice"):
        load(tmp_path, SERVICE, other)
    with pytest.raises(SettingsError, match="two have one name"):
        load(tmp_path, SERVICE, SERVICE.replace('["income"]', '["age"]'))
    assert len(load(tmp_path, SERVICE, other.replace('["income"]', '["age"]')).require_scoring().services) == 2


def test_the_example_in_the_page_of_services_is_accepted(tmp_path: Path) -> None:
    page = (Path(__file__).parents[4] / "docs" / "waves" / "services.md").read_text()
    example = page.split("```toml\n")[1].split("```")[0]
    assert tomllib.loads(example)
    feature = '\n[features]\nregional_index = { type = "number", minimum = 0, maximum = 200 }'
    path = tmp_path / "settings.toml"
    path.write_text(LOANS_SETTINGS.read_text().replace("\n[features]", feature) + example)
    (service,) = load_settings(path).require_scoring().services
    assert service.token_variable
