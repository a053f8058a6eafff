"""A watch that forgets a lease never gives its worker up; one that counts on for too long kills a healthy run."""

from datetime import timedelta

from resources.launching.silence import SilenceWatch
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
