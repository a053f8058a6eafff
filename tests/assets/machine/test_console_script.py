"""What starts Dagster's commands must be them, and must say so where there is none."""

import gc
import subprocess
import sys
from importlib import import_module
from types import ModuleType

import dagster as dg
import pytest

from resources.machine.console_script import (
    COLORS,
    GARBAGE_THRESHOLD,
    NoConsoleScript,
    colors_left_out,
    imports_not_searched,
    load,
)


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


def test_a_worker_starts_without_what_only_colors_a_terminal_and_an_asset_can_import_it() -> None:
    code = "import sys; sys.argv = ['worker', 'dagster', '--version']; from runpy import run_module\n"
    code += "try: run_module('resources.console_script', run_name='__main__')\n"
    code += f"except SystemExit: print(*(set(sys.modules) & {set(COLORS)}), 'alembic' in sys.modules)\n"
    code += "import pygments, rich"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert found.stdout.splitlines()[-1] == "True"


def test_make_run_loads_assets_that_import_what_colors_a_terminal() -> None:
    code = "import builtins, sys; stock = builtins.__import__\n"
    code += "def load(name, *rest):\n"
    code += f"    if name == 'credit_assets.definitions': [stock(each) for each in {COLORS}]\n"
    code += "    return stock(name, *rest)\n"
    code += "builtins.__import__ = load; from credit_assets.commands.main import main\n"
    code += f"main(['run', '--settings', '/nowhere.toml']); print(*[each in sys.modules for each in {COLORS}])"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert found.stdout == "True True\n"
    assert "there is no settings file /nowhere.toml" in found.stderr


def test_a_library_that_was_imported_before_the_start_stays_imported(monkeypatch) -> None:
    loaded, other = ModuleType(COLORS[0]), COLORS[1]
    monkeypatch.setitem(sys.modules, COLORS[0], loaded)
    monkeypatch.delitem(sys.modules, other, raising=False)
    with colors_left_out():
        assert sys.modules[COLORS[0]] is loaded
        with pytest.raises(ModuleNotFoundError):
            import_module(other)
    assert sys.modules[COLORS[0]] is loaded
    assert other not in sys.modules


def test_an_unknown_console_script_is_an_error_with_its_name(monkeypatch) -> None:
    monkeypatch.setattr(sys, "argv", ["as it was"])
    with pytest.raises(NoConsoleScript, match="no-such-script: expected a console script"):
        load("no-such-script", "any")
    assert sys.argv == ["as it was"]
