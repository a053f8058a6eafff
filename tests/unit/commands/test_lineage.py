"""Whoever asks about the models of one table must not be answered with those of another, or with half an answer."""

from pathlib import Path

import pytest

from credit_assets.commands.main import main

REPOSITORY = Path(__file__).parents[3]


@pytest.mark.parametrize(
    "options",
    [
        ["--of-dataset", "abc", "--of-code", "1"],
        ["latest", "--of-code", "1"],
        ["7", "--of-dataset", "abc"],
    ],
)
def test_options_that_contradict_each_other_are_refused_before_anything_is_opened(opened, capsys, options) -> None:
    assert main(["lineage", *options]) == 2
    error = capsys.readouterr().err
    assert "contradict each other: give one of WHAT, --of-dataset, --of-code" in error
    assert not opened


def test_a_settings_file_beside_the_name_of_a_store_names_the_table(monkeypatch, capsys, tmp_path) -> None:
    (tmp_path / "store").mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PLATFORM_STORE", (tmp_path / "store").as_uri())
    monkeypatch.delenv("DAGSTER_HOME", raising=False)
    for name, table in (("loans", "loans"), ("german_credit", "german_credit")):
        assert main(["lineage", "--settings", str(REPOSITORY / "settings" / f"{name}.toml")]) == 1
        assert f"promoted_model/{table} points at nothing" in capsys.readouterr().err
    assert [each.name for each in tmp_path.rglob("*")] == ["store"], "a look-up wrote to the store, or beside it"


def test_a_store_that_is_not_there_is_an_error_and_is_not_made(monkeypatch, capsys, tmp_path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PLATFORM_STORE", (tmp_path / "mistyped").as_uri())
    monkeypatch.delenv("DAGSTER_HOME", raising=False)
    assert main(["lineage", "--settings", str(REPOSITORY / "settings" / "loans.toml")]) == 1
    assert "mistyped: it is not there" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_a_store_without_a_folder_of_dagster_is_read_with_the_history_of_this_machine(
    opened, monkeypatch, tmp_path
) -> None:
    monkeypatch.setenv("PLATFORM_STORE", tmp_path.as_uri())
    assert main(["lineage"]) == 1
    assert opened == [Path("settings/loans.toml")]


def test_a_search_goes_on_past_a_damaged_manifest_says_so_and_does_not_exit_as_if_it_were_whole(
    commit_set, store, store_uri, monkeypatch, capsys, tmp_path
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PLATFORM_STORE", store_uri)
    monkeypatch.delenv("DAGSTER_HOME", raising=False)
    good, damaged = commit_set("good"), commit_set("damaged", day=1)["test_split"]
    key = f"{damaged.place}/manifest.json"
    store.delete(key)
    store.create(key, b"{ torn")
    settings = ["--settings", str(REPOSITORY / "settings" / "loans.toml")]
    for asked in (["--of-code", "trained_model:1"], [good["trained_model"].sha256]):
        assert main(["lineage", *asked, *settings]) == 1
        output = capsys.readouterr()
        assert good["trained_model"].sha256 in output.out
        assert f"warning: {store.location(key)} can't be read as a manifest" in output.err
        assert "error: the answer may lack something, because manifests can't be read: 1" in output.err
