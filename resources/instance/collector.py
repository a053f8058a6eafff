"""What Prometheus reads of the leading daemon: interruptions, missing retries, waiting runs, the last promotion.

Belongs here: questions to Dagster's storage, asked at each scrape, and their answers as metrics. Does not belong here:
the port and the metric of which daemon leads (`metrics_server`), and the rules (`resources.history`).

A daemon that has just taken the lead reports the same figures as the one before it. Therefore they are gauges over the
last day: a counter would start again with each leader.
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

from resources.history.attempt import Attempt, InterruptionKind
from resources.history.interruptions import Interruption, find_interruptions, find_percentile
from resources.history.retry_rule import DAEMON_SECONDS, LOOK_BACK_SECONDS, find_missing_retry
from resources.history.run_groups import read_attempts, read_failed_groups

log = logging.getLogger(__name__)
# The asset whose latest materialization is the latest promotion.
PROMOTED_ASSET = "promoted_model"
# Groups that one scrape reads, the latest first. Seconds after which a retry is missing, and after which a run waits.
MAX_GROUPS, MISSING_SECONDS, WAITING_SECONDS = 500, 60, 60
# Seconds that a scrape waits while another one reads. Prometheus gives a scrape 10 by default.
TURN_SECONDS = 8
QUANTILES = (0.5, 0.95)
CAPACITIES = {True: "spot", False: "any", None: "unknown"}
WAITING = (dg.DagsterRunStatus.QUEUED, dg.DagsterRunStatus.STARTING)


@dataclass(eq=False)
class PlatformCollector(Collector):
    """Reads all metrics at each scrape; one scrape at a time.

    While the storage is away, only this is reported: the storage waits for its database
    (resources/instance/storage.py).

    Args:
        open_instance: opens Dagster's instance, once.
        promoted_asset: key of the asset that is materialized by each promotion.
    """

    open_instance: Callable[[], dg.DagsterInstance] = dg.DagsterInstance.get
    promoted_asset: str = PROMOTED_ASSET
    _instance: dg.DagsterInstance | None = None
    _known: dict[str, Attempt] = field(default_factory=dict)
    _reading: threading.Lock = field(default_factory=threading.Lock)

    def describe(self) -> Iterable[Metric]:
        """Nothing, so that registration reads nothing."""
        return ()

    def collect(self) -> Iterable[Metric]:
        found: list[Metric] = []
        if self._reading.acquire(timeout=TURN_SECONDS):
            try:
                found = list(self._read(time.time()))
            except Exception:  # a scrape must not end the daemon, and the metric below reports the fault
                log.exception("the metrics can't be read from Dagster's storage")
            finally:
                self._reading.release()
        yield make_gauge("platform_storage_answers", "0: Dagster's storage does not answer.", bool(found))
        yield from found

    def _read(self, now: float) -> Iterator[Metric]:
        self._instance = instance = self._instance or self.open_instance()
        groups = read_latest_attempts(instance, now, self._known)
        self._known = {attempt.run: attempt for group in groups for attempt in group}
        since = now - LOOK_BACK_SECONDS
        lost = [each for group in groups for each in find_interruptions(group) if each.when >= since]
        yield from describe_interruptions(lost)
        missing = find_overdue_retries(instance, groups, now)
        yield make_gauge("platform_retries_missing", "Runs that nobody has retried for a minute.", len(missing))
        yield count_waiting_runs(instance, now)
        event = instance.get_latest_materialization_event(dg.AssetKey(self.promoted_asset))
        meaning = "When the pointer was last moved, or found where it should be, in Unix seconds; 0: never."
        yield make_gauge("platform_last_promotion_timestamp_seconds", meaning, event.timestamp if event else 0)


def read_latest_attempts(
    instance: dg.DagsterInstance, now: float, known: dict[str, Attempt] | None = None
) -> list[list[Attempt]]:
    """The attempts of the latest groups of which a run has failed within a day."""
    groups = islice(read_failed_groups(instance, now - LOOK_BACK_SECONDS), MAX_GROUPS)
    return [read_attempts(instance, group, known) for group in groups]


def find_overdue_retries(instance: dg.DagsterInstance, groups: Iterable[Sequence[Attempt]], now: float) -> list[str]:
    """The runs that the sensor `lost_retries` should have retried, and has not for a minute."""
    if not instance.run_retries_enabled:
        return []
    then, max_retries = now - (MISSING_SECONDS - DAEMON_SECONDS), instance.run_retries_max_retries
    return [run for group in groups if (run := find_missing_retry(group, max_retries, then))]


def count_waiting_runs(instance: dg.DagsterInstance, now: float) -> Metric:
    """How many runs have waited for more than a minute, by status."""
    before = datetime.fromtimestamp(now - WAITING_SECONDS, UTC)
    family = GaugeMetricFamily(
        "platform_runs_waiting", "Runs that have waited for more than a minute.", labels=["status"]
    )
    for status in WAITING:
        count = instance.get_runs_count(dg.RunsFilter(statuses=[status], updated_before=before))
        family.add_metric([status.value.lower()], count)
    return family


def describe_interruptions(lost: Sequence[Interruption]) -> Iterator[Metric]:
    """Interruptions in figures. A quantile is a measured value, or +Inf if it never happened."""
    counted = GaugeMetricFamily(
        "platform_interruptions", "Losses of workers within a day, by kind and capacity.", labels=["kind", "capacity"]
    )
    for kind in InterruptionKind:
        for spot, capacity in CAPACITIES.items():
            counted.add_metric([kind, capacity], sum(each.kind is kind and each.spot is spot for each in lost))
    yield counted
    yield make_quantiles(
        "platform_noticed_seconds",
        "From a loss without notice until it was noticed.",
        [each.detected_after for each in lost if each.kind is not InterruptionKind.NOTICE],
    )
    yield make_quantiles(
        "platform_running_again_seconds",
        "From a loss to the first step of a later attempt.",
        [each.running_again_after for each in lost],
    )
    work_lost = sum(each.work_lost for each in lost)
    yield make_gauge("platform_work_lost_seconds", "Work that retries repeat. Of the last day.", work_lost)
    stopped = sum(each.running_again_after is None for each in lost)
    yield make_gauge("platform_not_running_again", "Losses after which no step has started so far.", stopped)


def make_quantiles(name: str, meaning: str, values: Sequence[float | None]) -> Metric:
    """The quantiles of some values; no samples if there are no values."""
    family = GaugeMetricFamily(name, f"{meaning} Of the last day.", labels=["quantile"])
    for share in QUANTILES if values else ():
        found = find_percentile(values, share)
        family.add_metric([str(share)], math.inf if found is None else found)
    return family


def make_gauge(name: str, meaning: str, value: float) -> Metric:
    """A metric of one figure."""
    return GaugeMetricFamily(name, meaning, value=value)
