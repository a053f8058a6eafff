"""A person who repeats three locations must not start a wave of all, and a typo must not be scored in silence."""

from collections.abc import Sequence
from typing import Any

import pytest

from credit_assets.waves.plans.choice import Choice, ChoiceError, WaveConfig, choose_locations

EXISTING = ["a", "b", "c", "d"]


def choose(*, failed: Sequence[str] = (), existing: list[str] = EXISTING, **config: Any) -> Choice:
    return choose_locations(WaveConfig(**config), existing, failed, "branches")


def test_without_a_choice_all_locations_are_scored() -> None:
    assert choose().locations == EXISTING
    assert choose(failed=["b"]).locations == EXISTING


def test_named_locations_are_scored_once_each_and_no_other() -> None:
    choice = choose(locations=["d", "a", "d"])
    assert (choice.locations, choice.unknown) == (["a", "d"], [])


def test_a_name_that_the_table_does_not_know_is_reported_and_keeps_no_other_from_being_scored() -> None:
    choice = choose(locations=["a", "z", "y", "z"])
    assert (choice.locations, choice.unknown) == (["a"], ["y", "z"])


def test_the_failed_locations_are_scored_without_naming_them_and_no_other() -> None:
    choice = choose(only_failed=True, failed=["c", "left", "a"])
    assert (list(choice.locations), list(choice.unknown)) == (["a", "c"], [])


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"existing": []}, "table branches has no location"),
        ({"only_failed": True}, "Dagster shows no location as failed"),
        ({"only_failed": True, "failed": ["left"]}, "has left table branches"),
    ],
)
def test_a_choice_that_leaves_nothing_to_score_is_refused_with_its_reason(config, message) -> None:
    with pytest.raises(ChoiceError, match=message):
        choose(**config)


def test_two_choices_at_once_are_refused() -> None:
    with pytest.raises(ChoiceError, match="contradict"):
        WaveConfig(locations=["a"], only_failed=True).check()


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"shards": 17}, "shards is 17: expected 1 to 16"),
        ({"shards": 0}, "shards is 0"),
        ({"shard": 0, "shards": 4}, "shard 0 is not one of 4: give a number from 1 to 4"),
        ({"shard": 5, "shards": 4}, "shard 5 is not one of 4"),
    ],
)
def test_a_shard_that_does_not_exist_is_refused_in_words_of_the_config(config: dict[str, Any], message: str) -> None:
    with pytest.raises(ChoiceError, match=message):
        WaveConfig(**config).check()
    WaveConfig(shard=4, shards=4).check()
