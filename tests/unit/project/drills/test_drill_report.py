"""The drills' table is what a reader believes: a median of several rounds must not pass for one measurement."""

from tests.drills.support.report import COLUMNS, make_table

HEAD = " | ".join(("fault", *COLUMNS))


def test_a_fault_that_was_measured_once_is_shown_as_measured_and_the_rest_left_open() -> None:
    assert make_table([{"fault": "reclaim", "detected_after": 0.5, "steps_run_twice": 0}]) == [
        HEAD,
        "reclaim | 0.5 | – | – | 0 | –",
    ]


def test_rounds_of_a_fault_are_one_row_with_their_median_and_the_worst() -> None:
    lines = [{"fault": "power loss", "detected_after": seconds} for seconds in (50.0, 64.5, 52.1)]
    _, row = make_table([*lines, {"fault": "reclaim", "detected_after": 0.5}])[:2]
    assert row.startswith("power loss | 52.1 (worst of 3: 64.5) | – |")


def test_what_only_one_drill_measures_is_a_column_of_its_own() -> None:
    head, reclaim, loss = make_table([{"fault": "reclaim", "work_lost": 5.0}, {"fault": "power loss", "log_lost": 3.5}])
    assert head == f"{HEAD} | log_lost"
    assert reclaim.endswith("| –")
    assert loss.endswith("| 3.5")


def test_a_session_without_a_measurement_has_no_row() -> None:
    assert make_table([]) == [HEAD]
