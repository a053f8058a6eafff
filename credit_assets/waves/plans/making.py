"""How a wave is planned: what the database and the last wave say, and which model is in use.

Belongs here: reading what a plan is made from. Does not belong here: the plan's form (`plan`), and the rule of the
choice (`choice`).
"""

from collections.abc import Sequence
from datetime import UTC, datetime

import dagster as dg

from credit_assets.applications.tables import count_applications, read_locations
from credit_assets.settings.file import Settings
from credit_assets.settings.scoring import Scoring
from credit_assets.waves.model_in_use import find_model
from credit_assets.waves.plans.choice import WaveConfig, choose_locations
from credit_assets.waves.plans.plan import Plan, split_chunks
from resources.services.database import Database
from resources.store.checkpoints import Checkpoints
from resources.store.formats import FORMATS
from resources.store.io_manager import MANIFEST_SHA256, PLACE
from resources.store.object_store import ObjectStore

WAVE = "wave"


def make_plan(
    database: Database,
    store: ObjectStore,
    settings: Settings,
    scoring: Scoring,
    config: WaveConfig,
    last_failed: Sequence[str] | None,
    wave: str,
) -> Plan:
    """A plan of the locations that the config chooses, with the model that is in use now.

    Args:
        wave: id of the root run.
        last_failed: the locations that failed in the last wave; None if there was none.

    Raises:
        ChoiceError: there is nothing to score.
        LocationsError: a table is not what the settings say.
        DatabaseError: the database can't be read.
        PointerError: no model was promoted yet, or the pointer was damaged.
    """
    model = find_model(store, settings.table.name)
    with database.open_snapshot() as cursor:
        existing, rows = read_locations(cursor, scoring), count_applications(cursor, scoring)
    choice = choose_locations(config, existing, last_failed, scoring.locations)
    return Plan(
        wave=wave,
        began=datetime.now(UTC).isoformat(),
        model_number=model.number,
        model_sha256=model.sha256,
        chunks=split_chunks({location: rows.get(location, 0) for location in choice.locations}),
        unknown=choice.unknown,
        stray_applications=sum(rows[location] for location in rows.keys() - set(existing)),
    )


def find_last_failed(instance: dg.DagsterInstance, checkpoints: Checkpoints) -> list[str] | None:
    """The locations that failed in the last wave, by the event log; None if there was no wave.

    Raises:
        ArtifactError: the report of that wave was changed or deleted.
    """
    event = instance.get_latest_materialization_event(dg.AssetKey(WAVE))
    if event is None or event.asset_materialization is None:
        return None
    metadata = event.asset_materialization.metadata
    place, manifest_sha256 = str(metadata[PLACE].value), str(metadata[MANIFEST_SHA256].value)
    return list(checkpoints.logged(place, manifest_sha256, FORMATS["report"]).facts["failed"])
