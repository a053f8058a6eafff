"""A helper that is asked for twice, or with a wrong part, costs a node and helps nobody."""

import dagster as dg
import pytest

from credit_assets.helping.order import HELPERS, PLACE, HelpError
from sensors.training_helpers import request_helpers


def add_run(**tags: str) -> dg.DagsterRun:
    return dg.DagsterRun(job_name="refresh", tags=tags)


def test_each_helper_gets_a_part_of_its_own_and_the_same_key_whoever_asks() -> None:
    run = add_run(**{HELPERS: "3", PLACE: "trained_model/a/b"})
    first, again = list(request_helpers([run])), list(request_helpers([run]))
    configs = [each.run_config["ops"]["grow_part"]["config"] for each in first]
    assert [(each["part"], each["parts"]) for each in configs] == [(1, 4), (2, 4), (3, 4)]
    assert [each.run_key for each in first] == [each.run_key for each in again]
    assert len({each.run_key for each in first}) == 3


def test_nobody_is_asked_before_the_training_has_said_where_it_works() -> None:
    assert list(request_helpers([add_run(**{HELPERS: "3"}), add_run()])) == []


@pytest.mark.parametrize("wrong", ["16", "-1", "many", ""])
def test_a_tag_that_is_no_number_of_helpers_is_refused_by_its_name(wrong: str) -> None:
    with pytest.raises(HelpError, match="tag platform/helpers"):
        list(request_helpers([add_run(**{HELPERS: wrong, PLACE: "p"})]))
