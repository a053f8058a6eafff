"""What is scored ahead must be what is asked for, and an error of the thread must not be lost."""

import threading

import pytest

from credit_assets.waves.ahead import ScoringAhead
from credit_assets.waves.scoring import ScoredChunk


class Scoring:
    """Scores nothing, and remembers which locations it was asked for, and in which thread."""

    def __init__(self, error: Exception | None = None) -> None:
        self.error, self.calls = error, list[tuple[tuple[str, ...], bool]]()

    def __call__(self, locations) -> ScoredChunk:
        self.calls.append((tuple(locations), threading.current_thread() is threading.main_thread()))
        if self.error:
            raise self.error
        return ScoredChunk(None, [])  # type: ignore[arg-type]


def test_a_chunk_that_was_begun_is_not_scored_again() -> None:
    scoring = Scoring()
    with ScoringAhead(scoring) as ahead:
        ahead.begin(["a", "b"])
        ahead.take(["a", "b"])
    assert scoring.calls == [(("a", "b"), False)]


def test_other_locations_than_were_begun_are_scored_when_they_are_asked_for() -> None:
    scoring = Scoring()
    with ScoringAhead(scoring) as ahead:
        ahead.begin(["a", "b"])
        ahead.take(["a"])
        ahead.take(["b"])
    assert sorted(scoring.calls) == [(("a",), True), (("a", "b"), False), (("b",), True)]


def test_an_error_of_the_thread_is_raised_where_the_chunk_is_asked_for() -> None:
    with ScoringAhead(Scoring(ValueError("away"))) as ahead:
        ahead.begin(["a"])
        with pytest.raises(ValueError, match="away"):
            ahead.take(["a"])


def test_after_the_last_chunk_nothing_is_begun() -> None:
    scoring = Scoring()
    with ScoringAhead(scoring) as ahead:
        ahead.begin([])
    assert scoring.calls == []
