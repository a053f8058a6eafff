"""Waves under a drill: more locations than the release has, how far a wave is, and what must hold after it.

Belongs here: SQL and events of locations, applications and scores. Does not belong here: the fault of a drill.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from resources.history.facts import ANNOUNCED_PLACE, ITEMS_COMMITTED
from resources.services.webserver import read_metadata
from tests.drills.support.platform import Platform

JOB, STEP, PRICING_JOB, PRICING_STEP = "score_locations", "wave", "price_segments", "segment_prices"
# The locations that a drill adds, and a pattern that finds them and no other. Each is a copy of one that is there.
ADDED, ADDED_PATTERN = "drill-", "drill-%"
ADD_LOCATIONS = """INSERT INTO locations SELECT (added).* FROM (SELECT jsonb_populate_record(old, jsonb_build_object(
  'location', '{added}' || number || '-' || old.location)) AS added
  FROM locations AS old, generate_series(1, {copies}) AS number) AS locations"""
ADD_APPLICATIONS = """WITH newest AS (SELECT max(id) AS id FROM applications)
INSERT INTO applications SELECT (added).* FROM (SELECT jsonb_populate_record(old, jsonb_build_object(
  'location', '{added}' || number || '-' || old.location, 'id', number * newest.id + old.id)) AS added
  FROM applications AS old, newest, generate_series(1, {copies}) AS number) AS applications"""
COMMITTED = """SELECT extract(epoch FROM min(timestamp)) FROM event_logs WHERE run_id = '{run}'
  AND dagster_event_type = 'ASSET_OBSERVATION' AND event LIKE '%{fact}%' HAVING count(*) >= {chunks}"""
STATES = """{ assetNodes(assetKeys: [{ path: ["location_scores"] }]) {
  partitionStats { numPartitions numMaterialized numFailed numMaterializing } } }"""


@contextmanager
def add_locations(platform: Platform, copies: int) -> Iterator[int]:
    """Copies every location and its applications so many times; yields how many locations there are then.

    At the end the copies and their scores are deleted, and the sensor `locations` has deleted their partitions.
    """
    try:
        for statement in (ADD_LOCATIONS, ADD_APPLICATIONS):
            platform.run_sql(statement.format(added=ADDED, copies=copies), "lending")
        yield int(platform.run_sql("SELECT count(*) FROM locations", "lending"))
    finally:
        for table in ("locations", "applications"):
            platform.run_sql(f"DELETE FROM {table} WHERE location LIKE '{ADDED_PATTERN}'", "lending")
        if platform.run_sql("SELECT to_regclass('scores')", "lending"):
            platform.run_sql(f"DELETE FROM scores WHERE location LIKE '{ADDED_PATTERN}'", "lending")
        left = f"SELECT count(*) FROM dynamic_partitions WHERE partition LIKE '{ADDED_PATTERN}'"
        platform.wait_until("their partitions are gone", lambda: platform.run_sql(left, "dagster") == "0", 240)


def score_all(platform: Platform) -> str:
    """Runs a wave that nothing disturbs, and returns the digest of the scores."""
    run = platform.launch(JOB)
    assert platform.webserver.wait_for_run(run, 600) == "SUCCESS"
    return read_digest(platform)


def read_digest(platform: Platform) -> str:
    """A digest of all applications and their probabilities, which the same model makes the same."""
    digest = "SELECT md5(string_agg(application || ' ' || probability, ',' ORDER BY application)) FROM scores"
    return platform.run_sql(digest, "lending")


def find_wave_start(platform: Platform, run: str, chunks: int) -> float | None:
    """When a wave committed its first chunk, in Unix seconds; None until so many chunks are committed.

    Asks PostgreSQL, because to read thousands of events through the webserver takes as long as the wave.
    """
    statement = COMMITTED.format(run=run, fact=ITEMS_COMMITTED, chunks=chunks)
    at = platform.run_sql(statement, "dagster")
    return float(at) - platform.ahead if at else None


def read_places(platform: Platform, run: str) -> set[str]:
    """The places of the chunks, and of the report, that a run computed and was about to commit."""
    facts = [read_metadata(event["metadataEntries"]) for event in platform.read_events(run, "ObservationEvent")]
    return {str(each[ANNOUNCED_PLACE]) for each in facts if ANNOUNCED_PLACE in each}


def assert_scored_once(platform: Platform, locations: int, expected_digest: str, *runs: str) -> None:
    """Asserts that a wave scored every location once, with one model, and that Dagster and the table show it.

    Args:
        platform: the release.
        locations: how many there are.
        expected_digest: of the scores, as a wave leaves them that nothing disturbs.
        runs: the wave's root run and its retries.
    """
    quoted = ", ".join(f"'{run}'" for run in runs)
    recorded = (
        "SELECT count(*) || ' ' || count(DISTINCT partition) FROM event_logs "
        """WHERE dagster_event_type = 'ASSET_MATERIALIZATION' AND asset_key = '["location_scores"]' """
        f"AND run_id IN ({quoted})"
    )
    assert platform.run_sql(recorded, "dagster") == f"{locations} {locations}", "not every location is recorded once"
    (node,) = platform.webserver.query(STATES)["assetNodes"]
    shown = {"numPartitions": locations, "numMaterialized": locations, "numFailed": 0, "numMaterializing": 0}
    assert node["partitionStats"] == shown
    unscored = (
        "SELECT count(*) FROM applications AS open LEFT JOIN scores ON scores.application = open.id "
        f"WHERE open.decided_at IS NULL AND scores.wave IS DISTINCT FROM '{runs[0]}'"
    )
    assert platform.run_sql(unscored, "lending") == "0", "applications without a score of this wave"
    models = f"SELECT count(DISTINCT (model_number, model_sha256)) FROM scores WHERE wave = '{runs[0]}'"
    assert platform.run_sql(models, "lending") == "1", "one wave uses one model"
    assert read_digest(platform) == expected_digest, "the scores are not those of a wave that nothing disturbs"
