"""A trace that is read wrongly gives a market that never was, and a table that looks like any other."""

import itertools
import json

import pytest

from studies.spot_traces.trace import Trace, TraceError, generate_trace, main, read_trace


@pytest.fixture
def file(tmp_path):
    return tmp_path / "market.json"


def content(data, gap: object = 30):
    return json.dumps({"metadata": {"gap_seconds": gap}, "data": data, "prices": [1.2] * 3})


def test_a_trace_gets_the_name_of_its_file(file) -> None:
    file.write_text(content([0, 1, 2]))
    assert read_trace(file) == Trace("market", 30, (0, 1, 2))


@pytest.mark.parametrize(
    ("text", "refusal"),
    [
        ("", "is empty"),
        (" \n", "is empty"),
        ('{"metadata"', "is not JSON"),
        ("[1, 0]", "metadata.gap_seconds is missing"),
        ('{"data": [1]}', "metadata.gap_seconds is missing"),
        ('{"metadata": {"gap_seconds": 30}}', "data is missing"),
        (content([1], gap=0), "metadata.gap_seconds is 0: expected seconds"),
        (content([1], gap=float("nan")), "metadata.gap_seconds is NaN"),
        (content([1], gap="30"), 'metadata.gap_seconds is "30"'),
        (content([]), r"data is \[\]: expected a list"),
        (content(3), "data is 3: expected a list"),
        (content([1, -1]), r"data\[1\] is -1: expected a number of machines"),
        (content([1, 0, None]), r"data\[2\] is missing"),
        (content([True]), r"data\[0\] is true"),
    ],
)
def test_a_broken_trace_is_refused_by_file_and_field(file, text, refusal) -> None:
    file.write_text(text)
    with pytest.raises(TraceError, match=f"market.json: {refusal}"):
        read_trace(file)


def test_missing_and_unreadable_are_not_empty(tmp_path, file) -> None:
    with pytest.raises(TraceError, match=r"market\.json: no such file"):
        read_trace(file)
    with pytest.raises(TraceError, match=r"can't be read: .*directory"):
        read_trace(tmp_path)
    file.write_bytes(b"\xff\xfe")
    with pytest.raises(TraceError, match="can't be read"):
        read_trace(file)


def test_a_fall_loses_a_share_of_the_machines_and_a_rise_loses_none() -> None:
    trace = Trace("market", 10, (1, 4, 3, 0, 2))
    laps = list(itertools.islice(trace.find_losses(0), 6))
    assert [moment for moment, _ in laps] == [20, 30, 50, 70, 80, 100]
    assert [share for _, share in laps[:3]] == [0.25, 1, 0.5]
    assert next(trace.find_losses(30))[0] == 50, "a machine that was found at this moment is not the one that went"
    assert list(Trace("calm", 10, (2, 2)).find_losses(0)) == []


def test_a_machine_is_free_as_soon_as_there_is_one() -> None:
    trace = Trace("market", 10, (1, 0, 0, 1))
    assert trace.find_free(3, patience=0, notice=0) == 3
    assert trace.find_free(12, patience=18, notice=0) == 30
    assert trace.find_free(12, patience=17, notice=0) is None
    assert trace.find_free(52, patience=100, notice=0) == 70, "the trace begins again"
    assert Trace("nothing", 10, (0,)).find_free(0, patience=1e4, notice=0) is None


def test_a_machine_that_has_its_notice_is_given_to_nobody() -> None:
    trace = Trace("market", 10, (1, 0, 1, 1))
    assert trace.find_free(4, patience=100, notice=5) == 4
    assert trace.find_free(6, patience=100, notice=5) == 20


def test_a_generated_trace_depends_on_its_seed_only_and_can_be_read(file, capsys) -> None:
    main(["--seed", "7", "--days", "3"])
    file.write_text(capsys.readouterr().out)
    trace = generate_trace(7, 3)
    assert read_trace(file).machines == trace.machines
    assert len(trace.machines) == 3 * 24 * 120
    assert {*trace.machines} == {0, 1}
    assert trace.falls
    assert generate_trace(8, 3).machines != trace.machines
