"""The page of a wave names failures while it works, and does not grow with the number of its chunks."""

from functools import partial

import dagster as dg

from credit_assets.waves.failures import page_under_way
from credit_assets.waves.plans.chunks import choose_chunk
from credit_assets.waves.services import readiness
from resources.history.facts import ANNOUNCED_PLACE, ITEMS_COMMITTED


def list_observed(result: dg.ExecuteInProcessResult, asset: str) -> list[set[str]]:
    """Names of the metadata of each observation of an asset."""
    events = [each for each in result.all_events if each.event_type is dg.DagsterEventType.ASSET_OBSERVATION]
    return [
        set(each.asset_observation_data.asset_observation.metadata)
        for each in events
        if each.asset_key == dg.AssetKey(asset)
    ]


def test_chunks_leave_nothing_on_the_page_of_the_wave_because_dagster_loads_a_week_of_it(waves) -> None:
    result = waves.run()
    assert result.success
    (report,) = list_observed(result, "wave")
    assert ANNOUNCED_PLACE in report
    announced, counted = list_observed(result, "location_scores")
    assert ANNOUNCED_PLACE in announced
    assert ITEMS_COMMITTED in counted


def test_the_page_of_a_wave_under_way_names_a_failed_location_before_the_wave_ends(waves, break_location) -> None:
    break_location("branch-0003")
    waves.run()
    records = waves.instance.fetch_observations(dg.AssetKey("wave"), limit=10).records
    pages = [
        record.asset_observation.metadata
        for record in records
        if "failed locations" in record.asset_observation.metadata
    ]
    (page,) = pages
    assert [row.data["location"] for row in page["failed locations"].value.records] == ["branch-0003"]
    waves.reset()
    assert waves.run().success
    records = waves.instance.fetch_observations(dg.AssetKey("wave"), limit=10).records
    assert not any("failed locations" in record.asset_observation.metadata for record in records)


def test_a_failure_is_on_one_observation_of_a_wave_under_way_and_every_one_is_in_the_report(
    waves, break_location, monkeypatch
) -> None:
    monkeypatch.setattr(page_under_way, "FAILURE_SECONDS", 0.0)
    monkeypatch.setattr(page_under_way, "PROGRESS_SECONDS", 0.0)
    monkeypatch.setattr(readiness, "choose_chunk", partial(choose_chunk, most_locations=3))
    break_location("branch-0003")
    result = waves.run(locations=["nowhere", *waves.applications()])
    observed = waves.instance.fetch_observations(dg.AssetKey("wave"), limit=10).records
    tables = [each.asset_observation.metadata.get("failed locations") for each in observed]
    assert sum(each is not None for each in tables) > 2, "a page for each chunk"
    named = [row.data["location"] for each in tables if hasattr(each, "records") for row in each.value.records]
    assert sorted(named) == ["branch-0003", "nowhere"]
    (report,) = [each for each in result.get_asset_materialization_events() if each.asset_key == dg.AssetKey("wave")]
    table = report.materialization.metadata["failed locations"].value
    assert {row.data["location"] for row in table.records} == {"branch-0003", "nowhere"}
