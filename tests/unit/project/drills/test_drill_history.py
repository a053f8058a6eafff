"""A drill strikes some seconds after training began. If it struck earlier, it would prove nothing about lost work."""

import time
from typing import Any

import pytest

from resources.history.facts import ITEMS, ITEMS_COMMITTED
from resources.services.webserver import Webserver
from tests.drills.support.adapter import Nodes
from tests.drills.support.history import OBSERVATION_LINE, Histories, measure_missing
from tests.drills.support.platform import MOST_TREES, NotInTime, Platform


def make_event(kind: str, seconds_ago: float, **fields: Any) -> dict[str, Any]:
    return {"__typename": kind, "timestamp": str(int((time.time() - seconds_ago) * 1000)), **fields}


def make_block(seconds_ago: float, committed: int = 1, items: str = "trees") -> dict[str, Any]:
    metadata = [{"label": ITEMS_COMMITTED, "intValue": committed}, {"label": ITEMS, "text": items}]
    return make_event("ObservationEvent", seconds_ago, metadataEntries=metadata)


def make_message(seconds_ago: float, message: str) -> dict[str, Any]:
    return make_event("LogMessageEvent", seconds_ago, message=message)


@pytest.fixture
def events(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """The event log of every run."""
    recorded: list[dict[str, Any]] = []
    monkeypatch.setattr(Webserver, "read_events", lambda *_: recorded)
    return recorded


def measure_training(seconds: float, ahead: float = 0) -> float | None:
    """For how long a run has trained, if it has for so many seconds."""
    start = Histories(Webserver("http://nowhere"), ahead=ahead).find_training_start("run", seconds)
    return None if start is None else time.time() - start


def test_training_begins_with_the_first_block_and_not_with_a_log_line(events: list[dict[str, Any]]) -> None:
    events += [make_message(60, "training 1500 trees on 16,000 loans")]
    assert measure_training(0) is None, "no tree is saved yet"
    events += [make_block(4), make_block(2)]
    assert measure_training(3) == pytest.approx(4, abs=0.5)
    assert measure_training(5) is None, "it has not trained for five seconds"


def test_training_of_the_release_before_begins_with_the_first_block_that_its_log_names(
    events: list[dict[str, Any]],
) -> None:
    events += [make_message(4, "12 of 1,500 committed"), make_message(2, "90 of 1,500 committed")]
    assert measure_training(3) == pytest.approx(4, abs=0.5)
    assert measure_training(5) is None, "it has not trained for five seconds"


def test_the_wrong_clock_of_a_worker_does_not_change_when_training_began(events: list[dict[str, Any]]) -> None:
    events += [make_block(4 - 60)]
    assert measure_training(3, ahead=60) == pytest.approx(4, abs=0.5)


def test_a_training_that_ended_before_the_loss_is_no_drill(
    events: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Webserver, "launch", lambda *_, **__: "run")
    platform = Platform(Webserver("http://nowhere"), Nodes(), lambda **_: None, trees_per_second=50)
    events += [make_block(9), make_event("ExecutionStepSuccessEvent", 6, stepKey="loan_dataset")]
    assert platform.train_for(5)[0] == "run"
    events += [make_event("ExecutionStepSuccessEvent", 1, stepKey="training")]
    with pytest.raises(NotInTime, match="run ended within 5 s: the drill needs a longer one"):
        platform.train_for(5)


def test_a_training_of_so_many_seconds_has_the_trees_that_this_cluster_grows_in_them(
    events: list[dict[str, Any]],
) -> None:
    events += [make_block(9, 7), make_block(5, 107), make_block(4, 157), make_block(1, 3, "folds")]
    pace = Histories(Webserver("http://nowhere")).measure_pace("run")
    assert pace == pytest.approx(150 / 5, rel=0.01), "nobody knows how long the first block took"
    assert Histories(Webserver("http://nowhere")).count_committed("run") == 157
    platform = Platform(Webserver("http://nowhere"), Nodes(), lambda **_: None, trees_per_second=pace)
    assert platform.count_trees(20) == pytest.approx(600, rel=0.01)
    assert platform.count_trees(10_000) == MOST_TREES, "the platform would refuse more"


def test_nobody_guesses_how_fast_a_cluster_grows_trees(events: list[dict[str, Any]]) -> None:
    events += [make_block(9)]
    with pytest.raises(ValueError, match="run committed 1 blocks: a pace needs two"):
        Histories(Webserver("http://nowhere")).measure_pace("run")
    with pytest.raises(AssertionError, match="nobody has measured"):
        Platform(Webserver("http://nowhere"), Nodes(), lambda **_: None).count_trees(20)


def make_output(lines: int) -> str:
    return f"RUN_START\nloan_dataset{OBSERVATION_LINE}seen\n" + f"training{OBSERVATION_LINE}seen\n" * (lines - 1)


def test_the_seconds_of_output_that_a_lost_run_lacks_are_counted_from_its_first_line_that_is_not_shown() -> None:
    printed = [100.0, 102.5, 105.0, 107.5]
    assert measure_missing(printed, make_output(4), lost=109) == 0
    assert measure_missing(printed, make_output(3), lost=109) == 1.5
    assert measure_missing(printed, make_output(1), lost=109) == 6.5
    assert measure_missing(printed, "", lost=109) == 9


def test_a_run_that_printed_nothing_lacks_nothing_and_proves_nothing() -> None:
    with pytest.raises(AssertionError, match="printed too little"):
        measure_missing([100.0], "", lost=109)
