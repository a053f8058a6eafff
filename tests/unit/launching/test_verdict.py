"""A wrong verdict fails a healthy run and starts its retry beside it, or lets a run wait for a dead worker."""

from itertools import product

import pytest

from resources.launching.verdict import Facts, JobState, Verdict, is_untaken_too_long, judge

ALIVE, SILENT, LOST, CRASHED = Verdict.ALIVE, Verdict.SILENT, Verdict.LOST, Verdict.CRASHED
UNKNOWN, ACTIVE, ENDED, GONE = JobState.UNKNOWN, JobState.ACTIVE, JobState.ENDED, JobState.GONE


@pytest.mark.parametrize(
    ("silent_seconds", "job", "expected"),
    [
        # Nobody holds the lease: no worker has begun yet, or it has ended without being asked to.
        (None, UNKNOWN, SILENT),
        (None, ACTIVE, ALIVE),
        (None, ENDED, CRASHED),
        (None, GONE, LOST),
        # The lease was renewed since the last check: whatever Kubernetes says, the worker lives.
        (0.0, UNKNOWN, ALIVE),
        (0.0, ENDED, ALIVE),
        (1.49, GONE, ALIVE),
        # The lease is silent, for less than its seconds.
        (1.5, UNKNOWN, SILENT),
        (1.5, ACTIVE, SILENT),
        (1.5, ENDED, LOST),
        (1.5, GONE, LOST),
        (7.99, UNKNOWN, SILENT),
        (7.99, ACTIVE, SILENT),
        # For longer: given up, also if Kubernetes has not noticed yet.
        (8.0, UNKNOWN, LOST),
        (8.0, ACTIVE, LOST),
        (8.0, ENDED, LOST),
        (60.0, GONE, LOST),
    ],
)
def test_lease_and_job_together_say_what_became_of_a_worker(silent_seconds, job, expected) -> None:
    assert judge(Facts(8, 3, silent_seconds, job=job)) is expected


@pytest.mark.parametrize("silent_seconds", [1.5, 8.0])
def test_a_pod_that_the_kernel_killed_for_its_memory_crashed_although_its_lease_is_still_there(silent_seconds) -> None:
    assert judge(Facts(8, 3, silent_seconds, job=ENDED, out_of_memory=True)) is CRASHED
    assert judge(Facts(8, 3, 0.0, job=ENDED, out_of_memory=True)) is ALIVE, "another pod of the run renews"


def test_a_run_that_ended_while_its_job_was_asked_about_has_not_crashed() -> None:
    assert judge(Facts(8, 3, None, job=ENDED, run_moved_on=True)) is ALIVE
    assert judge(Facts(8, 3, 8.0, job=ENDED, run_moved_on=True)) is LOST, "its lease is still to be fenced"


def test_no_worker_is_given_up_before_its_lease_is_silent_or_kubernetes_says_so() -> None:
    for seconds, job in product((None, 0.0, 1.5, 7.99), (UNKNOWN, ACTIVE)):
        assert judge(Facts(8, 3, seconds, job=job)) in (ALIVE, SILENT)


@pytest.mark.parametrize(("silent_seconds", "expected"), [(None, ALIVE), (0.0, ALIVE), (2.99, SILENT), (3.0, LOST)])
def test_a_holder_that_can_not_be_reached_either_is_given_up_sooner(silent_seconds, expected) -> None:
    assert judge(Facts(8, 3, silent_seconds, is_unreachable=True, job=ACTIVE)) is expected


@pytest.mark.parametrize(
    ("seconds", "again", "expected"),
    [(0.0, False, False), (7.99, False, False), (8.0, False, True), (8.0, True, False), (30.0, True, True)],
)
def test_a_pod_that_its_node_does_not_take_is_given_up_sooner_the_first_time(seconds, again, expected) -> None:
    assert is_untaken_too_long(seconds, again=again) is expected


def test_a_silent_holder_that_can_be_reached_has_all_the_time_of_its_lease() -> None:
    assert judge(Facts(8, 3, 7.99, is_unreachable=False, job=ACTIVE)) is SILENT
