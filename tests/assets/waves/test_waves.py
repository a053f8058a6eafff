"""A wave scores every location once, records each one, and a location that fails costs no other anything."""

import threading
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import dagster as dg

from credit_assets.waves import wave_run
from credit_assets.waves.page import RESCORE
from credit_assets.waves.record import CODE_VERSION


def page_of(result) -> dict:
    (event,) = [
        each
        for each in result.get_asset_materialization_events()
        if each.materialization.asset_key == dg.AssetKey("wave")
    ]
    tables = event.materialization.metadata
    return {name: getattr(value, "records", None) or value.value for name, value in tables.items()}


def test_a_wave_scores_every_open_application_once_and_records_every_location(waves) -> None:
    result = waves.run()
    assert result.success
    expected = waves.applications()
    assert waves.scores() == expected
    materialized, failed, in_progress = waves.status()
    assert (materialized, failed, in_progress) == (set(expected), set(), set())
    made = [record.asset_materialization for record in waves.recorded(result.run_id)]
    assert sorted(each.partition for each in made) == sorted(expected)
    assert {each.tags["dagster/code_version"] for each in made} == {CODE_VERSION}
    page = page_of(result)
    assert (page["scored"], page["failed"], page["waiting"]) == (12, 0, 0)
    assert page["applications"] == sum(expected.values())


def test_the_second_chunk_is_read_and_scored_beside_the_commit_of_the_first(waves, monkeypatch) -> None:
    columns = waves.sandbox.execute(
        "SELECT string_agg(quote_ident(column_name), ', ') FROM information_schema.columns "
        "WHERE table_name = 'applications' AND column_name <> 'id'"
    )[0][0]
    # Two locations that do not fit into one chunk.
    waves.sandbox.execute(
        f"INSERT INTO applications (id, {columns}) SELECT 1000000 + row_number() OVER (), {columns} "
        "FROM applications, generate_series(1, 200) WHERE location IN ('branch-0001', 'branch-0002')"
    )
    read, threads, times = wave_run.read_applications, list[tuple[str, ...]](), set[datetime]()

    def read_and_note(cursor, settings, locations, as_of) -> Any:
        threads.append((threading.current_thread().name.partition("_")[0], *locations))
        times.add(as_of)
        return read(cursor, settings, locations, as_of)

    monkeypatch.setattr(wave_run, "read_applications", read_and_note)
    assert waves.run(locations=["branch-0001", "branch-0002"]).success
    assert threads == [("MainThread", "branch-0001"), ("next chunk", "branch-0002")]
    ((began,),) = waves.sandbox.execute("SELECT DISTINCT wave_began FROM scores")
    assert times == {began}, "the ages of one wave are of several times"
    expected = waves.applications()
    assert waves.scores() == {each: expected[each] for each in ("branch-0001", "branch-0002")}


def test_each_score_names_the_model_the_wave_and_the_time(waves) -> None:
    result = waves.run()
    rows = waves.sandbox.execute(
        "SELECT DISTINCT model_number, length(model_sha256), wave, scored_at >= wave_began FROM scores"
    )
    assert rows == [(1, 64, result.run_id, True)]


def test_a_location_with_bad_rows_fails_alone_and_is_shown_as_failed(waves, break_location) -> None:
    break_location("branch-0003")
    result = waves.run()
    assert not result.success
    materialized, failed, in_progress = waves.status()
    assert failed == {"branch-0003"}
    assert len(materialized) == 11
    assert not in_progress
    assert "branch-0003" not in waves.scores()
    page = page_of(result)
    assert (page["scored"], page["failed"]) == (11, 1)
    (row,) = page["failed locations"]
    assert row.data["location"] == "branch-0003"
    assert "income" in row.data["what happened"]


def test_a_failed_location_has_a_stored_log_that_the_page_and_the_report_name(waves, break_location) -> None:
    break_location("branch-0003")
    result = waves.run(locations=["branch-0002", "branch-0003", "nowhere"])
    rows = {row.data["location"]: row.data["log"] for row in page_of(result)["failed locations"]}
    assert set(rows) == {"branch-0003", "nowhere"}
    texts = {location: Path(urlsplit(address).path).read_text() for location, address in rows.items()}
    assert "cause: rows break the schema" in texts["branch-0003"]
    assert f"wave: {result.run_id}" in texts["branch-0003"]
    assert "1. 20" in texts["branch-0003"]
    assert "2 locations together: failed for this location: rows break the schema" in texts["branch-0003"]
    assert "done" not in texts["branch-0003"]
    assert "cause: unknown location" in texts["nowhere"]
    (report,) = Path(waves.sandbox.store).glob(f"wave/{result.run_id}/*/*.txt")
    assert all(address in report.read_text() for address in rows.values())


