"""Whoever asks about the models of one table must not be told of those of another."""

from contextlib import nullcontext
from pathlib import Path

import pytest

from credit_assets.commands import lineage
from resources.store.object_store import SETTING


@pytest.mark.parametrize(
    ("exported", "asked", "expected"),
    [
        (None, [], "settings/loans.toml"),
        ("settings/mine.toml", [], "settings/mine.toml"),
        ("settings/mine.toml", ["--settings", "settings/other.toml"], "settings/other.toml"),
    ],
    ids=["nothing named", "exported", "asked for"],
)
def test_the_store_is_that_of_the_settings_that_are_named(monkeypatch, tmp_path, exported, asked, expected) -> None:
    looked_into: list[Path] = []

    def history(settings: Path) -> nullcontext[None]:
        looked_into.append(settings)
        monkeypatch.setenv(SETTING, tmp_path.as_uri())
        return nullcontext()

    monkeypatch.delenv(SETTING, raising=False)
    monkeypatch.delenv("CREDIT_SETTINGS", raising=False)
    if exported:
        monkeypatch.setenv("CREDIT_SETTINGS", exported)
    monkeypatch.setattr(lineage, "local_history", history)
    assert lineage.main(asked) == 1, "nothing was promoted there"
    assert looked_into == [Path(expected)]
