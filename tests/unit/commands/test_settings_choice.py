"""A command that reads another settings file than the person meant trains, or rolls back, another table's model."""

import subprocess
from pathlib import Path

import pytest

from credit_assets.commands.main import cli, main
from credit_assets.commands.one_machine.run import ui_command
from resources.deployment import Deployment

REPOSITORY = Path(__file__).parents[3]
COMMANDS = {
    "run": ["run"],
    "ui": ["ui", "--port", "3999"],
    "lineage": ["lineage"],
    "retention": ["retention"],
    "promote": ["promote", "1", "--who", "Ada", "--why", "a reason"],
}


def test_every_command_that_has_the_option_is_tested_here() -> None:
    having = {name for name, command in cli.commands.items() if "settings" in {each.name for each in command.params}}
    assert having == set(COMMANDS)


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize(
    ("exported", "options", "expected"),
    [
        (None, [], "settings/loans.toml"),
        ("settings/mine.toml", [], "settings/mine.toml"),
        ("settings/mine.toml", ["--settings", "settings/other.toml"], "settings/other.toml"),
        ("settings/mine.toml", ["--settings", "settings/loans.toml"], "settings/loans.toml"),
    ],
    ids=["nothing named", "exported", "an option", "the default as an option"],
)
def test_the_option_wins_over_the_variable_and_the_variable_over_the_default(
    opened, monkeypatch, command, exported, options, expected
) -> None:
    if exported:
        monkeypatch.setenv("PLATFORM_SETTINGS", exported)
    assert main([*COMMANDS[command], *options]) == 1
    assert opened == [Path(expected)]


@pytest.mark.parametrize("command", COMMANDS)
def test_an_exported_file_that_is_not_there_stops_every_command_by_its_name(
    bare_environment, monkeypatch, capsys, command
) -> None:
    monkeypatch.chdir(REPOSITORY)
    monkeypatch.setenv("PLATFORM_SETTINGS", "/nonexistent.toml")
    assert main(COMMANDS[command]) == 1
    captured = capsys.readouterr()
    assert captured.err.startswith("error: there is no settings file /nonexistent.toml. Name one by --settings")
    assert not captured.out


@pytest.mark.parametrize("command", COMMANDS)
def test_an_empty_option_is_wrong_usage_and_no_default(opened, capsys, command) -> None:
    assert main([*COMMANDS[command], "--settings", ""]) == 2
    assert "Invalid value for '--settings': it is empty" in capsys.readouterr().err
    assert not opened


@pytest.mark.parametrize("command", ["run", "ui", "promote"])
def test_outside_of_a_checkout_the_folder_is_named_and_not_the_settings(
    bare_environment, monkeypatch, tmp_path, capsys, command
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(COMMANDS[command]) == 1
    error = capsys.readouterr().err
    assert "run this from the root of a checkout" in error
    assert "PLATFORM_SETTINGS" not in error


@pytest.mark.parametrize("target", ["run", "ui"])
def test_make_passes_its_settings_and_otherwise_leaves_the_choice_to_the_variable(target, monkeypatch) -> None:
    monkeypatch.delenv("SETTINGS", raising=False)
    for given, expected in (
        ([], f"exec .venv/bin/credit-platform {target}"),
        (["SETTINGS=settings/my table.toml"], f'credit-platform {target} --settings "settings/my table.toml"'),
    ):
        command = ["make", "--dry-run", "--old-file=.venv/.made", target, *given]
        done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=True)
        assert expected in done.stdout
        assert ("--settings" in done.stdout) == bool(given)


def test_the_suggested_command_serves_the_same_settings_in_the_same_shell() -> None:
    default, mine = Path("settings/loans.toml"), Path("my table.toml")
    assert ui_command(default, Deployment()) == "make ui"
    assert ui_command(mine, Deployment(settings=str(mine))) == "make ui"
    assert ui_command(mine, Deployment()) == "make ui SETTINGS='my table.toml'"
    assert ui_command(default, Deployment(settings=str(mine))) == "make ui SETTINGS=settings/loans.toml"