def test_the_job_rescore_repeats_the_failed_locations_and_no_other(waves, break_location) -> None:
    break_location("branch-0003")
    break_location("branch-0009")
    first = waves.run()
    assert not first.success
    waves.sandbox.execute("UPDATE applications SET income = 1000 WHERE income IS NULL")
    again = waves.run(RESCORE)
    assert again.success
    assert page_of(again)["scored"] == 2
    assert waves.status()[0] == set(waves.applications())
    by_wave = dict(waves.sandbox.execute("SELECT wave, count(DISTINCT location) FROM scores GROUP BY wave"))
    assert by_wave == {first.run_id: 10, again.run_id: 2}
    nothing = waves.run(RESCORE)
    assert not nothing.success


def test_a_wave_of_named_locations_does_not_make_rescore_forget_those_that_failed_before(waves, break_location) -> None:
    break_location("branch-0003")
    assert not waves.run().success
    assert waves.run(locations=["branch-0001"]).success
    waves.sandbox.execute("UPDATE applications SET income = 1000 WHERE income IS NULL")
    again = waves.run(RESCORE)
    assert again.success
    assert page_of(again)["scored"] == 1
    assert "branch-0003" in waves.scores()


def test_rescore_repeats_failures_although_the_wave_was_wiped_from_dagster(waves, break_location) -> None:
    break_location("branch-0003")
    assert not waves.run().success
    waves.instance.wipe_assets([dg.AssetKey("wave")])
    waves.sandbox.execute("UPDATE applications SET income = 1000 WHERE income IS NULL")
    assert waves.run(RESCORE).success
    assert waves.scores() == waves.applications()


def test_a_wave_of_unknown_names_only_is_red_names_them_and_scores_nothing(waves) -> None:
    result = waves.run(locations=["nowhere", "elsewhere"])
    assert not result.success
    assert {row.data["location"] for row in page_of(result)["failed locations"]} == {"nowhere", "elsewhere"}
    assert waves.scores() == {}
    assert waves.status() == (set(), set(), set())
    assert "Dagster shows no location as failed" in waves.find_reason(waves.run(RESCORE))


def test_scattered_locations_are_scored_in_one_run_and_an_unknown_name_is_reported(waves) -> None:
    result = waves.run(RESCORE, locations=["branch-0002", "branch-0011", "nowhere"], only_failed=False)
    assert not result.success
    assert set(waves.scores()) == {"branch-0002", "branch-0011"}
    (row,) = page_of(result)["failed locations"]
    assert (row.data["location"], row.data["cause"]) == ("nowhere", "unknown location")
    observations = waves.instance.fetch_observations(dg.AssetKey("location_scores"), limit=10).records
    assert "2 of 2 locations committed" in {each.asset_observation.description for each in observations}


def test_a_re_execution_with_another_choice_of_locations_is_refused(waves, break_location) -> None:
    break_location("branch-0003")
    first = waves.run()
    changed = waves.retry(first.run_id, config={"ops": {"wave": {"config": {"locations": ["branch-0001"]}}}})
    assert "was planned with another config (locations)" in waves.find_reason(changed)


def test_a_retry_records_no_location_twice_and_its_page_is_the_last_one(waves, break_location) -> None:
    break_location("branch-0003")
    first = waves.run()
    retry = waves.retry(first.run_id)
    assert not retry.success
    assert waves.instance.get_latest_materialization_event(dg.AssetKey("wave")).run_id == retry.run_id
    events = waves.instance.fetch_materializations(
        dg.AssetRecordsFilter(asset_key=dg.AssetKey("location_scores"), asset_partitions=["branch-0001"]), limit=10
    )
    assert [record.run_id for record in events.records] == [first.run_id]


def test_a_person_can_materialize_a_range_of_locations_in_the_ui_and_one_that_fails_is_shown(
    waves, break_location
) -> None:
    result = waves.select("branch-0002", "branch-0004")
    assert result.success
    assert set(waves.scores()) == {"branch-0002", "branch-0003", "branch-0004"}
    assert waves.status()[0] == {"branch-0002", "branch-0003", "branch-0004"}
    break_location("branch-0003")
    failed = waves.select("branch-0002", "branch-0004")
    assert "1 of 3 locations failed" in waves.find_reason(failed)
    assert waves.status() == ({"branch-0002", "branch-0004"}, {"branch-0003"}, set())
    waves.sandbox.execute("UPDATE applications SET income = 1000 WHERE income IS NULL")
    assert waves.run(RESCORE).success, "rescore repeats what failed in a selection too"
    assert waves.status()[0] == {"branch-0002", "branch-0003", "branch-0004"}
