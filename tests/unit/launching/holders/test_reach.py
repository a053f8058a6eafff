"""A call that is taken for more than it says fails healthy runs; one that is not believed makes a lost run wait."""

import pytest

from resources.launching.kubernetes_jobs import NoAnswer
from resources.launching.reach import AGAIN, FIRST, PAUSE, Line
from tests.support.launching import UNREACHABLE_SECONDS
from tests.support.servers.pods import Clock, Pods

LEASE, HOST = "run/1", "10.0.0.7"


class Watched:
    """A holder that a watcher looks at every second."""

    def __init__(self) -> None:
        self.pods, self.clock = Pods(answering={HOST}), Clock()
        self.reach, self.silent = self.pods.reach(self.clock), 0.0
        self.host: str | None = HOST

    def find_host(self) -> str | None:
        return self.host

    def look(self, *, renewed: bool) -> bool:
        """A second later; whether its holder is unreachable."""
        self.clock.now += 1
        self.silent = 0.0 if renewed else self.silent + 1
        return self.reach.is_lost(LEASE, self.silent, self.find_host)

    def lose_power(self) -> None:
        self.pods.answering.clear()


@pytest.fixture
def watched() -> Watched:
    watched = Watched()
    assert [watched.look(renewed=True) for _ in range(3)] == [False] * 3
    return watched


def test_a_holder_is_unreachable_one_look_after_it_did_not_answer(watched) -> None:
    watched.lose_power()
    assert [watched.look(renewed=False) for _ in range(3)] == [False, True, True]


def test_a_holder_that_answers_is_reachable_however_silent_its_lease_is(watched) -> None:
    assert not any(watched.look(renewed=False) for _ in range(20))


def test_a_holder_that_has_never_answered_this_watcher_is_not_called_unreachable() -> None:
    watched = Watched()
    watched.lose_power()
    watched.look(renewed=True)
    assert not any(watched.look(renewed=False) for _ in range(20))


def test_a_watcher_that_reaches_nobody_does_not_judge(watched) -> None:
    watched.lose_power()
    watched.pods.has_witness = False
    assert not any(watched.look(renewed=False) for _ in range(20))
    watched.pods.has_witness = True
    assert [watched.look(renewed=False) for _ in range(2)] == [False, True], "its network is back"


def test_a_call_that_was_begun_before_the_lease_was_silent_proves_nothing(watched) -> None:
    watched.clock.now += PAUSE
    watched.pods.is_slow = True
    watched.look(renewed=True)  # it calls
    watched.lose_power()
    watched.pods.end_calls()
    assert not watched.look(renewed=False)
    watched.pods.end_calls()
    assert watched.look(renewed=False)


def test_an_answer_from_an_earlier_silence_is_not_counted_again(watched) -> None:
    watched.lose_power()
    watched.look(renewed=False)
    assert watched.look(renewed=False)
    watched.pods.is_slow = True
    watched.look(renewed=True)
    assert not any(watched.look(renewed=False) for _ in range(5)), "the call of this silence has not ended"


def test_a_holder_that_renews_behind_a_closed_port_is_not_trusted_any_more(watched) -> None:
    watched.lose_power()  # as a network policy does
    watched.clock.now += PAUSE
    watched.look(renewed=True)
    watched.look(renewed=True)
    assert not any(watched.look(renewed=False) for _ in range(20))


def test_a_loss_beside_the_call_of_a_renewing_holder_is_found_as_any_other(watched) -> None:
    watched.clock.now += PAUSE
    watched.lose_power()
    watched.look(renewed=True)
    assert [watched.look(renewed=False) for _ in range(3)] == [False, True, True]


def test_a_holder_that_renews_is_seldom_called_and_a_silent_one_once_at_a_time(watched) -> None:
    assert watched.pods.called == [HOST]
    for _ in range(60):
        watched.look(renewed=True)
    assert len(watched.pods.called) == 1 + 60 // PAUSE
    watched.pods.is_slow = True
    for _ in range(10):
        watched.look(renewed=False)
    watched.pods.end_calls()
    assert len(watched.pods.called) == 2 + 60 // PAUSE


@pytest.mark.parametrize(("answered", "is_lost"), [(0, False), (1, False), (2, False), (3, True)])
def test_a_holder_is_called_three_times_and_one_answer_is_enough(watched, answered, is_lost) -> None:
    """A network that loses a packet is slow for a second; a machine without power never answers."""
    calls = iter(number == answered for number in range(3))
    watched.pods.knock = lambda host, seconds: next(calls, False)
    reach = watched.reach = watched.pods.reach(watched.clock)
    reach._lines["run/1"] = Line(host=HOST, is_trusted=True)  # pyright: ignore[reportPrivateUsage]
    watched.look(renewed=False)
    assert watched.look(renewed=False) is is_lost


def test_all_calls_of_a_lost_holder_end_before_the_look_at_which_it_may_be_given_up() -> None:
    """The daemon looks every second: at the first look without a renewal it calls, and two looks later it may judge."""
    assert FIRST + sum(AGAIN) < UNREACHABLE_SECONDS - 1


def test_an_address_that_nobody_knows_is_no_silence(watched) -> None:
    def fail() -> str:
        raise NoAnswer("503")

    other = Watched()
    other.host = None
    other.look(renewed=True)
    other.find_host = fail  # pyright: ignore[reportAttributeAccessIssue]
    assert not any(other.look(renewed=False) for _ in range(20))
    assert not other.pods.called


def test_it_forgets_the_holders_of_runs_that_ended() -> None:
    pods, clock = Pods(answering={HOST}), Clock()
    reach = pods.reach(clock)
    reach._most = 2  # pyright: ignore[reportPrivateUsage]
    for name in ("ended", "working", "new"):
        reach.is_lost(name, 0, lambda: HOST)
    assert len(reach._lines) == 2  # pyright: ignore[reportPrivateUsage]
