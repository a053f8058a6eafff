"""The contenders of the waves, each in a process of its own: `python -m bench.waves.contenders NAME LOCATIONS`.

Each scores the same applications with the promoted model of `PLATFORM_STORE`, and writes them to the same table. It
imports its libraries first. Then it prints as JSON how long the work took, and what it cost.
"""

import importlib
import json
import os
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import dagster as dg

from bench.timing.children import DATABASE
from credit_assets.applications.reading import read_applications
from credit_assets.applications.scores_table import create_scores_table, upsert_scores
from credit_assets.applications.tables import read_locations
from credit_assets.definitions import build_defs
from credit_assets.jobs import REFRESH, SCORE_LOCATIONS
from credit_assets.settings.file import Settings, load_settings
from credit_assets.waves.model_in_use import find_model, load_predict
from credit_assets.waves.plans.plan import Plan
from credit_assets.waves.scoring import Scorer, score_chunk
from credit_assets.waves.wave_run import add_origin
from resources.deployment import Deployment
from resources.services.database import Database
from resources.store.opening import open_store

CHUNK = 100
# What the contenders import in functions.
LIBRARIES = (
    "alembic.context",
    "obstore.store",
    "pandas",
    "pyarrow.csv",
    "pyarrow.parquet",
    "sklearn.compose",
    "sklearn.ensemble",
    "sklearn.pipeline",
    "sqlalchemy.dialects.postgresql",
)
STOCK = "storage:\n  postgres:\n    postgres_url:\n      env: STOCK_HISTORY_URL\ntelemetry:\n  enabled: false\n"
OPEN = "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
PARTITIONS = dg.DynamicPartitionsDefinition(name="locations")


def load_script(settings: Settings) -> Callable[[Sequence[str]], int]:
    """What a plain script does with some locations: read, score, save as Parquet, and write to the table."""
    import pyarrow.parquet as pq

    store, database = open_store(os.environ["PLATFORM_STORE"]), Database(url=os.environ[DATABASE])
    scoring, model = settings.require_scoring(), find_model(store, settings.table.name)
    predict, folder = load_predict(store, settings, model.number), Path(tempfile.mkdtemp())
    plan = Plan("script", "2026-01-01T00:00:00+00:00", model.number, model.sha256, (), ())

    def read(locations: Sequence[str]) -> Any:
        with database.open_snapshot() as cursor:
            return read_applications(cursor, settings, locations)

    scorer = Scorer(read, lambda _: {}, predict, model.sha256, scoring.location, scoring.id)

    def score(locations: Sequence[str]) -> int:
        made = score_chunk(locations, scorer)
        pq.write_table(made.scores, folder / f"{time.monotonic_ns()}.parquet")
        with database.open_transaction() as cursor:
            create_scores_table(cursor, scoring)
            upsert_scores(cursor, scoring, add_origin(made.scores, plan))
        return made.scores.num_rows

    return score


def prepare_wave(settings: Settings, locations: int) -> Callable[[], int]:
    """Our wave: one run, with an event for each location."""
    job, instance = build_defs(Deployment.from_environment()).resolve_job_def(SCORE_LOCATIONS), dg.DagsterInstance.get()

    def work() -> int:
        result = job.execute_in_process(instance=instance)
        (event,) = result.get_asset_materialization_events()
        return int(str(event.materialization.metadata["scored"].value))

    return work


def prepare_script(settings: Settings, locations: int) -> Callable[[], int]:
    """The simplest program: chunks of 100 locations, and nobody sees them."""
    score, names = load_script(settings), read_names(settings)[:locations]

    def work() -> int:
        for start in range(0, len(names), CHUNK):
            score(names[start : start + CHUNK])
        return len(names)

    return work


def prepare_single(settings: Settings, locations: int) -> Callable[[], int]:
    """Stock Dagster: a run for each location, in one process, which spares it the start of a process for each."""
    return prepare_stock(settings, locations, together=False)


