"""A benchmark that hides a missed goal, compares unequal results or loses time on the way is worse than none."""

import math
import resource
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from bench import __main__ as command_line
from bench.contenders import compare
from bench.extraction import refuse_other_rows
from bench.overhead import by_part, parts
from bench.timing.children import BenchError, Ran, in_turns, median_run, middle, run
from bench.timing.stopwatch import Stopwatch
from bench.timing.table import Goal, Row, Table, cell
from bench.training import CONTENDERS, compared, train_once


def ran(process: float, **said: float) -> Ran:
    return Ran(process, math.nan, said)


def test_a_missed_goal_is_shown_as_missed_and_a_met_one_as_met() -> None:
    missed, met = Goal("times faster", 3.99, 4), Goal("of the memory", 0.25, 0.25, at_least=False)
    text = str(Table("t", ("s",), [Row("ours", [1.0])], [missed, met]))
    assert "MISSED  3.99 times faster (goal: at least 4)" in text
    assert "met     0.25 of the memory (goal: at most 0.25)" in text


@pytest.mark.parametrize(("figure", "at_least"), [(3.9999, True), (4.0001, False), (float("nan"), True)])
def test_a_goal_is_not_rounded_into_being_met(figure: float, at_least: bool) -> None:
    assert not Goal("", figure, 4, at_least).met


def test_a_missed_goal_does_not_fail_the_command_and_a_failed_run_does(monkeypatch, capsys) -> None:
    def broken(_: int) -> list[Table]:
        raise BenchError("the run failed")

    monkeypatch.setattr(sys, "argv", ["bench", "--only", "imports"])
    monkeypatch.setattr(command_line, "imports", lambda _: [Table("t", ("s",), [Row("a", [9.0])], [Goal("s", 1, 9)])])
    assert command_line.main() == 0
    assert "MISSED" in capsys.readouterr().out
    monkeypatch.setattr(command_line, "imports", broken)
    assert command_line.main() == 1
    assert "the run failed" in capsys.readouterr().err


def test_a_table_lines_up_its_figures_and_ends_its_rows_with_their_commands() -> None:
    rows = [Row("ours", [1.256, None], "python a"), Row("theirs", [1234.5, 2.0], "python b")]
    title, rule, *lines = str(Table("what", ("seconds", "ratio"), rows)).splitlines()
    assert title == "what    seconds  ratio  command"
    assert set(rule) == {"-"}
    assert lines == ["ours       1.26         python a", "theirs    1,234   2.00  python b"]


def test_a_count_has_no_digits_behind_the_point_and_a_measurement_has() -> None:
    assert [cell(figure) for figure in (7, 7.0, 1234, 0, None)] == ["7", "7.00", "1,234", "0", ""]


def test_a_median_is_not_moved_by_one_slow_round() -> None:
    rounds = [ran(1.0, seconds=0.5), ran(90.0, seconds=80.0), ran(1.2, seconds=0.7)]
    assert middle(rounds, lambda each: each.process) == 1.2
    assert middle(rounds, lambda each: float(each.said["seconds"])) == 0.7
    assert median_run(rounds) is rounds[2]
    assert median_run(rounds[:2]) is rounds[0]


def test_contenders_take_turns() -> None:
    order: list[str] = []
    results = in_turns({name: lambda name=name: order.append(name) or ran(1.0) for name in ("a", "b")}, 3)
    assert order == ["a", "b"] * 3
    assert {name: len(each) for name, each in results.items()} == {"a": 3, "b": 3}


def test_a_failed_process_is_an_error_that_shows_what_it_said() -> None:
    with pytest.raises(BenchError, match=r"exit code 3(.|\n)*out of disk"):
        run([sys.executable, "-c", "import sys; print('out of disk'); sys.exit(3)"])


def test_a_benchmark_never_finds_the_settings_of_somebody_who_has_a_database(monkeypatch) -> None:
    for name in ("LOANS_DATABASE_URL", "CREDIT_STORE", "DAGSTER_HOME", "ALERT_WEBHOOK_URL"):
        monkeypatch.setenv(name, "somebody's")
    script = (
        "import json, os; print(json.dumps({k: v for k, v in os.environ.items() if v in ('ours', \"somebody's\")}))"
    )
    assert run([sys.executable, "-c", script], {"CREDIT_STORE": "ours"}).said == {"CREDIT_STORE": "ours"}


def test_a_peak_below_that_of_the_parent_is_not_told_rather_than_the_parents() -> None:
    more = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024) + 50_000_000
    small, large = (run([sys.executable, "-c", f"bytearray({size})"]).peak for size in (1, more))
    assert more < large < more + 50_000_000
    assert math.isnan(small)
    assert not Goal("of the memory", small, 0.25, at_least=False).met


