"""What a person sees while a run works: one line for each message of an asset, with the seconds since the start."""

import logging
import sys
import time

import dagster as dg


class _Line(logging.Formatter):
    def __init__(self) -> None:
        super().__init__()
        self.started = time.monotonic()

    def format(self, record: logging.LogRecord) -> str:
        known = getattr(record, "dagster_meta", {})
        step = known.get("step_key") or "run"
        return f"{time.monotonic() - self.started:6.1f} s  {step:<14} {known.get('orig_message', record.getMessage())}"


def _progress(_: dg.InitLoggerContext) -> logging.Logger:
    logger = logging.Logger("progress", level=logging.INFO)  # noqa: LOG001 a run's own, shared with no other
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(_Line())
    logger.addHandler(handler)
    return logger


progress = dg.LoggerDefinition(_progress, description="One short line a message, on standard output.")
