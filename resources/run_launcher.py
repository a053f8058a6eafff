"""The launcher, by the name that `dagster.yaml` and runs of other releases use (`resources/__init__.py`)."""

from resources.launching.launcher import LeasedK8sRunLauncher

__all__ = ["LeasedK8sRunLauncher"]