def prepare_range(settings: Settings, locations: int) -> Callable[[], int]:
    """Stock Dagster: one run for a range of locations, whose asset scores them together."""
    return prepare_stock(settings, locations, together=True)


def prepare_stock(settings: Settings, locations: int, *, together: bool) -> Callable[[], int]:
    """Stock Dagster on its own storage, with the same work for each location as a plain script."""
    score, names = load_script(settings), read_names(settings)[:locations]

    @dg.asset(partitions_def=PARTITIONS)
    def scores(context: dg.AssetExecutionContext) -> None:
        keys = list(context.partition_keys)
        for start in range(0, len(keys), CHUNK):
            context.add_output_metadata({"rows": score(keys[start : start + CHUNK])})

    job = dg.Definitions(
        assets=[scores], jobs=[dg.define_asset_job("score", "scores")], executor=dg.in_process_executor
    ).resolve_job_def("score")
    home = Path(tempfile.mkdtemp())
    (home / "dagster.yaml").write_text(STOCK)

    instance = dg.DagsterInstance.from_config(str(home))
    instance.add_dynamic_partitions("locations", names)
    ends = {"dagster/asset_partition_range_start": names[0], "dagster/asset_partition_range_end": names[-1]}

    def work() -> int:
        if together:
            job.execute_in_process(instance=instance, tags=ends)
        else:
            for name in names:
                job.execute_in_process(instance=instance, partition_key=name)
        return len(names)

    return work


def read_names(settings: Settings) -> list[str]:
    """The names of all locations."""
    with Database(url=os.environ[DATABASE]).open_snapshot() as cursor:
        return read_locations(cursor, settings.require_scoring())


def prepare_model(settings: Settings, locations: int) -> Callable[[], int]:
    """Loads, applications and a promoted model: what every contender needs."""
    import psycopg2

    from credit_assets.applications.seed import fill_applications
    from credit_assets.loans.seed import seed

    def work() -> int:
        with psycopg2.connect(os.environ[DATABASE]) as connection, connection.cursor() as cursor:
            seed(cursor, settings)
            added = fill_applications(cursor, settings)
        with dg.DagsterInstance.get() as instance:
            build_defs(Deployment.from_environment()).resolve_job_def(REFRESH).execute_in_process(instance=instance)
        return added

    return work


@contextmanager
def count_connections(counts: list[int], pause: float = 0.05) -> Iterator[None]:
    """Counts the connections to PostgreSQL again and again, without its own."""
    import psycopg2

    done = threading.Event()
    connection = psycopg2.connect(os.environ[DATABASE])
    connection.autocommit = True

    def count() -> None:
        with connection.cursor() as cursor:
            while not done.wait(pause):
                cursor.execute(OPEN)
                counts.append((cursor.fetchone() or (0,))[0])

    counting = threading.Thread(target=count)
    counting.start()
    try:
        yield
    finally:
        done.set()
        counting.join()
        connection.close()


def import_libraries() -> None:
    """Imports what the contenders import in functions, so that no timed code imports it."""
    for library in LIBRARIES:
        importlib.import_module(library)


def main(name: str, locations: str) -> dict[str, float]:
    """Runs one contender."""
    import_libraries()
    settings = load_settings(os.environ["PLATFORM_SETTINGS"])
    prepared = {
        "model": prepare_model,
        "wave": prepare_wave,
        "script": prepare_script,
        "single": prepare_single,
        "range": prepare_range,
    }[name](settings, int(locations))
    counts = [0]
    with count_connections(counts):
        started, computed = time.monotonic(), time.process_time()
        done = prepared()
        took, cpu = time.monotonic() - started, time.process_time() - computed
    return {"seconds": took, "processor_seconds": cpu, "done": done, "connections": max(counts)}


if __name__ == "__main__":
    print(json.dumps(main(*sys.argv[1:])))
