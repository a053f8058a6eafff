"""Dagster instances of the tests on a PostgreSQL database of the caller's choice."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import dagster as dg
import yaml

POOLED = {"module": "resources.instance.storage", "class": "PooledPostgresStorage"}
STOCK = {"module": "dagster_postgres", "class": "DagsterPostgresStorage"}


def open_instance(
    folder: Path, database_url: str, storage: Mapping[str, str] = POOLED, *, retries: int = 0, **storage_config: Any
) -> dg.DagsterInstance:
    """Writes a `dagster.yaml` into the folder and opens the instance that it configures.

    Args:
        folder: becomes the instance's home.
        database_url: database of the runs and events; tables are made if there are none.
        storage: module and class of the storage: `POOLED`, which the platform uses, or Dagster's own `STOCK`.
        retries: how often a run is retried whose worker was lost; 0 for never.
        storage_config: more configuration of the storage.
    """
    config = {
        "storage": {"custom": {**storage, "config": {"postgres_url": database_url, **storage_config}}},
        "telemetry": {"enabled": False},
    }
    if retries:
        config["run_retries"] = {"enabled": True, "max_retries": retries, "retry_on_asset_or_op_failure": False}
    (folder / "dagster.yaml").write_text(yaml.safe_dump(config))
    return dg.DagsterInstance.from_config(str(folder))
