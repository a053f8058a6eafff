"""A comparison of two programs that do not compute the same says nothing about their speed."""

import math
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from bench.contenders import compare_files
from bench.extraction import refuse_other_rows
from bench.overhead import sum_by_part, tabulate_parts
from bench.timing.children import BenchError, ProcessResult
from bench.training import CONTENDERS, compare_trainings, train_once


@pytest.fixture
def loans(tmp_path: Path) -> Path:
    path = tmp_path / "loans.parquet"
    pq.write_table(pa.table({"id": [1, 2], "amount": [10.25, 0.1]}), path)
    return path


def test_the_same_rows_agree_whatever_types_they_are_stored_with(loans: Path, tmp_path: Path) -> None:
    pq.write_table(pa.table({"id": pa.array([1, 2], pa.int32()), "amount": [10.25, 0.1]}), tmp_path / "other.parquet")
    found = compare_files(str(loans), str(tmp_path / "other.parquet"))
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
        refuse_other_rows(compare_files(str(loans), str(tmp_path / "other.parquet")), 2)


def test_equal_files_that_lost_rows_are_refused(loans: Path) -> None:
    with pytest.raises(BenchError, match="the same 3 rows"):
        refuse_other_rows(compare_files(str(loans), str(loans)), 3)


def make_result(process: float, **output: float) -> ProcessResult:
    return ProcessResult(process, math.nan, output)


def test_the_parts_of_a_process_add_up_to_all_that_its_caller_waited_for() -> None:
    watched = make_result(10.0, **{"/imports": 2.0, "/Python starts and stops": 0.5, "training/computing": 4.0})
    assert sum_by_part(watched) == {"imports": 2.0, "Python starts and stops": 4.0, "computing": 4.0}
    table = tabulate_parts(make_result(3.0, **{"/computing": 2.5}), watched)
    assert list(table.rows[-1].figures) == [3.0, 10.0, 7.0]


def trained(seconds: dict[str, float], **scores: str) -> dict[str, list[ProcessResult]]:
    outputs = {
        name: {"seconds": each, "blocks": 4, "scores": scores.get(name, "alike")} for name, each in seconds.items()
    }
    return {name: [ProcessResult(math.nan, math.nan, each)] for name, each in outputs.items()}


def test_checkpoints_are_charged_what_a_training_takes_longer_than_scikit_learns_own() -> None:
    (goal,) = compare_trainings(trained({"fit": 20.0, "trees": 20.2, "blocks": 20.5}), 1, 2).goals
    assert (round(goal.figure, 6), goal.is_met) == (2.5, True)
    (goal,) = compare_trainings(trained({"fit": 20.0, "trees": 20.2, "blocks": 20.7}), 1, 2).goals
    assert not goal.is_met
    (goal,) = compare_trainings(trained({"fit": 20.0, "trees": 20.2, "blocks": 20.5}), 1, 1).goals
    assert not goal.is_met, "one core has a lower goal"
    (goal,) = compare_trainings(trained({"fit": 20.0, "trees": 20.2, "blocks": 20.1}), 1, 1).goals
    assert goal.is_met
    with pytest.raises(BenchError, match="do not score alike"):
        compare_trainings(trained({"fit": 20.0, "trees": 20.2, "blocks": 20.5}, blocks="others"), 1, 1)


def test_all_ways_to_train_give_the_model_the_same_scores(tmp_path) -> None:
    outputs = {name: train_once(name, tmp_path, trees=3) for name in CONTENDERS}
    assert len({each["scores"] for each in outputs.values()}) == 1
    assert [each["blocks"] for each in outputs.values()] == [0, 0, pytest.approx(2, abs=1)], "a block or more"
    assert train_once("fit", tmp_path, trees=2)["scores"] != outputs["fit"]["scores"]
