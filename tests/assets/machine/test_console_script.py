"""What starts Dagster's commands must be them, and must say so where there is none."""

import gc
import subprocess
import sys
from importlib import import_module

import dagster as dg
import pytest

from resources.machine.console_script import GARBAGE_THRESHOLD, NoConsoleScript, imports_not_searched, load


def started(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "resources.machine.console_script", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def test_a_command_of_dagster_gets_its_arguments_and_gives_its_exit_code() -> None:
    there = started("dagster", "--version")
    assert there.returncode == 0
    assert there.stdout.endswith(f"dagster, version {dg.__version__}\n")
    wrong = started("dagster", "api", "no-such-command")
    assert wrong.returncode == 2
    assert "No such command" in wrong.stderr


def test_a_started_command_collects_garbage_less_often_than_python_does() -> None:
    code = "import gc, sys; before = gc.get_threshold(); from resources.machine import console_script;"
    code += "console_script.load = lambda *_: lambda: print(before[0], gc.get_threshold()[0]);"
    code += "sys.exit(console_script.main())"
    found = subprocess.run([sys.executable, "-c", code, "any"], capture_output=True, text=True, timeout=60, check=True)
    assert found.stdout.split() == ["700", str(GARBAGE_THRESHOLD)]


def test_imports_are_not_searched_for_garbage_and_what_comes_after_them_is() -> None:
    before = gc.get_freeze_count()
    try:
        with pytest.raises(ModuleNotFoundError), imports_not_searched():
            import_module("no_such_module" if not gc.isenabled() else "gc")
        assert gc.isenabled()
        assert gc.get_freeze_count() > before
    finally:
        gc.unfreeze()


def test_an_unknown_console_script_is_an_error_with_its_name(monkeypatch) -> None:
    monkeypatch.setattr(sys, "argv", ["as it was"])
    with pytest.raises(NoConsoleScript, match="no-such-script: expected a console script"):
        load("no-such-script", "any")
    assert sys.argv == ["as it was"]
