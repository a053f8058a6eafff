"""Where time goes must add up: a moment that is charged twice, or not at all, sends the next improvement astray."""

import importlib

import pytest

from bench.timing.stopwatch import Stopwatch
from bench.timing.timed_run import WRAPPED


def test_every_moment_is_charged_to_one_part_and_the_parts_add_up() -> None:
    moments = iter([1.0, 3.0, 7.0, 12.0, 20.0])
    watch = Stopwatch(0.0, "rest", clock=lambda: next(moments))
    with watch.charge_to("outer"), watch.charge_to("inner"):
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
    with pytest.raises(ZeroDivisionError), watch.charge_to("inner"):
        _ = 1 / 0
    watch.mark()
    assert watch.seconds == {("", "rest"): 5.0, ("", "inner"): 2.0}


@pytest.mark.parametrize("place", WRAPPED)
def test_every_function_that_is_timed_exists(place: str) -> None:
    module, _, member = place.partition(":")
    owner = importlib.import_module(module)
    owner = getattr(owner, member) if member else owner
    assert [name for name in WRAPPED[place] if not callable(getattr(owner, name, None))] == []
