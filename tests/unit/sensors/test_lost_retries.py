"""A retry that was promised and never comes leaves an old model; one that comes twice is work done twice."""

from dataclasses import replace

import pytest

from resources.history.step_failures import lost
from sensors.lost_retries import PATIENCE, Ended, forgotten

NOW = 1_000_000.0
LONG_AGO = NOW - PATIENCE - 1


def failed(run, parent=None, at=LONG_AGO, stays=False) -> Ended:
    return Ended(run, parent, at, stays)


def going_on(run, parent) -> Ended:
    return Ended(run, parent, None, stays=False)


def test_a_failed_run_that_nothing_goes_on_from_is_forgotten() -> None:
    assert forgotten([failed("root")], retries=5, now=NOW) == "root"
    assert forgotten([failed("root"), failed("second", "root")], retries=5, now=NOW) == "second"


def test_one_that_goes_on_is_not() -> None:
    assert forgotten([failed("root"), going_on("second", "root")], retries=5, now=NOW) is None


def test_one_that_never_began_costs_nothing_of_the_budget_and_one_that_did_does() -> None:
    group = [failed("root"), failed("second", "root")]
    assert forgotten(group, retries=1, now=NOW) is None
    assert forgotten([group[0], replace(group[1], began=False)], retries=1, now=NOW) == "second"


def test_one_that_never_begins_is_not_tried_for_ever() -> None:
    group = [replace(failed(f"{n}", f"{n - 1}" if n else None), began=False) for n in range(25)]
    assert forgotten(group, retries=5, now=NOW) == "24"
    assert forgotten([*group, replace(failed("25", "24"), began=False)], retries=5, now=NOW) is None


def test_the_budget_that_a_run_has_of_its_own_is_kept() -> None:
    first, second = failed("root"), replace(failed("second", "root"), most=1)
    assert forgotten([replace(first, most=1)], retries=5, now=NOW) == "root"
    assert forgotten([first, second], retries=5, now=NOW) is None
    assert forgotten([first, replace(second, most=None)], retries=5, now=NOW) == "second"


def test_what_somebody_else_goes_on_with_is_left_to_them() -> None:
    by_hand = going_on("by hand", "root")
    assert forgotten([failed("root"), failed("second", "root"), by_hand], retries=5, now=NOW) is None


def test_the_daemon_is_given_the_time_that_it_takes() -> None:
    assert forgotten([failed("root", at=NOW - PATIENCE + 1)], retries=5, now=NOW) is None


def test_what_failed_by_its_own_step_is_not_tried_again_on_the_same_rows() -> None:
    assert forgotten([failed("root", stays=True)], retries=5, now=NOW) is None
    lost_then_wrong = [failed("root"), failed("second", "root", stays=True)]
    assert forgotten(lost_then_wrong, retries=5, now=NOW) is None


def test_a_group_gets_as_many_retries_as_are_allowed() -> None:
    group = [failed("root"), failed("second", "root"), failed("third", "second")]
    assert forgotten(group, retries=3, now=NOW) == "third"
    assert forgotten(group, retries=2, now=NOW) is None
    assert forgotten([failed("root")], retries=0, now=NOW) is None


def test_what_did_not_fail_is_left_alone() -> None:
    assert forgotten([going_on("root", None)], retries=5, now=NOW) is None


@pytest.mark.parametrize(
    ("failure", "not_its_own"),
    [
        (
            "None: Step training failed health check: Discovered failed Kubernetes job dagster-step-1.",
            True,
        ),
        ("DagsterExecutionInterruptedError: ", True),
        ("DagsterExecutionStepExecutionError: Error occurred while executing op: no rows", False),
        ("Failure: 3 of 7 checks failed", False),
        ("DagsterError: writing\nOperationalError: server closed the connection unexpectedly", True),
        ("RequestLost: store s3://models: can't create a manifest", True),
        ("StoreError: store s3://models: access denied", False),
        ("DatabaseAway: the database can't be used: Connection refused", True),
        ("DatabaseError: the database can't be used: FATAL: no password", False),
        ("ProgrammingError: a worker has no lease any more", False),
    ],
)
def test_the_loss_of_its_pod_or_of_a_connection_is_not_a_steps_own_failure(failure, not_its_own) -> None:
    assert lost(failure) is not_its_own
