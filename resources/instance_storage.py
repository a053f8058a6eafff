"""Dagster's storage, by the name that `dagster.yaml` and runs of other releases use (`resources/__init__.py`)."""

from resources.instance.storage import PooledPostgresStorage

__all__ = ["PooledPostgresStorage"]
