"""Which locations a wave scores: all of them, those that a person names, or those that failed.

Belongs here: the choice. Does not belong here: how the chosen locations become chunks (`chunks`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import dagster as dg
from pydantic import Field

from credit_assets.settings.scoring import MOST_SHARDS
from resources.errors import PlatformError


class ChoiceError(PlatformError):
    """There is nothing to score: says which table or choice is empty, and what to do."""


class WaveConfig(dg.Config):
    """Which locations are scored, and by how many runs; without a value this run scores all of them."""

    locations: list[str] = Field(default=[], description="Names of the locations to score. Empty: all locations.")
    only_failed: bool = Field(default=False, description="Score only the locations that Dagster shows as failed.")
    shard: int = Field(default=1, description="Which share of the locations this run scores, from 1 to shards.")
    shards: int = Field(default=1, description="How many runs with one tag platform/wave_id share the locations.")

    def check(self) -> None:
        """Refuses a config that no wave can follow. Pydantic would name its own class and address.

        Raises:
            ChoiceError: two choices contradict each other, or there is no such shard.
        """
        if self.locations and self.only_failed:
            raise ChoiceError("locations and only_failed contradict each other: give one of the two in the config")
        if not 1 <= self.shards <= MOST_SHARDS:
            raise ChoiceError(f"shards is {self.shards}: expected 1 to {MOST_SHARDS}. Correct it in the config")
        if not 1 <= self.shard <= self.shards:
            raise ChoiceError(
                f"shard {self.shard} is not one of {self.shards}: give a number from 1 to {self.shards} in the config"
            )

    def describe_wave(self) -> dict[str, Any]:
        """What all runs of the wave are asked for: everything but the number of the shard."""
        return self.model_dump(exclude={"shard"})


@dataclass(frozen=True)
class Choice:
    """What a wave scores: locations that exist, and names that were asked for and do not exist."""

    locations: Sequence[str]
    unknown: Sequence[str] = ()


def choose_locations(config: WaveConfig, existing: Sequence[str], failed: Sequence[str], table: str) -> Choice:
    """The locations of a wave, in the order of the table, each once.

    Args:
        config: what was asked for.
        existing: the locations that the table has.
        failed: the locations that Dagster shows as failed.
        table: name of the table of locations, for messages.

    Raises:
        ChoiceError: nothing is left to score.
    """
    if not existing:
        raise ChoiceError(f"table {table} has no location: add locations, or correct scoring.locations in the settings")
    if config.only_failed:
        if not failed:
            raise ChoiceError(
                "only_failed: Dagster shows no location as failed, so there is nothing to repeat. Name locations in "
                "the config to score them all the same"
            )
        left = [each for each in existing if each in set(failed)]
        if not left:
            raise ChoiceError(f"only_failed: every location that failed has left table {table}. Nothing is left")
        return Choice(left)
    if not config.locations:
        return Choice(existing)
    wanted = set(config.locations)
    return Choice([each for each in existing if each in wanted], sorted(wanted.difference(existing)))
