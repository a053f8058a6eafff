"""Each clause of the statements on leases decides who may act: without one, two act, or nobody does.

Time is not waited for: a deadline is moved back in the table.
"""

import time
from datetime import timedelta

import psycopg2
import pytest

from resources.supervision.lease import Lease
from resources.supervision.lease_table import Leases, name_run_lease
from tests.assets.supervision.leases import find, revoke

RUN, STEP, SIBLING = "run/1", "run/1/training", "run/10"
DAY = 24 * 3600


@pytest.fixture
def lease(database):
    """Makes a lease of 30 s."""
    return lambda name=RUN, holder="pod", seconds=30: Lease(database.dsn, name, holder, seconds)


@pytest.fixture
def leases(database) -> Leases:
    return Leases(database.dsn)


def test_the_leases_of_a_run_and_of_its_steps_have_one_spelling() -> None:
    assert name_run_lease("1") == name_run_lease("1", None) == name_run_lease("1", "") == RUN
    assert name_run_lease("1", "training") == STEP


def test_a_lease_that_is_taken_first_lasts_its_seconds(lease, database) -> None:
    assert lease(seconds=30).take()
    row = database.leases()[RUN]
    assert (row.holder, row.fence) == ("pod", 1)
    assert 25 < row.remaining <= 30


def test_a_lease_is_taken_from_another_after_its_deadline_and_not_before(lease, database) -> None:
    first, second = lease(), lease(holder="second", seconds=60)
    assert first.take()
    database.age(RUN, 29)
    assert not second.take()
    assert second.fence == 0
    assert database.leases()[RUN].holder == "pod"
    database.age(RUN, 2)
    assert second.take()
    row = database.leases()[RUN]
    assert (row.holder, row.fence, second.fence) == ("second", 2, 2)
    assert 55 < row.remaining <= 60


def test_a_revoked_lease_is_nobodys_even_after_its_deadline(lease, leases, database) -> None:
    assert lease().take()
    assert revoke(leases, RUN)
    database.age(RUN, 3600)
    for pod in ("pod", "second"):
        assert not lease(holder=pod).take()
        assert not lease(holder=pod).take_or_renew()
    assert database.leases()[RUN].holder == ""


def test_a_lease_that_was_refused_is_nobodys_for_good(lease, leases, database) -> None:
    assert leases.refuse(RUN)
    assert leases.refuse(RUN), "a daemon that died after it goes on here"
    database.age(RUN, 3600)
    assert not lease().take()
    assert not lease().take_or_renew()
    assert database.leases()[RUN].holder == ""
    assert revoke(leases, RUN), "a daemon that finds it must be able to give its run up"
    assert lease(SIBLING).take(), "the lease of another run was refused"


def test_a_lease_that_somebody_holds_is_not_refused(lease, leases, database) -> None:
    held = lease()
    assert held.take()
    before = database.leases()[RUN]
    assert not leases.refuse(RUN)
    assert held.renew()
    database.age(RUN, 3600)
    assert not leases.refuse(RUN), "a silent holder is for its own verdict"
    assert database.leases()[RUN].fence == before.fence


def test_a_holder_whose_taking_was_not_answered_renews_its_own_lease_and_no_other(lease, database) -> None:
    assert lease().take()
    assert lease(SIBLING, "second").take()
    database.age(RUN, 29)
    database.age(SIBLING, 20)
    again = lease()
    assert not again.take()
    assert not lease(holder="second").take_or_renew(), "it holds another lease"
    assert not lease(SIBLING).take_or_renew(), "another holds it"
    assert database.leases()[RUN].remaining < 2
    assert again.take_or_renew()
    assert again.fence == 1
    rows = database.leases()
    assert 25 < rows[RUN].remaining <= 30, "a watcher counts the seconds since it was taken as silence"
    assert rows[SIBLING].remaining < 11, "the lease of another was renewed"


def successors(lease, database) -> tuple[Lease, Lease]:
    """A holder that lost its lease, and the one that took it: a process of the same name."""
    first, second = lease(), lease()
    assert first.take()
    database.age(RUN, 31)
    assert second.take()
    return first, second


def test_only_the_latest_holder_renews_and_only_its_own_lease(lease, database) -> None:
    first, second = successors(lease, database)
    assert lease(SIBLING).take()
    database.age(RUN, 20)
    database.age(SIBLING, 20)
    assert not first.renew(), "the process before, with an older fence"
    stranger = lease(holder="stranger")
    stranger.fence = second.fence
    assert not stranger.renew()
    assert database.leases()[RUN].remaining < 11
    assert second.renew()
    rows = database.leases()
    assert 25 < rows[RUN].remaining <= 30
    assert rows[SIBLING].remaining < 11, "another lease of the same holder was renewed"


def test_only_the_latest_holder_gives_back_and_only_its_own_lease(lease, database) -> None:
    first, second = successors(lease, database)
    assert lease(SIBLING).take()
    stranger = lease(holder="stranger")
    stranger.fence = second.fence
    for other in (first, stranger):
        other.release()
        assert database.leases()[RUN].remaining > 25
    second.release()
    rows = database.leases()
    assert rows[RUN].remaining <= 0
    assert rows[SIBLING].remaining > 25
    third = lease(holder="third")
    assert third.take()
    assert third.fence == 3, "the row must stay and count its holders"


