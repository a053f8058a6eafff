"""Two waves at once would show a location with the scores of the one and store those of the other.

A wave that is repeated after its end must not look like a new one.
"""

import dagster as dg
import pytest

from credit_assets.jobs import SCORE_LOCATIONS
from credit_assets.waves.exclusion import TAG, WaveUnderWay, claim_wave, find_wave_under_way
from resources.history.tags import ROOT
from tests.assets.waves.conftest import Waves

STARTED = dg.DagsterRunStatus.STARTED


def add_wave(instance: dg.DagsterInstance, table: str | None = None, retried: str | None = None) -> dg.DagsterRun:
    """A run that scores. It has claimed the waves of a table if one is given, and retries another run if one is."""
    tags = ({TAG: table} if table else {}) | ({ROOT: retried} if retried else {})
    return instance.add_run(
        dg.DagsterRun(job_name=SCORE_LOCATIONS, tags=tags, status=STARTED, root_run_id=retried, parent_run_id=retried)
    )


def test_a_wave_that_waited_in_the_queue_does_not_join_one_that_began_meanwhile(
    empty_instance: dg.DagsterInstance,
) -> None:
    requested_first, requested_later = add_wave(empty_instance), add_wave(empty_instance)
    claim_wave(empty_instance, requested_later, "loans")
    with pytest.raises(WaveUnderWay, match=requested_later.run_id):
        claim_wave(empty_instance, requested_first, "loans")


def test_a_retry_is_not_refused_because_of_its_own_wave(empty_instance: dg.DagsterInstance) -> None:
    root = add_wave(empty_instance, "loans")
    retry = add_wave(empty_instance, "loans", retried=root.run_id)
    claim_wave(empty_instance, retry, "loans")


def test_a_wave_of_another_table_or_one_that_has_ended_refuses_nobody(empty_instance: dg.DagsterInstance) -> None:
    add_wave(empty_instance, "other_loans")
    ended = add_wave(empty_instance, "loans")
    assert find_wave_under_way(empty_instance, "loans") == ended.run_id
    empty_instance.report_run_failed(ended)
    assert find_wave_under_way(empty_instance, "loans") is None
    claim_wave(empty_instance, add_wave(empty_instance), "loans")


def test_a_wave_is_refused_while_another_is_under_way(waves: Waves) -> None:
    other = add_wave(waves.instance, "loans")
    result = waves.run()
    waves.instance.delete_run(other.run_id)
    assert f"the wave of run {other.run_id} is under way" in waves.find_reason(result)
    assert waves.run().success


def test_a_wave_that_succeeded_is_not_repeated_as_if_it_had_scored_again(waves: Waves) -> None:
    first = waves.run()
    assert first.success
    assert "has ended with success, and a re-execution of it scores nothing" in waves.find_reason(
        waves.retry(first.run_id)
    )
    assert waves.sandbox.latest("wave") == first.run_id
    assert waves.run().success
