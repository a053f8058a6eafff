"""A retry that was promised and never comes leaves an old model in use; one that comes twice does the work twice."""

from dataclasses import replace

from resources.history.attempt import Attempt
from resources.history.retry_rule import DAEMON_SECONDS, NEVER_BEGAN, find_missing_retry

NOW = 1_000_000.0
LONG_AGO = NOW - DAEMON_SECONDS - 1


def failed(run: str, parent: str | None = None, at: float = LONG_AGO) -> Attempt:
    return Attempt(run, "root", parent, ended=True, failed=at, began=True)


def under_way(run: str, parent: str | None) -> Attempt:
    return Attempt(run, "root", parent, began=True)


def test_a_failed_run_that_no_run_retries_is_found() -> None:
    assert find_missing_retry([failed("root")], max_retries=5, now=NOW) == "root"
    assert find_missing_retry([failed("root"), failed("second", "root")], max_retries=5, now=NOW) == "second"


def test_a_run_whose_retry_is_under_way_is_left_alone() -> None:
    assert find_missing_retry([failed("root"), under_way("second", "root")], max_retries=5, now=NOW) is None


def test_a_run_that_never_began_costs_no_retry_and_one_that_began_does() -> None:
    group = [failed("root"), failed("second", "root")]
    assert find_missing_retry(group, max_retries=1, now=NOW) is None
    assert find_missing_retry([group[0], replace(group[1], began=False)], max_retries=1, now=NOW) == "second"


def test_a_run_that_never_begins_is_not_retried_for_ever() -> None:
    most = 5 + NEVER_BEGAN
    group = [replace(failed(f"{n}", f"{n - 1}" if n else None), began=False) for n in range(most)]
    assert find_missing_retry(group, max_retries=5, now=NOW) == f"{most - 1}"
    one_more = replace(failed(f"{most}", f"{most - 1}"), began=False)
    assert find_missing_retry([*group, one_more], max_retries=5, now=NOW) is None


def test_a_limit_of_the_run_s_own_takes_the_place_of_the_instance_s() -> None:
    first, second = failed("root"), replace(failed("second", "root"), max_retries=1)
    assert find_missing_retry([replace(first, max_retries=0)], max_retries=5, now=NOW) is None
    assert find_missing_retry([replace(first, max_retries=1)], max_retries=5, now=NOW) == "root"
    assert find_missing_retry([first, second], max_retries=5, now=NOW) is None
    assert find_missing_retry([first, replace(second, max_retries=2)], max_retries=0, now=NOW) == "second"
    assert find_missing_retry([first, replace(second, max_retries=None)], max_retries=5, now=NOW) == "second"


def test_a_group_in_which_a_person_started_a_run_is_left_to_that_person() -> None:
    by_hand = under_way("by hand", "root")
    assert find_missing_retry([failed("root"), failed("second", "root"), by_hand], max_retries=5, now=NOW) is None


def test_dagster_s_daemon_has_half_a_minute_and_none_once_it_has_decided_against_a_retry() -> None:
    just_now = failed("root", at=NOW - DAEMON_SECONDS + 1)
    assert find_missing_retry([just_now], max_retries=5, now=NOW) is None
    assert find_missing_retry([replace(just_now, will_retry=True)], max_retries=5, now=NOW) is None
    assert find_missing_retry([replace(just_now, will_retry=False)], max_retries=5, now=NOW) == "root"


def test_a_run_whose_own_step_failed_is_not_tried_again_on_the_same_rows() -> None:
    by_itself = replace(failed("root"), own_step_failed=True)
    assert find_missing_retry([by_itself], max_retries=5, now=NOW) is None
    lost_then_wrong = [failed("root"), replace(by_itself, run="second", parent="root")]
    assert find_missing_retry(lost_then_wrong, max_retries=5, now=NOW) is None


def test_a_run_that_a_script_executed_can_t_be_launched_again() -> None:
    assert find_missing_retry([replace(failed("root"), relaunchable=False)], max_retries=5, now=NOW) is None


def test_a_group_gets_as_many_retries_as_are_allowed() -> None:
    group = [failed("root"), failed("second", "root"), failed("third", "second")]
    assert find_missing_retry(group, max_retries=3, now=NOW) == "third"
    assert find_missing_retry(group, max_retries=2, now=NOW) is None
    assert find_missing_retry([failed("root")], max_retries=0, now=NOW) is None


def test_a_run_that_did_not_fail_is_left_alone() -> None:
    assert find_missing_retry([under_way("root", None)], max_retries=5, now=NOW) is None
    assert find_missing_retry([Attempt("root", "root", ended=True)], max_retries=5, now=NOW) is None
