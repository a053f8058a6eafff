"""Two waves at once would show a location with the scores of the one and store those of the other.

A re-execution that ends green without having scored anything would be believed.
"""

from typing import Any

import dagster as dg
import pytest

from credit_assets.jobs import SCORE_LOCATIONS
from credit_assets.waves import wave_run
from credit_assets.waves.page import RESCORE
from credit_assets.waves.runs.attempts import find_wave, list_attempts
from credit_assets.waves.runs.exclusion import TAG, WaveUnderWay, claim_wave, find_wave_under_way
from resources.history.tags import BACKFILL, ROOT
from tests.assets.waves.conftest import Waves


def add_wave(
    instance: dg.DagsterInstance,
    table: str | None = None,
    parent: dg.DagsterRun | None = None,
    status: dg.DagsterRunStatus = dg.DagsterRunStatus.STARTED,
) -> dg.DagsterRun:
    """A run that scores. It has claimed the waves of a table if one is given, and repeats another run if one is."""
    root = (parent.root_run_id or parent.run_id) if parent else None
    return instance.add_run(
        dg.DagsterRun(
            job_name=SCORE_LOCATIONS,
            tags=({TAG: table} if table else {}) | ({ROOT: root} if root else {}),
            status=status,
            root_run_id=root,
            parent_run_id=parent.run_id if parent else None,
        )
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
    retry = add_wave(empty_instance, "loans", parent=root)
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


def test_a_selection_of_locations_is_refused_while_a_wave_or_another_selection_is_under_way(waves: Waves) -> None:
    assert waves.run().success
    scored = sorted(waves.sandbox.execute("SELECT * FROM scores"))
    other = add_wave(waves.instance, "loans")
    refused = waves.select("branch-0002", "branch-0003")
    waves.instance.delete_run(other.run_id)
    assert f"the wave of run {other.run_id} is under way" in waves.find_reason(refused)
    assert sorted(waves.sandbox.execute("SELECT * FROM scores")) == scored
    assert waves.run(RESCORE).success, "what was refused can be scored again"
    assert waves.status()[1] == set()


def test_a_wave_that_is_asked_for_while_a_selection_is_under_way_is_refused(
    waves: Waves, monkeypatch: pytest.MonkeyPatch
) -> None:
    read, results = wave_run.read_applications, []

    def ask_for_a_wave(cursor: Any, settings: Any, locations: Any, as_of: Any) -> Any:
        results.append(waves.run())
        return read(cursor, settings, locations, as_of)

    monkeypatch.setattr(wave_run, "read_applications", ask_for_a_wave)
    selected = waves.select("branch-0002", "branch-0003")
    assert selected.success
    (refused,) = results
    assert f"the wave of run {selected.run_id} is under way" in waves.find_reason(refused)
    assert waves.sandbox.execute("SELECT DISTINCT wave FROM scores") == [(selected.run_id,)]


def test_the_runs_of_one_backfill_do_not_refuse_each_other_and_those_of_two_do(
    empty_instance: dg.DagsterInstance,
) -> None:
    def begin(backfill: str) -> None:
        claim_wave(empty_instance, empty_instance.add_run(dg.DagsterRun("j", tags={BACKFILL: backfill})), "loans")

    begin("one")
    begin("one")
    with pytest.raises(WaveUnderWay):
        begin("two")


def test_a_re_execution_of_a_wave_that_succeeded_scores_again_as_a_wave_of_its_own(waves: Waves) -> None:
    first = waves.run()
    assert first.success
    again = waves.retry(first.run_id)
    assert again.success
    assert waves.sandbox.execute("SELECT DISTINCT wave FROM scores") == [(again.run_id,)]
    assert len(waves.recorded(again.run_id)) == len(waves.recorded(first.run_id)) == 12
    changed = waves.retry(again.run_id, config={"ops": {"wave": {"config": {"locations": ["branch-0001"]}}}})
    assert changed.success
    assert [each.get_dagster_event().partition for each in waves.recorded(changed.run_id)] == ["branch-0001"]
    assert waves.status()[0] == set(waves.applications())


def test_a_retry_belongs_to_the_wave_that_a_re_execution_began_and_not_to_the_one_before(
    empty_instance: dg.DagsterInstance,
) -> None:
    lost = add_wave(empty_instance, status=dg.DagsterRunStatus.FAILURE)
    retry = add_wave(empty_instance, parent=lost, status=dg.DagsterRunStatus.SUCCESS)
    repeated = add_wave(empty_instance, parent=retry, status=dg.DagsterRunStatus.FAILURE)
    last = add_wave(empty_instance, parent=repeated)
    assert set(list_attempts(empty_instance, retry)) == {lost.run_id, retry.run_id}
    assert find_wave(empty_instance, last) == repeated.run_id
    assert set(list_attempts(empty_instance, last)) == {repeated.run_id, last.run_id}
