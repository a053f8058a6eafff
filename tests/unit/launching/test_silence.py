"""A watch that forgets a lease never gives its worker up; one that counts on for too long kills a healthy run."""

from datetime import timedelta

import psycopg2
import pytest

from resources.launching.silence import SilenceWatch, Standby
from tests.support.launching import DEADLINE, Clock

RENEWED = DEADLINE + timedelta(seconds=1)


def test_silence_is_counted_from_the_first_sight_of_a_deadline_and_ends_when_it_moves() -> None:
    clock = Clock()
    watch = SilenceWatch(clock=clock)
    assert watch.measure("run", DEADLINE) == 0
    clock.now += 5
    assert watch.measure("run", DEADLINE) == 5
    assert watch.measure("another", DEADLINE) == 0
    clock.now += 2
    assert watch.measure("run", RENEWED) == 0
    assert watch.measure("another", DEADLINE) == 2
    clock.now += 1
    assert watch.measure("run", RENEWED) == 1


def test_a_restart_begins_all_counts_again() -> None:
    clock = Clock()
    watch = SilenceWatch(clock=clock)
    watch.measure("run", DEADLINE)
    clock.now += 60
    watch.restart()
    assert watch.measure("run", DEADLINE) == 0


def test_a_watch_forgets_the_leases_of_runs_that_ended_and_no_others() -> None:
    clock = Clock()
    watch = SilenceWatch(most=2, clock=clock)
    watch.measure("ended", DEADLINE)
    watch.measure("working", DEADLINE)
    clock.now += 1
    watch.measure("ended", DEADLINE)
    clock.now += 1
    watch.measure("working", DEADLINE)
    watch.measure("new", DEADLINE)  # the third
    clock.now += 1
    assert watch.measure("working", DEADLINE) == 3
    assert watch.measure("new", DEADLINE) == 1
    assert watch.measure("ended", DEADLINE) == 0, "it was measured least recently, and should be forgotten"


class Following:
    """A daemon that stands by, and the leases that it sees. A look takes `answers_after` seconds."""

    def __init__(self) -> None:
        self.clock, self.answers_after, self.looks = Clock(), 0.0, 0
        self.error: psycopg2.Error | None = None
        self.watch = SilenceWatch(clock=self.clock)
        self.standby = Standby(self.watch, self.list_deadlines, self.clock)

    def list_deadlines(self):
        self.looks += 1
        self.clock.now += self.answers_after
        if self.error:
            raise self.error
        return {"run": DEADLINE}

    def stand_by(self, seconds: float) -> None:
        """It tries to lead four times a second."""
        for _ in range(int(seconds * 4)):
            self.standby.look()
            self.clock.now += 0.25


@pytest.fixture
def following() -> Following:
    following = Following()
    following.stand_by(6)
    return following


def test_a_daemon_that_stood_by_knows_for_how_long_a_lease_was_silent_before_it_led(following) -> None:
    assert following.watch.measure("run", DEADLINE) == 6
    assert following.watch.measure("run", RENEWED) == 0


def test_a_daemon_that_stands_by_looks_once_a_second(following) -> None:
    assert following.looks == 6


def test_a_daemon_that_stood_by_without_an_answer_knows_nothing_of_the_time_before(following) -> None:
    following.error = psycopg2.OperationalError("connection refused")
    following.stand_by(1)
    following.error = None
    following.stand_by(2)
    assert following.watch.measure("run", DEADLINE) == 2, "nobody could renew before"


@pytest.mark.parametrize(("seconds", "known"), [(1.5, 7.5), (2.5, 0.0)])
def test_an_answer_that_came_late_counts_as_none_at_all(following, seconds, known) -> None:
    following.answers_after = seconds
    following.standby.look()
    assert following.watch.measure("run", DEADLINE) == known


def test_a_daemon_that_stood_still_knows_nothing_of_the_time_before(following) -> None:
    following.clock.now += 30
    following.standby.look()
    assert following.watch.measure("run", DEADLINE) == 0


def test_a_copy_remembers_the_same_and_goes_its_own_way(following) -> None:
    copy = following.watch.copy()
    following.watch.restart()
    assert copy.measure("run", DEADLINE) == 6
