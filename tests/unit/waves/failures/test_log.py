"""A failure without a log can't be understood the next day, and a log that quotes a row shows a person's data."""

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest

from credit_assets.waves.failures.log import describe_failure, make_call_steps, make_log_key, write_failure_logs
from credit_assets.waves.failures.steps import Step, list_places, shorten_path
from credit_assets.waves.outcomes import Failed, list_failed
from credit_assets.waves.plans.plan import Plan
from credit_assets.waves.scoring import Scorer, score_chunk
from resources.services.calls.service import Try
from resources.store.object_store import ObjectStore

PLAN = Plan("root", "2026-01-01T00:00:00+00:00", 3, "a" * 64, ("b",), (1,))
FAILED = Failed("b", "DataError", "DataError. Its message may quote a row and is left out", 0.25)


def read(locations) -> pa.Table:
    if "b" in locations:
        raise ValueError("could not convert 'Jane Doe'") from KeyError("Jane Doe")
    return pa.table({"location": pa.array([], pa.string()), "id": pa.array([], pa.int64())})


def test_the_steps_of_a_failed_location_are_the_chunk_and_then_the_location_alone() -> None:
    made = score_chunk(["a", "b"], Scorer(read, lambda _: {}, lambda _: np.empty(0), "f" * 64))
    assert [each.location for each in list_failed(made.outcomes)] == ["b"]
    assert set(made.steps) == {"b"}
    together, alone = made.steps["b"]
    assert (together.what, alone.what) == ("reading and scoring, 2 locations together", "reading and scoring, alone")
    assert together.result == alone.result == "failed with ValueError"
    assert alone.places[0] == "builtins.ValueError"
    assert "builtins.KeyError" in alone.places
    assert any("failures/test_log.py, line " in place and place.endswith("in read") for place in alone.places)
    assert "Jane" not in repr(made.steps)


@pytest.mark.parametrize("is_unreadable", [False, True], ids=["chunk", "alone"])
def test_the_log_of_a_location_whose_rows_are_bad_says_of_no_step_that_it_is_done(is_unreadable: bool) -> None:
    def read_rows(locations) -> pa.Table:
        if is_unreadable and len(locations) > 1:
            raise ValueError
        return pa.table({"location": locations, "id": list(range(len(locations)))})

    scorer = Scorer(
        read_rows,
        lambda rows: {"b": "income: 1 row"} if "b" in rows.column("location").to_pylist() else {},
        lambda rows: np.full(rows.num_rows, 0.5),
        "f" * 64,
    )
    made = score_chunk(["a", "b"], scorer)
    assert made.scores.column("location").to_pylist() == ["a"], "the other location is scored"
    assert set(made.steps) == {"b"}
    (failed,) = list_failed(made.outcomes)
    text = describe_failure(failed, made.steps["b"], PLAN, "attempt")
    assert text.splitlines()[-1].endswith(": failed for this location: rows break the schema")
    assert "done" not in text


def test_a_log_has_the_cause_the_steps_their_times_and_their_places_and_no_row() -> None:
    steps = [
        *make_call_steps("economy", [Try(1_700_000_000.0, 10.0, "no answer within 10 s")]),
        Step("scoring, alone", "failed with DataError", 1_700_000_010.5, 0.25, ["psycopg2.DataError", "  x"]),
    ]
    text = describe_failure(replace(FAILED, location="two\nlines"), steps, PLAN, "attempt")
    assert "location: 'two\\nlines'\ncause: DataError\n" in text
    assert "wave: root\nrun: attempt\nmodel: promotion 3, sha256 aaa" in text
    assert "\n1. 2023-11-14T22:13:20.000+00:00, 10.000 s: service economy was called, try 1: no answer within" in text
    assert "\n2. 2023-11-14T22:13:30.500+00:00, 0.250 s: scoring, alone: failed with DataError\n" in text
    assert text.endswith("   psycopg2.DataError\n     x\n")


def test_a_log_is_written_once_and_its_address_stands_in_the_outcome(store: ObjectStore) -> None:
    odd = replace(FAILED, location="../../🏦" + "x" * 200)
    first, other = write_failure_logs(store, "wave/root", [FAILED, odd], {}, PLAN, "attempt")
    assert first.log == store.location(make_log_key("wave/root", "b"))
    assert first == replace(FAILED, log=first.log)
    assert other.log.startswith(store.location("wave/root/failed/"))
    assert other.log.endswith(".log")
    assert first.log != other.log
    write_failure_logs(store, "wave/root", [replace(FAILED, cause="another")], {}, PLAN, "retry")
    assert b"cause: DataError" in store.read(make_log_key("wave/root", "b"))
    assert write_failure_logs(store, "wave/root", [], {}, PLAN, "attempt") == []


def test_a_path_in_a_log_has_no_folder_of_this_machine() -> None:
    assert shorten_path("/usr/lib/python3.11/site-packages/pyarrow/table.py") == "pyarrow/table.py"
    assert shorten_path("/home/jane/work/credit_assets/waves/scoring.py") == "credit_assets/waves/scoring.py"


def test_a_step_that_succeeds_has_a_time_and_no_place_and_errors_in_a_ring_are_listed_once() -> None:
    step, failing = Step("works"), Step("fails")
    with step.watch():
        pass
    assert (step.result, step.places) == ("done", [])
    error, other = ValueError(), KeyError()
    error.__context__, other.__context__ = other, error
    assert list_places(error) == ["builtins.ValueError", "builtins.KeyError"]
    with pytest.raises(ZeroDivisionError), failing.watch():
        raise ZeroDivisionError
    assert failing.result == "failed with ZeroDivisionError"
