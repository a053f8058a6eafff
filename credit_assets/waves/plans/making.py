"""How a wave is planned: what the database says, and which model is in use.

Belongs here: reading what a plan is made from. Does not belong here: the plan's form (`plan`), and the rule of the
choice (`choice`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial

from credit_assets.applications.tables import count_applications, count_locations, count_repeated_ids
from credit_assets.applications.validation import REPEATED
from credit_assets.settings.file import Settings
from credit_assets.settings.scoring import Scoring
from credit_assets.tables.rules import describe_counts
from credit_assets.waves.model_in_use import find_model
from credit_assets.waves.plans.choice import WaveConfig, choose_locations
from credit_assets.waves.plans.plan import Plan
from resources.services.database import Database, repeat_while_away
from resources.store.object_store import ObjectStore

WAVE = "wave"
# Names that a page can show; the counts are of all.
NAMED = 20


@dataclass(frozen=True)
class Tables:
    """What the tables say before a location is scored.

    Attributes:
        locations: how many rows of their table each of them has.
        rows: open applications of each location that has any, also of one that `locations` lacks.
        repeated: of these, how many have an id that another one has; only locations with any.
    """

    locations: Mapping[str, int]
    rows: Mapping[str, int]
    repeated: Mapping[str, int]


def make_plan(
    database: Database,
    store: ObjectStore,
    settings: Settings,
    scoring: Scoring,
    config: WaveConfig,
    failed: Sequence[str],
    wave: str,
) -> Plan:
    """A plan of the locations that the config chooses, with the model that is in use now.

    Args:
        wave: its id, which is that of the run that began it, unless shards share another.
        failed: the locations that Dagster shows as failed.

    Raises:
        ChoiceError: there is nothing to score.
        LocationsError: a table is not what the settings say.
        DatabaseAway: the database stayed away.
        DatabaseError: the database refuses.
        PointerError: no model was promoted yet, or the pointer was damaged.
    """
    model = find_model(store, settings.table.name)
    tables = repeat_while_away(partial(read_tables, database, scoring))
    choice = choose_locations(config, list(tables.locations), failed, scoring.locations)
    strays = sorted(tables.rows.keys() - set(tables.locations))
    return Plan(
        wave=wave,
        began=datetime.now(UTC).isoformat(),
        model_number=model.number,
        model_sha256=model.sha256,
        locations=tuple(choice.locations),
        rows=tuple(tables.rows.get(location, 0) for location in choice.locations),
        unknown=choice.unknown,
        defects={
            location: describe_counts(REPEATED, {scoring.id: tables.repeated[location]})
            for location in choice.locations
            if location in tables.repeated
        },
        asked=config.describe_wave(),
        stray_applications=sum(tables.rows[location] for location in strays),
        stray_locations=tuple(strays[:NAMED]),
        repeated_locations=tuple(name for name, rows in tables.locations.items() if rows > 1)[:NAMED],
    )


def read_tables(database: Database, scoring: Scoring) -> Tables:
    """Reads which locations there are, and counts their open applications.

    Raises:
        LocationsError: a table is not what the settings say.
        DatabaseError: the database can't be read.
    """
    with database.open_snapshot() as cursor:
        return Tables(
            count_locations(cursor, scoring), count_applications(cursor, scoring), count_repeated_ids(cursor, scoring)
        )
