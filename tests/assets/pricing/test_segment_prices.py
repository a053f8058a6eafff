"""Prices follow the newest scores, one bad segment costs no other its price, and no rate jumps unseen."""

from datetime import timedelta
from typing import Any

import dagster as dg
import pytest

from credit_assets.pricing.page import NO_JUMP, ONE_SEGMENT
from credit_assets.pricing.record import ASSET

ALL = {"north", "south", "west"}
GREEN = dict.fromkeys(ALL, "MATERIALIZED")


def checks_of(result: dg.ExecuteInProcessResult) -> dict[str, bool]:
    return {each.check_name: each.passed for each in result.get_asset_check_evaluations()}


def failure_of(result: dg.ExecuteInProcessResult) -> str:
    (failed,) = [each for each in result.all_events if each.event_type is dg.DagsterEventType.STEP_FAILURE]
    return str(failed.step_failure_data.error)


def page_of(result: dg.ExecuteInProcessResult) -> dict[str, Any]:
    (page,) = result.asset_observations_for_node("segment_prices")
    table = page.metadata["segments"]
    assert isinstance(table, dg.TableMetadataValue)
    return {str(record.data["segment"]): record.data for record in table.records}


def test_prices_follow_new_scores_in_another_database_and_every_segment_is_recorded(market) -> None:
    market.score(0.1)
    first = market.run()
    assert first.success
    assert market.rates() == dict.fromkeys(ALL, 0.09)
    market.score(0.12, locations="north-1")
    second = market.run()
    assert second.success
    assert market.rates() == {"north": 0.095, "south": 0.09, "west": 0.09}
    assert market.status() == GREEN
    rows = market.execute(
        "SELECT scores, mean_probability, run, priced_at > oldest_score FROM prices WHERE rate > 0.09"
    )
    assert rows == [(20, pytest.approx(0.11), second.run_id, True)]
    assert (page_of(second)["north"]["rate"], page_of(second)["north"]["rate before"]) == ("9.50 %", "9.00 %")
    assert market.sandbox.execute("SELECT to_regclass('scores'), to_regclass('prices')") == [(None, None)]


def test_a_segment_without_enough_new_scores_fails_alone_and_keeps_its_price(market) -> None:
    market.score(0.1)
    assert market.run().success
    market.score(0.11)
    market.score(0.11, hours_ago=8, locations="south-%")
    market.score(0.11, locations="west-%", scores=4)
    result = market.run()
    assert not result.success
    assert market.rates() == {"north": 0.095, "south": 0.09, "west": 0.09}
    assert market.status() == {"north": "MATERIALIZED", "south": "FAILED", "west": "FAILED"}
    assert checks_of(result) == {NO_JUMP: True, ONE_SEGMENT: True}
    assert page_of(result)["south"]["what happened"].startswith("scores too old: 0 of 20 scores were written within 7")
    assert "west: it has 8 scores; expected at least 10 (pricing.minimum_scores)" in failure_of(result)
    market.score(0.11)
    assert market.run().success
    assert market.status() == GREEN


def test_a_jump_is_refused_until_a_person_accepts_it(market) -> None:
    market.score(0.1)
    assert market.run().success
    market.score(0.2, locations="south-%")
    for _ in range(2):
        refused = market.run()
        assert not refused.success
        assert checks_of(refused)[NO_JUMP] is False
        assert market.rates() == dict.fromkeys(ALL, 0.09)
        assert market.status() == GREEN | {"south": "FAILED"}
    assert market.run("north").success is False
    accepted = market.run("south")
    assert accepted.success
    assert checks_of(accepted)[NO_JUMP] is True
    assert market.rates() == {"north": 0.09, "south": 0.14, "west": 0.09}
    assert market.status() == GREEN
    assert market.run().success


def test_a_name_that_accepts_nothing_is_refused_and_nothing_is_published(market) -> None:
    market.score(0.1)
    result = market.run("suoth")
    assert not result.success
    assert "accept_jumps: this run prices no segment suoth" in failure_of(result)
    assert market.execute("SELECT to_regclass('prices')") == [(None,)]


def test_a_late_older_run_does_not_replace_a_newer_price_and_does_not_show_it_as_failed(market) -> None:
    market.score(0.1)
    assert market.run().success
    market.execute("UPDATE prices SET rate = 0.2, priced_at = now() + %s WHERE segment = 'west'", timedelta(hours=1))
    late = market.run()
    assert late.success
    assert market.rates() == {"north": 0.09, "south": 0.09, "west": 0.2}
    assert page_of(late)["west"]["what happened"] == "a run that read later scores has priced it"
    assert market.status() == GREEN


def test_a_person_can_price_any_segments_in_the_ui(market) -> None:
    market.score(0.1)
    market.instance.add_dynamic_partitions("segments", ["gone", "north", "south", "west"])
    assert market.run(start="north", end="south").success
    assert market.rates() == {"north": 0.09, "south": 0.09}
    assert market.status() == {"gone": "MISSING", "north": "MATERIALIZED", "south": "MATERIALIZED", "west": "MISSING"}
    result = market.run(start="gone", end="north")
    assert not result.success
    assert "no location has the segment 'gone'" in failure_of(result)
    assert market.status() == {"gone": "FAILED", "north": "MATERIALIZED", "south": "MATERIALIZED", "west": "MISSING"}


def test_a_location_without_a_segment_is_a_warning_and_delays_no_price(market) -> None:
    market.sandbox.execute("UPDATE locations SET segment = NULL WHERE location = 'west-2'")
    market.score(0.1)
    result = market.run()
    assert result.success
    assert checks_of(result) == {NO_JUMP: True, ONE_SEGMENT: False}
    assert dict(market.execute("SELECT segment, scores FROM prices"))["west"] == 10


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        ("DROP TABLE scores", "table scores is not in the database: no wave has written scores"),
        ("CREATE TABLE prices (segment text PRIMARY KEY, price numeric)", "table prices is not a table of prices: "),
    ],
)
def test_a_table_that_is_missing_or_another_one_is_named_and_left_alone(market, statement: str, expected: str) -> None:
    market.score(0.1)
    market.execute(statement)
    result = market.run()
    assert not result.success
    assert expected in failure_of(result)


def test_without_any_segment_the_run_says_which_column_is_empty(market) -> None:
    market.sandbox.execute("UPDATE locations SET segment = NULL")
    result = market.run()
    assert not result.success
    assert "no location of table locations has a segment in its column segment" in failure_of(result)
    assert market.instance.get_dynamic_partitions("segments") == []


def test_an_unchanged_rate_has_the_data_version_that_it_had(market) -> None:
    def version(segment: str) -> str:
        event = market.instance.fetch_materializations(
            dg.AssetRecordsFilter(asset_key=ASSET, asset_partitions=[segment]), limit=1
        ).records[0]
        return event.asset_materialization.tags["dagster/data_version"]

    market.score(0.1)
    assert market.run().success
    before = {segment: version(segment) for segment in ALL}
    market.score(0.11, locations="north-%")
    assert market.run().success
    after = {segment: version(segment) for segment in ALL}
    assert {segment for segment in ALL if before[segment] != after[segment]} == {"north"}
