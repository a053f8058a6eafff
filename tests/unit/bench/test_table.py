"""A benchmark that hides a missed goal, or rounds it into being met, is worse than none."""

import sys

import pytest

from bench import __main__ as command_line
from bench.timing.children import BenchError
from bench.timing.table import Goal, Row, Table, format_figure


def test_a_missed_goal_is_shown_as_missed_and_a_met_one_as_met() -> None:
    missed, met = Goal("times faster", 3.99, 4), Goal("of the memory", 0.25, 0.25, at_least=False)
    text = str(Table("t", ("s",), [Row("ours", [1.0])], [missed, met]))
    assert "MISSED  3.99 times faster (goal: at least 4)" in text
    assert "met     0.25 of the memory (goal: at most 0.25)" in text


@pytest.mark.parametrize(("figure", "at_least"), [(3.9999, True), (4.0001, False), (float("nan"), True)])
def test_a_goal_is_not_rounded_into_being_met(figure: float, at_least: bool) -> None:
    assert not Goal("", figure, 4, at_least).is_met


def test_a_missed_goal_does_not_fail_the_command_and_a_failed_run_does(monkeypatch, capsys) -> None:
    def broken(_: int) -> list[Table]:
        raise BenchError("the run failed")

    monkeypatch.setattr(sys, "argv", ["bench", "--only", "imports"])
    monkeypatch.setattr(
        command_line, "measure_imports", lambda _: [Table("t", ("s",), [Row("a", [9.0])], [Goal("s", 1, 9)])]
    )
    assert command_line.main() == 0
    assert "MISSED" in capsys.readouterr().out
    monkeypatch.setattr(command_line, "measure_imports", broken)
    assert command_line.main() == 1
    assert "the run failed" in capsys.readouterr().err


def test_a_table_lines_up_its_figures_and_ends_its_rows_with_their_commands() -> None:
    rows = [Row("ours", [1.256, None], "python a"), Row("theirs", [1234.5, 2.0], "python b")]
    title, rule, *lines = str(Table("what", ("seconds", "ratio"), rows)).splitlines()
    assert title == "what    seconds  ratio  command"
    assert set(rule) == {"-"}
    assert lines == ["ours       1.26         python a", "theirs    1,234   2.00  python b"]


def test_a_count_has_no_digits_behind_the_point_and_a_measurement_has() -> None:
    assert [format_figure(figure) for figure in (7, 7.0, 1234, 0, None)] == ["7", "7.00", "1,234", "0", ""]
