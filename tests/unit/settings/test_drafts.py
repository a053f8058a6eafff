"""Whoever runs a draft that is not filled in must read which lines are open, and no words of a library."""

from pathlib import Path

import pytest

from credit_assets.inspection.lines import FILL_IN
from credit_assets.settings.file import SettingsError, find_open_lines, load_settings

DRAFT = f"""[table]
name = "" # {FILL_IN} several tables could be meant
[target]
column = "bad" # {FILL_IN} it was filled in
[features]
"a column" = "" # {FILL_IN} no column is left
# "left out" = "" # {FILL_IN} it is behind a #
income = {{ type = "number" }}
"""


def refuse(folder: Path, text: str) -> str:
    path = folder / "settings.toml"
    path.write_text(text)
    with pytest.raises(SettingsError) as refused:
        load_settings(path)
    return str(refused.value)


def test_lines_that_are_still_open_are_named_by_number_and_key(tmp_path: Path) -> None:
    said = refuse(tmp_path, DRAFT)
    assert said.endswith(
        "still has lines with FILL IN, for which a person must write the value: line 2 (name), "
        'line 6 ("a column"). docs/your-table/inspect.md explains them'
    )


def test_a_line_that_was_filled_in_is_read_whatever_its_comment_says(tmp_path: Path) -> None:
    filled = DRAFT.replace('name = ""', 'name = "loans"').replace('"a column" = ""', "age = { type = 'integer' }")
    assert find_open_lines(filled) == []
    (tmp_path / "settings.toml").write_text(filled)
    assert list(load_settings(tmp_path / "settings.toml").features) == ["age", "income"]


def test_a_refusal_is_in_the_words_of_a_settings_file(tmp_path: Path) -> None:
    start = '[table]\nname = "loans"\n[target]\ncolumn = "bad"\n'
    no_table = refuse(tmp_path, f"{start}[features]\nincome = 7")
    assert "features.income: expected keys with values, such as { type =" in no_table
    assert "instance of" not in no_table
    no_features = refuse(tmp_path, start)
    assert no_features.endswith("settings.toml: features is missing; add it")
    doubled = refuse(tmp_path, f"{start}[features]\nbad = {{ type = 'number' }}")
    assert "settings.toml: bad: a column has one role" in doubled, "no word before the column"
