"""A database that restarts for twenty seconds must not fail a wave, and one that refuses must not be asked for ever."""

import pytest

from resources.services.database import DatabaseAway, DatabaseError, repeat_while_away


class Calls:
    """A database that raises these errors, one after the other, and then answers."""

    def __init__(self, *errors: Exception) -> None:
        self.errors, self.count = list(errors), 0

    def __call__(self) -> str:
        self.count += 1
        if self.errors:
            raise self.errors.pop(0)
        return "rows"


def test_a_database_that_comes_back_is_asked_again() -> None:
    calls = Calls(DatabaseAway("starting"), DatabaseAway("starting"))
    assert repeat_while_away(calls) == "rows"
    assert calls.count == 3


def test_a_database_that_stays_away_is_an_error_once_patience_has_ended() -> None:
    calls = Calls(*[DatabaseAway("gone")] * 100)
    with pytest.raises(DatabaseAway, match="gone"):
        repeat_while_away(calls, patience_seconds=0.3)
    assert 2 <= calls.count < 100


def test_a_database_that_refuses_is_asked_once() -> None:
    calls = Calls(DatabaseError("permission denied"))
    with pytest.raises(DatabaseError, match="permission denied"):
        repeat_while_away(calls)
    assert calls.count == 1
