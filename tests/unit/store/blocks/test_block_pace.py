"""A block that is too long loses work, one that is too short costs time, and a notice must not be forgotten."""

import os
import signal
from functools import partial

from resources.store.blocks.pace import choose_seconds, choose_size, hold_notices, is_due


def test_a_block_is_long_enough_to_be_cheap_and_short_enough_to_lose() -> None:
    choose = partial(choose_seconds, max_share=0.02, max_seconds=2.5)
    assert choose(committing=None) == 0, "the first one tells how long a commit takes"
    assert choose(committing=0) == 0.625, "a quarter of what may be lost"
    assert choose(committing=0.02) == 1, "committing is 2 % of it"
    assert choose(committing=9) == 1.25, "two of them are never more than may be lost"
    assert not is_due(made=9, took=0.9, seconds=1)
    assert is_due(made=10, took=1.0, seconds=1), "one more would be too much"
    assert is_due(made=1, took=60, seconds=1)


def test_several_items_are_made_in_the_time_that_they_may_take() -> None:
    assert choose_size(made=10, took=0.5, seconds=0.6) == 12
    assert choose_size(made=1, took=60, seconds=0.3, fewest=4) == 4
    assert choose_size(made=1, took=0, seconds=0.3) == 16, "one item is too little to go by"


def test_a_notice_waits_for_the_block_and_is_not_lost() -> None:
    heard = []
    before = signal.signal(signal.SIGTERM, lambda *_: heard.append("notice"))
    try:
        with hold_notices():
            os.kill(os.getpid(), signal.SIGTERM)
            assert not heard
        assert heard == ["notice"]
        os.kill(os.getpid(), signal.SIGTERM)
        assert heard == ["notice", "notice"], "it stays deaf afterwards"
    finally:
        signal.signal(signal.SIGTERM, before)
