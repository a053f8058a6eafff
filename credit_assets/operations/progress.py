"""What a person sees while a run works: one line for each message of an asset, with the seconds since the start.

A message is what an asset logs for people. A committed block is a fact for programs, which has a description too.
Why a run failed, or was stopped, is no line here: the command says it once, at its end.
"""

import logging
import sys
import time
from dataclasses import dataclass, field

import dagster as dg

from resources.history.facts import ITEMS_COMMITTED

# Dagster's own sentences on these events would stand before the reason, or contradict it.
ENDINGS = {
    dg.DagsterEventType.STEP_FAILURE,
    dg.DagsterEventType.STEP_SKIPPED,
    dg.DagsterEventType.RUN_FAILURE,
    dg.DagsterEventType.RUN_CANCELED,
}


class _Line(logging.Formatter):
    def __init__(self) -> None:
        super().__init__()
        self.started = time.monotonic()

    def format(self, record: logging.LogRecord) -> str:
        known = getattr(record, "dagster_meta", {})
        step = known.get("step_key") or "run"
        message = describe_fact(record) or known.get("orig_message") or record.getMessage()
        return f"{time.monotonic() - self.started:6.1f} s  {step:<14} {message}"


def describe_fact(record: logging.LogRecord) -> str | None:
    """The description of the committed block that a record is about, or None if it is about something else."""
    event = getattr(record, "dagster_meta", {}).get("dagster_event")
    if event is None or event.event_type is not dg.DagsterEventType.ASSET_OBSERVATION:
        return None
    observation = event.asset_observation_data.asset_observation
    return observation.description if ITEMS_COMMITTED in observation.metadata else None


@dataclass
class ForPeople(logging.Filter):
    """Whether a person sees a record: messages from INFO upwards, and committed blocks, which are DEBUG.

    In the name of a step that has not begun only Dagster itself speaks: it says that the step is left out, because
    another one failed. That error is printed at the end, and the steps that are left out follow from it.

    Attributes:
        begun: keys of the steps that have begun.
    """

    begun: set[str] = field(default_factory=set)

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether a person sees this record."""
        known = getattr(record, "dagster_meta", {})
        step, event = known.get("step_key"), known.get("dagster_event")
        kind = event.event_type if event else None
        if step and kind in (dg.DagsterEventType.STEP_START, dg.DagsterEventType.STEP_RESTARTED):
            self.begun.add(step)
        if kind in ENDINGS or (record.levelno >= logging.ERROR and event is None and step and step not in self.begun):
            return False
        return record.levelno >= logging.INFO or describe_fact(record) is not None


def _progress(_: dg.InitLoggerContext) -> logging.Logger:
    logger = logging.Logger("progress", level=logging.DEBUG)  # noqa: LOG001 a run's own, shared with no other
    handler = logging.StreamHandler(sys.stdout)
    handler.addFilter(ForPeople())
    handler.setFormatter(_Line())
    logger.addHandler(handler)
    return logger


progress = dg.LoggerDefinition(_progress, description="One short line a message, on standard output.")
