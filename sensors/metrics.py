"""What Prometheus is told by the daemon that leads: interruptions of the last day, missing retries, waits, promotions.

Everything is asked of Dagster's storage at the scrape, so that a daemon that has just taken the lead tells the same as
the one before it. Hence gauges over a window, where a counter would begin again with every leader.
"""

import logging
import math
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import islice

import dagster as dg
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from credit_assets.promotion.rule import POINTER
from resources.history.attempts import Attempt, How, read
from resources.history.interruptions import Interruption, interruptions, percentile
from sensors.lost_retries import MEMORY, PATIENCE, forgotten, groups

log = logging.getLogger(__name__)
# Groups of runs that are looked at, the latest first; seconds after which a retry is missing, and a run waits.
MOST, MISSING, WAITS = 500, 60, 60
# Seconds that a scrape waits for another one's; Prometheus gives a scrape 10 by default.
TURN = 8
QUANTILES = (0.5, 0.95)
CAPACITIES = {True: "spot", False: "any", None: "unknown"}
STATUSES = (dg.DagsterRunStatus.QUEUED, dg.DagsterRunStatus.STARTING)


@dataclass(eq=False)
class Platform(Collector):
    """All that is told of the platform, asked anew at each scrape; one scrape at a time asks.

    While the storage is away, which is waited for (resources/instance/storage.py), only that is told.
    """

    instance: Callable[[], dg.DagsterInstance] = dg.DagsterInstance.get
    _opened: dg.DagsterInstance | None = None
    _known: dict[str, Attempt] = field(default_factory=dict)
    _asking: threading.Lock = field(default_factory=threading.Lock)

    def describe(self) -> Iterable[Metric]:
        """Nothing, so that registration asks nobody."""
        return ()

    def collect(self) -> Iterable[Metric]:
        told: list[Metric] = []
        if self._asking.acquire(timeout=TURN):
            try:
                told = list(self._asked(time.time()))
            except Exception:  # a scrape never ends the daemon, and the page says that it failed
                log.exception("Dagster's storage could not be asked for metrics")
            finally:
                self._asking.release()
        yield gauge(
            "platform_storage_answers", "0: Dagster's storage did not answer; nothing else is told.", bool(told)
        )
        yield from told

    def _asked(self, now: float) -> Iterator[Metric]:
        self._opened = instance = self._opened or self.instance()
        attempts = list(islice(read(instance, now - MEMORY, self._known), MOST))
        self._known = {each.run: each for group in attempts for each in group}
        lost = [each for group in attempts for each in interruptions(group) if each.when >= now - MEMORY]
        yield from of_interruptions(lost)
        missing = "Runs that should have been retried for a minute and were not."
        yield gauge("platform_retries_missing", missing, len(missing_retries(instance, now)))
        waiting = GaugeMetricFamily(
            "platform_runs_waiting", "Runs that wait for longer than a minute.", labels=["status"]
        )
        for status in STATUSES:
            before = datetime.fromtimestamp(now - WAITS, UTC)
            runs = instance.get_runs_count(dg.RunsFilter(statuses=[status], updated_before=before))
            waiting.add_metric([status.value.lower()], runs)
        yield waiting
        event = instance.get_latest_materialization_event(dg.AssetKey(POINTER))
        promoted = "When the pointer was last moved, or found where it should be, in Unix seconds; 0: never."
        yield gauge("platform_last_promotion_timestamp_seconds", promoted, event.timestamp if event else 0)


def missing_retries(instance: dg.DagsterInstance, now: float) -> list[str]:
    """The runs that `lost_retries` should have had retried, and has not for a minute."""
    if not instance.run_retries_enabled:
        return []
    most, then = instance.run_retries_max_retries, now - (MISSING - PATIENCE)
    found = (forgotten(group, most, then) for group in islice(groups(instance, now), MOST))
    return [run for run in found if run]


def of_interruptions(lost: Sequence[Interruption]) -> Iterator[Metric]:
    """Those of the last day, in numbers; a quantile is of values that were measured, +Inf if it never came."""
    counted = GaugeMetricFamily(
        "platform_interruptions", "Losses of workers within a day, by kind and capacity.", labels=["kind", "capacity"]
    )
    for kind in How:
        for spot, capacity in CAPACITIES.items():
            counted.add_metric([kind, capacity], sum(how(each) is kind and each.spot is spot for each in lost))
    yield counted
    yield quantiles(
        "platform_noticed_seconds",
        "Until a loss without notice was noticed.",
        [each.detected_after for each in lost if not each.notice],
    )
    yield quantiles(
        "platform_running_again_seconds",
        "From a loss to the first step of a later attempt.",
        [each.running_again_after for each in lost],
    )
    yield gauge("platform_work_lost_seconds", "Work that is done again.", sum(each.work_lost for each in lost))
    stopped = sum(each.running_again_after is None for each in lost)
    yield gauge("platform_not_running_again", "Losses that no later attempt has made good, so far.", stopped)


def how(each: Interruption) -> How:
    """Its kind, as a label."""
    return How.CRASH if each.crash else How.NOTICE if each.notice else How.LOST


def quantiles(name: str, says: str, values: Sequence[float | None]) -> Metric:
    """Those of some values; no samples if there are none."""
    family = GaugeMetricFamily(name, f"{says} Of the last day.", labels=["quantile"])
    for share in QUANTILES if values else ():
        found = percentile(values, share)
        family.add_metric([str(share)], math.inf if found is None else found)
    return family


def gauge(name: str, says: str, value: float) -> Metric:
    """One number."""
    return GaugeMetricFamily(name, says, value=value)
