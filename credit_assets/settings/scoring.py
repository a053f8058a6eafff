"""The section `scoring`: the tables of locations, applications and scores, and how many failed locations are tolerated.

Belongs here: what a wave is told by the settings. Does not belong here: how a table is read or written
(`credit_assets.applications`), and which columns the model sees (`columns`).
"""

from typing import Annotated

from pydantic import Field, model_validator

from credit_assets.settings.columns import Strict
from credit_assets.settings.limits import Share
from credit_assets.settings.names import Name, TableName
from credit_assets.settings.services import ScoringService

# Each shard is a run with a pod of its own. More would wait for each other's events in PostgreSQL.
MOST_SHARDS = 16


class Scoring(Strict):
    """What a wave reads and writes, and which failures it tolerates.

    Attributes:
        locations: the table of the locations; its column `location` names each.
        applications: the table of the applications; its columns are `location`, `id` and every feature.
        scores: the table that scores are written to. The platform makes it if it is missing.
        location: the column that names the location, in both tables.
        id: the key of the applications: integers, UUIDs or text.
        decided_at: a column of the applications; one without a value there is open. None: all are open.
        tolerated_share: of a wave's locations; if more have failed, the wave fails its check.
        tolerated_count: the same as a number of locations. The wave passes only if it is within both.
        shards: runs that score the waves of the schedule side by side, each its share of the locations.
        services: outside services that know features of a location.
    """

    locations: TableName
    applications: TableName
    scores: TableName
    location: Name = "location"
    id: Name = "id"
    decided_at: Name | None = None
    tolerated_share: Share = 0.01
    tolerated_count: Annotated[int, Field(ge=0)] = 10
    shards: Annotated[int, Field(ge=1, le=MOST_SHARDS)] = 1
    services: tuple[ScoringService, ...] = ()

    @property
    def own_keys(self) -> dict[str, str]:
        """The keys of this section that name a column of the applications, each with its column."""
        keys = {"location": self.location, "id": self.id}
        return keys | ({"decided_at": self.decided_at} if self.decided_at else {})

    @property
    def own_columns(self) -> list[str]:
        """The columns of the applications that are no features."""
        return list(self.own_keys.values())

    @property
    def answered_columns(self) -> list[str]:
        """The features that services answer."""
        return [column for service in self.services for column in service.columns]

    @model_validator(mode="after")
    def _services_differ(self) -> "Scoring":
        names = [service.name for service in self.services]
        if len(set(names)) < len(names):
            raise ValueError("services: two have one name; give each a name of its own")
        if len(set(self.answered_columns)) < len(self.answered_columns):
            raise ValueError("services: a column is answered twice; name it in one service, once")
        return self

    @model_validator(mode="after")
    def _tables_and_columns_differ(self) -> "Scoring":
        if len({self.locations, self.applications, self.scores}) < 3:
            raise ValueError("locations, applications and scores are three tables: give each a name of its own")
        if len(set(self.own_columns)) < len(self.own_columns):
            raise ValueError("location, id and decided_at are different columns: give each a name of its own")
        return self
