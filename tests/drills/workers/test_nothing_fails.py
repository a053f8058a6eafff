"""Drill 1. Nothing fails. If an undisturbed run does not work, the other drills prove nothing.

Runs are requested by the button of the UI, by the schedule and by the sensor, each for its own reason only. They run on
the nodes and with the rights that they should have, and their output outlives their pods.
"""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from resources.services.webserver import Webserver
from sensors.schedules.refresh_schedule import find_next_refresh_day
from tests.drills.support.adapter import Nodes
from tests.drills.support.cluster import SPOT
from tests.drills.support.platform import Platform
from tests.drills.support.schedules import evaluate_schedule

ASSETS = {"loan_dataset", "test_split", "trained_model", "model_metrics"}


def test_everything_is_materialized_by_the_button_in_the_ui(platform) -> None:
    run = platform.launch("__ASSET_JOB", sorted(ASSETS))
    assert platform.webserver.wait_for_run(run, 300) == "SUCCESS"
    assert platform.read_digests(run).keys() == ASSETS
    for step in ("loan_dataset", "training", "model_metrics"):
        assert len(platform.read_step_starts(run, step)) == 1, step
    assert platform.find_retry(run) is None
    record = platform.webserver.read_run(run)
    (first,) = platform.read_step_starts(run, "loan_dataset")
    platform.record(
        fault="nothing",
        request_to_first_step=round(first - record["creationTime"], 2),
        request_to_success=round(record["endTime"] - record["creationTime"], 2),
        steps_run_twice=0,
        published_twice=0,
    )


@pytest.fixture(scope="module")
def refreshed(address) -> tuple[str, dict[str, Any]]:
    """A refresh that has succeeded, and its pod, which was there meanwhile: what two tests ask about."""
    platform = Platform(Webserver(address), Nodes(), lambda **_: None)
    platform.webserver.wait_for_location(120)
    run = platform.launch("refresh")
    pod = platform.wait_until("the run has a pod on a node", lambda: platform.find_placed_pod(run), 120)
    assert platform.webserver.wait_for_run(run, 300) == "SUCCESS"
    return run, pod


def test_a_run_has_a_spot_node_to_run_on_and_no_right_to_the_api(platform, refreshed) -> None:
    _, pod = refreshed
    node = json.loads(platform.kubectl("get", "node", pod["spec"]["nodeName"], "-o", "json"))
    label, _, value = SPOT.partition("=")
    assert node["metadata"]["labels"].get(label) == value
    mounts = [mount["mountPath"] for mount in pod["spec"]["containers"][0]["volumeMounts"]]
    assert not any("serviceaccount" in path for path in mounts)
    assert pod["spec"]["serviceAccountName"].endswith("-run")


def test_the_text_that_a_run_printed_is_read_after_its_pod_is_gone(platform, refreshed) -> None:
    run, _ = refreshed
    platform.kubectl("delete", "job", f"dagster-run-{run}", "--wait")
    platform.wait_until("the pod is gone", lambda: platform.find_pod(run) is None, 150)
    assert 'Finished execution of step "model_metrics"' in platform.read_output(run)


def test_the_schedule_asks_for_a_run_on_a_refresh_day_and_not_on_the_next(platform) -> None:
    day = find_next_refresh_day(datetime.now(UTC).date())
    midnight = datetime(day.year, day.month, day.day, tzinfo=UTC)
    due = evaluate_schedule(platform.webserver, "refresh_schedule", midnight)
    assert [each["runKey"] for each in due["runRequests"]] == [f"refresh-{day}"]
    after = evaluate_schedule(platform.webserver, "refresh_schedule", midnight + timedelta(days=1))
    assert not after["runRequests"]
    assert "not a refresh day" in after["skipReason"]


@pytest.fixture
def earlier(platform) -> list[str]:
    """The runs that the sensor requested before."""
    return platform.find_runs("dagster/sensor_name", "new_loans")


@pytest.fixture
def arrived(platform, earlier) -> Iterator[None]:
    """Adds 3,000 loans, and deletes them at the end."""
    digest = "SELECT md5(string_agg(loans::text, ',' ORDER BY id)) FROM loans"
    before, newest = platform.run_sql(digest, "lending"), platform.run_sql("SELECT max(id) FROM loans", "lending")
    platform.run_sql(
        "INSERT INTO loans (loan_amount, income, credit_score, age, loan_term, default_status, created_at) "
        "SELECT loan_amount, income, credit_score, age, loan_term, default_status, now() FROM loans LIMIT 3000",
        "lending",
    )
    assert platform.run_sql(digest, "lending") != before
    yield
    platform.run_sql(f"DELETE FROM loans WHERE id > {newest}", "lending")
    assert platform.run_sql(digest, "lending") == before, "the loans are not the same as before"


def test_loans_that_arrived_are_noticed_by_the_sensor_and_asked_for_once(platform, earlier, arrived) -> None:
    def find_requested() -> list[str]:
        return [run for run in platform.find_runs("dagster/sensor_name", "new_loans") if run not in earlier]

    (run,) = platform.wait_until("the sensor requested a run", find_requested, 120)
    platform.runs.append(run)
    assert platform.webserver.wait_for_run(run, 300) == "SUCCESS"
    assert find_requested() == [run], "the same loans caused another run"