@pytest.fixture
def loans(tmp_path: Path) -> Path:
    path = tmp_path / "loans.parquet"
    pq.write_table(pa.table({"id": [1, 2], "amount": [10.25, 0.1]}), path)
    return path


def test_the_same_rows_agree_whatever_types_they_are_stored_with(loans: Path, tmp_path: Path) -> None:
    pq.write_table(pa.table({"id": pa.array([1, 2], pa.int32()), "amount": [10.25, 0.1]}), tmp_path / "other.parquet")
    found = compare(str(loans), str(tmp_path / "other.parquet"))
    assert found == {"rows": 2, "differ": ""}
    refuse_other_rows(found, 2)


@pytest.mark.parametrize(
    ("other", "differ"),
    [
        ({"id": [1, 2], "amount": [10.25, 0.1 + 1e-16]}, "amount"),
        ({"id": [2, 1], "amount": [0.1, 10.25]}, "id, amount"),
        ({"id": [1], "amount": [10.25]}, r"\(1, 2\)"),
        ({"id": [1, 2], "income": [10.25, 0.1]}, "income"),
    ],
)
def test_other_rows_are_refused(loans: Path, tmp_path: Path, other: dict[str, list[float]], differ: str) -> None:
    pq.write_table(pa.table(other), tmp_path / "other.parquet")
    with pytest.raises(BenchError, match=differ):
        refuse_other_rows(compare(str(loans), str(tmp_path / "other.parquet")), 2)


def test_equal_files_that_lost_rows_are_refused(loans: Path) -> None:
    with pytest.raises(BenchError, match="the same 3 rows"):
        refuse_other_rows(compare(str(loans), str(loans)), 3)


def test_every_moment_is_charged_to_one_part_and_the_parts_add_up() -> None:
    moments = iter([1.0, 3.0, 7.0, 12.0, 20.0])
    watch = Stopwatch(0.0, "rest", clock=lambda: next(moments))
    with watch.part("outer"), watch.part("inner"):
        watch.step = "training"
    watch.mark()
    assert watch.seconds == {
        ("", "rest"): 1.0,
        ("", "outer"): 2.0,
        ("training", "inner"): 4.0,
        ("training", "outer"): 5.0,
        ("training", "rest"): 8.0,
    }


def test_a_part_that_fails_is_charged_and_left() -> None:
    moments = iter([1.0, 3.0, 7.0])
    watch = Stopwatch(0.0, "rest", clock=lambda: next(moments))
    with pytest.raises(ZeroDivisionError), watch.part("inner"):
        _ = 1 / 0
    watch.mark()
    assert watch.seconds == {("", "rest"): 5.0, ("", "inner"): 2.0}


def test_the_parts_of_a_process_add_up_to_all_that_its_caller_waited_for() -> None:
    watched = ran(10.0, **{"/imports": 2.0, "/Python starts and stops": 0.5, "training/computing": 4.0})
    assert by_part(watched) == {"imports": 2.0, "Python starts and stops": 4.0, "computing": 4.0}
    table = parts(ran(3.0, **{"/computing": 2.5}), watched)
    assert list(table.rows[-1].figures) == [3.0, 10.0, 7.0]


def trained(seconds: dict[str, float], **scores: str) -> dict[str, list[Ran]]:
    said = {name: {"seconds": each, "blocks": 4, "scores": scores.get(name, "alike")} for name, each in seconds.items()}
    return {name: [Ran(math.nan, math.nan, each)] for name, each in said.items()}


def test_checkpoints_are_charged_what_a_training_takes_longer_than_scikit_learns_own() -> None:
    (goal,) = compared(trained({"fit": 20.0, "trees": 20.2, "blocks": 20.5}), 1, 1).goals
    assert (round(goal.figure, 6), goal.met) == (2.5, True)
    (goal,) = compared(trained({"fit": 20.0, "trees": 20.2, "blocks": 20.7}), 1, 1).goals
    assert not goal.met
    with pytest.raises(BenchError, match="do not score alike"):
        compared(trained({"fit": 20.0, "trees": 20.2, "blocks": 20.5}, blocks="others"), 1, 1)


def test_all_ways_to_train_give_the_model_the_same_scores(tmp_path) -> None:
    said = {name: train_once(name, tmp_path, trees=3) for name in CONTENDERS}
    assert len({each["scores"] for each in said.values()}) == 1
    assert [each["blocks"] for each in said.values()] == [0, 0, 2]
    assert train_once("fit", tmp_path, trees=2)["scores"] != said["fit"]["scores"]
