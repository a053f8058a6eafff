"""A benchmark that is asked for and left out, in silence, is one that somebody believes to have met its goal."""

import argparse
import re
import sys

import pytest

from bench import __main__ as command_line
from bench.timing.table import Table


def run_with(monkeypatch, *arguments: str) -> list[str]:
    """Runs the command with benchmarks that only note their names; returns the names."""
    ran: list[str] = []
    names = list(command_line.list_benchmarks(argparse.Namespace()))
    noting = {name: lambda name=name: ran.append(name) or [Table(name, (), [])] for name in names}
    with monkeypatch.context() as patched:
        patched.setattr(sys, "argv", ["bench", *arguments])
        patched.setattr(command_line, "list_benchmarks", lambda _: noting)
        assert command_line.main() == 0
    return ran


def test_a_name_runs_one_benchmark_or_all_whose_names_begin_so(monkeypatch) -> None:
    assert run_with(monkeypatch, "--only", "waves.large") == ["waves.large"]
    waves = run_with(monkeypatch, "--only", "waves")
    assert len(waves) > 4
    assert all(name.startswith("waves.") for name in waves)


def test_without_a_name_everything_runs_but_the_tests_which_are_asked_for(monkeypatch) -> None:
    without, everything = run_with(monkeypatch), run_with(monkeypatch, "--with-tests")
    assert set(everything) - set(without) == {"tests"}
    assert {"waves.speed", "waves.day", "traps", "pages"} <= set(without)


def test_each_benchmark_says_how_long_it_took_behind_its_tables(monkeypatch, capsys) -> None:
    ran = run_with(monkeypatch, "--only", "waves")
    printed = capsys.readouterr().out
    for name in ran:
        assert re.search(rf"^{name}$(?s:.*)^{name}: \d+ s$", printed, re.MULTILINE), name


@pytest.mark.parametrize("name", ["wave", "waves.", "page", "nothing"])
def test_a_name_that_no_benchmark_has_is_refused(monkeypatch, capsys, name: str) -> None:
    monkeypatch.setattr(sys, "argv", ["bench", "--only", name])
    with pytest.raises(SystemExit, match="2"):
        command_line.main()
    assert f"--only {name}: expected extraction, training" in capsys.readouterr().err