def test_only_the_latest_holder_holds_a_lease_and_a_check_renews_nothing(lease, database) -> None:
    first, second = successors(lease, database)
    assert lease(SIBLING).take()
    stranger = lease(holder="stranger")
    stranger.fence = second.fence
    database.age(RUN, 20)
    assert second.is_held()
    assert not first.is_held()
    assert not stranger.is_held()
    assert database.leases()[RUN].remaining < 11


def test_the_end_of_a_run_takes_its_steps_along_and_no_other_run(lease, database) -> None:
    run, step, sibling = lease(), lease(STEP), lease(SIBLING)
    assert [each.take() for each in (run, step, sibling)] == [True] * 3
    run.end()
    assert set(database.leases()) == {SIBLING}
    assert not step.renew()


def test_only_the_latest_holder_ends_a_lease(lease, database) -> None:
    first, second = successors(lease, database)
    stranger = lease(holder="stranger")
    stranger.fence = second.fence
    for other in (first, stranger):
        other.end()
        assert set(database.leases()) == {RUN}
    second.end()
    assert not database.leases()


@pytest.mark.parametrize("clean", ["end", "revoke"])
def test_what_nobody_has_renewed_for_a_day_is_deleted_and_what_is_younger_stays(lease, leases, database, clean) -> None:
    assert all(lease(name).take() for name in (RUN, "run/old", "run/young"))
    database.age("run/old", DAY + 31)
    database.age("run/young", DAY - 31)
    if clean == "end":
        lease("run/another").end()
    else:
        assert revoke(leases, RUN)
    assert set(database.leases()) == {RUN, "run/young"}


def test_the_deadline_is_the_one_of_the_requested_lease(lease, leases) -> None:
    assert lease().take()
    assert lease(SIBLING, seconds=90).take()
    assert find(leases, SIBLING) - find(leases, RUN) > timedelta(seconds=55)
    assert leases.find_deadline("run/2") is None


def test_a_watcher_sees_the_leases_that_somebody_holds_and_those_that_ended_within_a_minute(
    lease, leases, database
) -> None:
    assert all(lease(name, seconds=30).take() for name in (RUN, STEP, "run/silent", "run/old", "run/revoked"))
    assert revoke(leases, "run/revoked")
    assert leases.refuse("run/refused")
    database.age("run/silent", 30 + 55)
    database.age("run/old", 30 + 65)
    found = leases.list_deadlines()
    assert set(found) == {RUN, STEP, "run/silent"}
    assert all(found[name] == find(leases, name) for name in found), "a count would begin again in another watcher"


def test_a_lease_that_moved_is_not_revoked_and_neither_are_those_of_its_steps(lease, leases, database) -> None:
    run, step = lease(), lease(STEP)
    assert run.take()
    assert step.take()
    seen = find(leases, RUN)
    assert run.renew()
    assert not leases.revoke(RUN, seen)
    assert run.renew()
    assert step.renew()
    assert {row.fence for row in database.leases().values()} == {1}


def test_a_revocation_takes_a_run_and_its_steps_from_their_holders_and_nothing_else(lease, leases, database) -> None:
    run, step, sibling = lease(), lease(STEP), lease(SIBLING)
    assert [each.take() for each in (run, step, sibling)] == [True] * 3
    assert revoke(leases, RUN)
    rows = database.leases()
    assert {name: (row.holder, row.fence) for name, row in rows.items()} == {
        RUN: ("", 2),
        STEP: ("", 2),
        SIBLING: ("pod", 1),
    }
    assert [each.renew() for each in (run, step, sibling)] == [False, False, True]
    assert [each.is_held() for each in (run, step, sibling)] == [False, False, True]


def test_a_lease_that_is_revoked_already_counts_as_revoked(lease, leases, database) -> None:
    """The launcher revokes, and dies before it fails the run: the next launcher has to go on."""
    assert lease().take()
    seen = find(leases, RUN)
    assert leases.revoke(RUN, seen)
    database.age(RUN, 1)
    assert leases.revoke(RUN, seen), "its deadline has moved, but nobody holds it"
    assert not leases.revoke("run/2", seen), "there is no such lease"


def test_the_fence_finds_the_lease_of_a_worker_by_an_index(lease, database) -> None:
    assert lease().take()
    indexes = database.execute("SELECT indexdef FROM pg_indexes WHERE tablename = 'leases'")
    assert any("(holder)" in definition for (definition,) in indexes), "each event of each run would scan the table"


def test_a_holder_waits_two_seconds_for_an_answer_and_a_watcher_three(database, lease, leases) -> None:
    """Two renewals without an answer after a busy node must end before the lease does."""
    held = lease()
    assert held.take()
    seen = find(leases, RUN)
    with psycopg2.connect(database.dsn) as blocking, blocking.cursor() as cursor:
        cursor.execute("UPDATE leases SET deadline = deadline")
        for ask, least in ((held.renew, 2), (lambda: leases.revoke(RUN, seen), 3)):
            began = time.monotonic()
            with pytest.raises(psycopg2.errors.QueryCanceled):
                ask()
            assert least <= time.monotonic() - began < least + 0.9
    blocking.close()
    assert held.renew()


def test_a_long_name_of_a_lease_is_no_error(lease) -> None:
    """PostgreSQL cuts off names of connections at 63 characters, with a notice for each."""
    assert lease("run/" + "1" * 100).take()
