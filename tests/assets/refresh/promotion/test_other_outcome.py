"""A change in [target]. Without its record, a model of the opposite outcome takes the place of the promoted one."""

import os
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from credit_assets.promotion.table_pointer import POINTER
from tests.assets.refresh.promotion.support import ByHand, names, pointer, verdict


def test_a_model_of_the_opposite_outcome_takes_the_place_of_the_promoted_one_only_by_hand(
    refresh: Any, by_hand: ByHand
) -> None:
    good = refresh()
    settings = Path(os.environ["PLATFORM_SETTINGS"])
    before = settings.read_text()
    settings.write_text(before.replace("negative = 0\npositive = 1", "negative = 1\npositive = 0"))
    (failure,) = refresh(POINTER, raise_on_error=False).events(dg.DagsterEventType.STEP_FAILURE)
    assert "target.positive is 1 there and 0 in the settings" in str(failure.step_failure_data.error)
    opposite = refresh()
    assert "target.positive is 1 there and 0 here" in verdict(opposite.run).description
    assert names(pointer().latest(), good)
    assert by_hand(opposite.run.run_id).success
    assert pointer().latest().value["target"] == {"column": "default_status", "negative": 1, "positive": 0}
    assert verdict(refresh().run).passed
    # No rollback to the other outcome, unless the settings mean that one again.
    assert not by_hand("1").success
    settings.write_text(before)
    assert by_hand("1").success
    assert names(pointer().latest(), good)


@pytest.mark.parametrize("assets", [["test_split", "trained_model"], ["model_metrics"]], ids="".join)
def test_what_was_made_for_another_outcome_is_not_trained_on_and_not_measured(refresh: Any, assets: list[str]) -> None:
    refresh()
    settings = Path(os.environ["PLATFORM_SETTINGS"])
    settings.write_text(settings.read_text().replace("positive = 1", 'positive = 1\nmatures_after = "1 day"'))
    (failure,) = refresh(*assets, raise_on_error=False).events(dg.DagsterEventType.STEP_FAILURE)
    said = str(failure.step_failure_data.error)
    assert "target.matures_after is not given there and 1 day in the settings" in said
    assert "aterialize" in said
