"""A jump that nobody sees is accepted by nobody, and a run that hides a failed segment fails green."""

from datetime import UTC, datetime

import dagster as dg
import pytest

from credit_assets.pricing.decisions import JUMP, TOO_FEW, Priced, Superseded, Unpriced
from credit_assets.pricing.page import NO_JUMP, ONE_SEGMENT, describe_pricing, fail_if_unpriced, judge_pricing
from resources.history.facts import CAUSES

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
PRICED = Priced("north", 0.09, 0.08, 1_200, 0.1, NOON)
JUMPED = Unpriced("south", JUMP, "from 8.00 % to 14.00 %", 0.08, 0.14)
LACKING = Unpriced("east", TOO_FEW, "it has 2 scores")


def test_the_page_has_a_row_for_each_segment_and_those_that_failed_first() -> None:
    page = describe_pricing([PRICED, Superseded("west", 0.07), JUMPED, LACKING], NOON)
    assert [page[name] for name in ("priced", "not priced", "priced later by another run")] == [1, 2, 1]
    rows = [record.data for record in page["segments"].records]
    assert [row["segment"] for row in rows] == ["south", "east", "north", "west"]
    assert (rows[0]["rate"], rows[0]["what happened"]) == ("8.00 %", "rate jumps: from 8.00 % to 14.00 %")
    assert rows[1]["rate"] == ""
    assert (rows[2]["rate"], rows[2]["rate before"], rows[2]["scores"]) == ("9.00 %", "8.00 %", "1,200")


def test_the_check_of_jumps_fails_by_a_jump_and_by_nothing_else() -> None:
    failed, _ = judge_pricing([PRICED, JUMPED], [])
    assert (failed.check, failed.passed, failed.blocking) == (NO_JUMP, False, False)
    assert "south: from 8.00 % to 14.00 %" in failed.message
    accepted = Priced("south", 0.14, 0.08, 1_200, 0.1, NOON, is_accepted_jump=True)
    passed, _ = judge_pricing([accepted, LACKING], [])
    assert passed.passed
    assert dict(passed.facts) == {"jumps": 0, "accepted": 1}


def test_locations_without_a_segment_are_a_warning() -> None:
    _, warned = judge_pricing([PRICED], ["a", "b", "c", "d", "e"])
    assert "5 locations have no segment, or several: a, b, c and 2 more; expected one each" in warned.message
    assert (warned.check, warned.passed, warned.severity) == (ONE_SEGMENT, False, dg.AssetCheckSeverity.WARN)
    assert judge_pricing([PRICED], [])[1].passed


def test_a_run_fails_for_each_cause_once_if_a_segment_was_not_priced() -> None:
    fail_if_unpriced([PRICED, Superseded("west", 0.07)])
    with pytest.raises(dg.Failure) as failed:
        fail_if_unpriced([PRICED, JUMPED, LACKING, Unpriced("west", TOO_FEW, "it has 3 scores")])
    assert str(failed.value.description).startswith("3 of 4 segments were not priced")
    assert not failed.value.allow_retries
    assert failed.value.metadata[CAUSES].value == [
        "too few scores: 2 segments (east, west). east: it has 2 scores",
        "rate jumps: 1 segments (south). south: from 8.00 % to 14.00 %",
    ]
