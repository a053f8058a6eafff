"""A script that calls the command goes by its exit code: one that is not documented, or wrong, hides a failure."""

import ast
from pathlib import Path

import click
import pytest

from credit_assets.commands.main import cli, main
from credit_assets.commands.options import CHOSEN, EXIT_CODES, SHORTEST_WHO, SHORTEST_WHY
from credit_assets.promotion.by_hand import ByHand
from resources.errors import PlatformError

REPOSITORY = Path(__file__).parents[3]
ERRORS = {"Exception", "ValueError", "RuntimeError", "KeyError", "LookupError", "OSError", "TypeError"}


def commands(group: click.Group, *names: str) -> list[list[str]]:
    """Every command and group, by its words."""
    found = [[*names]]
    for name, command in group.commands.items():
        found += commands(command, *names, name) if isinstance(command, click.Group) else [[*names, name]]
    return found


@pytest.mark.parametrize("words", commands(cli), ids=lambda words: " ".join(words) or "credit-platform")
def test_the_help_of_every_command_has_its_exit_codes(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*words, "--help"]) == 0
    assert EXIT_CODES in capsys.readouterr().out


@pytest.mark.parametrize(
    "arguments",
    [
        ["rum"],
        ["run", "--port", "3000"],
        ["ui", "--port", "http"],
        ["promote", "1", "--who", "Ada"],
        ["promote", "1", "--who", "Ada", "--why", "a reason", "--settings", "a.toml", "--ui", "http://localhost:1"],
        ["promote", "abc", "--who", "Ada", "--why", "a reason"],
        ["promote", "0", "--who", "Ada", "--why", "a reason"],
        ["promote", "1", "--who", "A", "--why", "a reason"],
        ["promote", "1", "--who", "Ada", "--why", "why", "--ui", "http://localhost:1"],
        ["promote", "1", "--who", "Ada", "--why", "a reason", "--ui", ""],
        ["lineage", ""],
        ["lineage", "--of-dataset", ""],
        ["lineage", "--of-code", " "],
        ["backups", "keep"],
        ["backups", "keep", "folder", "--newest", "0"],
        ["check", "--patience", "0"],
    ],
    ids=" ".join,
)
def test_wrong_usage_is_2_and_says_what_is_wrong(arguments, capsys) -> None:
    assert main(arguments) == 2
    captured = capsys.readouterr()
    assert "Usage: credit-platform" in captured.err
    assert not captured.out


def test_a_promotion_is_refused_at_the_terminal_by_the_limits_of_the_job(capsys) -> None:
    limits = ByHand.model_json_schema()["properties"]
    assert limits["chosen"]["pattern"] == CHOSEN
    assert (limits["who"]["minLength"], limits["why"]["minLength"]) == (SHORTEST_WHO, SHORTEST_WHY)
    assert main(["promote", "--help"]) == 0
    printed = " ".join(capsys.readouterr().out.split())
    assert f"at least {SHORTEST_WHO} characters" in printed
    assert f"at least {SHORTEST_WHY} characters" in printed


@pytest.mark.parametrize("error", [PlatformError("it is away"), OSError("it is away")])
def test_an_error_is_one_line_and_1(error, monkeypatch, capsys) -> None:
    def fail(*_) -> None:
        raise error

    monkeypatch.setattr("resources.services.webserver.Webserver.wait_for_location", fail)
    assert main(["check"]) == 1
    assert capsys.readouterr().err == "error: it is away\n"


def test_an_error_that_nobody_expected_is_not_taken_for_one_of_ours(monkeypatch) -> None:
    def fail(*_) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("resources.services.webserver.Webserver.wait_for_location", fail)
    with pytest.raises(ZeroDivisionError):
        main(["check"])


def test_every_error_of_ours_has_the_one_base() -> None:
    paths = [path for room in ("credit_assets", "resources", "sensors") for path in (REPOSITORY / room).rglob("*.py")]
    nodes = [node for path in paths for node in ast.walk(ast.parse(path.read_text()))]
    bases = {node.name: {ast.unparse(base) for base in node.bases} for node in nodes if isinstance(node, ast.ClassDef)}
    strangers = [name for name, its in bases.items() if its & ERRORS and "PlatformError" not in its]
    assert strangers == ["PlatformError"]
