"""Runs whose events a test writes as a cluster would, at times of its choosing."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import dagster as dg
import pytest

from resources.history import facts
from resources.history.tags import PARENT, ROOT

EVENT = dg.DagsterEventType


@dg.job
def refresh() -> None:
    """Never executed."""


@dataclass
class Past:
    """What an instance remembers. Moments are seconds after `began`."""

    instance: dg.DagsterInstance
    began: float

    def run(self, of: str | None = None, root: str | None = None, **tags: str) -> str:
        """A run, or a retry of one with the tags that it inherits."""
        parent = self.instance.get_run_by_id(of) if of else None
        inherited = {**parent.tags, PARENT: of, ROOT: root or of} if parent else {}
        made = self.instance.create_run_for_job(
            refresh,
            tags={**inherited, **tags},
            parent_run_id=of,
            root_run_id=(root or of) if of else None,
            status=dg.DagsterRunStatus.NOT_STARTED,
        )
        return made.run_id

    def happens(self, run: str, **moments: float) -> None:
        """Events by the names of their kinds, at these times."""
        for name, moment in moments.items():
            kind = EVENT[name]
            step = "training" if name.startswith("STEP_") else None
            event = dg.DagsterEvent(kind.value, "refresh", step_key=step, message=name)
            self.instance.report_dagster_event(event, run, timestamp=self.began + moment)

    def commits(self, run: str, committed: int, moment: float) -> None:
        """The fact that so many of 100 items are committed, as a step logs it."""
        asset = dg.AssetKey("trained_model")
        with dg.DagsterInstance.ephemeral() as other:
            other.report_runless_asset_event(facts.committed_items(asset, "trees", committed, 100))
            (record,) = other.fetch_observations(asset, limit=1).records
        logged = record.event_log_entry.dagster_event
        assert logged
        data = logged.event_specific_data
        event = dg.DagsterEvent(logged.event_type_value, "refresh", step_key="training", event_specific_data=data)
        self.instance.report_dagster_event(event, run, timestamp=self.began + moment)

    def says(self, run: str, message: str, moment: float) -> None:
        """A message that a step logs."""
        self.instance.handle_new_event(
            dg.EventLogEntry(
                error_info=None,
                level=20,
                user_message=message,
                run_id=run,
                timestamp=self.began + moment,
                step_key="training",
                job_name="refresh",
            )
        )

    def tag(self, run: str, **tags: Any) -> None:
        self.instance.add_run_tags(run, {name.replace("__", "/"): str(value) for name, value in tags.items()})

    def power_loss(self) -> tuple[str, str]:
        """A run whose node lost power at 20, found at 29, that its retry ended well; their ids."""
        run = self.run()
        self.happens(run, RUN_STARTING=0, RUN_START=3, STEP_START=4)
        self.tag(run, platform__node="spot-1", platform__capacity="spot")
        self.says(run, "training 100 trees on 16,000 loans", 5)
        self.commits(run, 40, 15)
        self.commits(run, 80, 18)
        self.tag(run, platform__lost_at=f"{self.began + 20:.1f}")
        self.happens(run, RUN_FAILURE=29)
        retry = self.run(of=run)
        self.happens(retry, RUN_STARTING=30, RUN_START=33, STEP_START=35)
        self.tag(retry, platform__node="spot-2")
        self.happens(retry, RUN_SUCCESS=50)
        return run, retry


@pytest.fixture
def past(empty_instance: dg.DagsterInstance) -> Past:
    return Past(empty_instance, time.time() - 300)


@pytest.fixture
def postgres_past(instance: dg.DagsterInstance) -> Callable[[], Past]:
    """On PostgreSQL, in an instance that the tests share."""
    return lambda: Past(instance, time.time() - 300)
