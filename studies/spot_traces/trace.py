"""How many spot machines there were, tick by tick: read from a file, or generated.

python -m studies.spot_traces.trace --seed 1 --days 14 > generated.json

The files are those of github.com/skypilot-org/spot-traces: `metadata.gap_seconds`, and `data`, a number a tick. A fall
of the number is a loss.
"""

import argparse
import itertools
import json
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from random import Random
from typing import Any


class TraceError(Exception):
    """A trace can't be read: names the file, the field, and what was expected there."""


@dataclass(frozen=True)
class Trace:
    """The machines of a market. The trace repeats without end, and a fall from its last to its first tick counts.

    Args:
        name: of the market.
        gap: seconds from tick to tick.
        machines: how many there were at each tick.
    """

    name: str
    gap: float
    machines: tuple[float, ...]

    @cached_property
    def falls(self) -> list[int]:
        """Ticks at which there are fewer machines than before."""
        return [tick for tick, there in enumerate(self.machines) if there < self.machines[tick - 1]]

    def find_losses(self, after: float) -> Iterator[tuple[float, float]]:
        """Yields when machines are lost, and which share of them: without end, or nothing if none is ever lost."""
        ticks = len(self.machines)
        for lap in itertools.count(int(after // (ticks * self.gap))) if self.falls else ():
            for tick in self.falls:
                if (moment := (lap * ticks + tick) * self.gap) > after:
                    yield moment, 1 - self.machines[tick] / self.machines[tick - 1]

    def find_free(self, at: float, patience: float, notice: float) -> float | None:
        """When a machine is free that stays longer than the notice; None if that takes longer than the patience."""
        for tick in itertools.count(int(at // self.gap)):
            moment = max(at, tick * self.gap)
            if moment > at + patience:
                return None
            until = int((moment + notice) // self.gap)
            if all(self.machines[each % len(self.machines)] >= 1 for each in range(tick, max(tick, until) + 1)):
                return moment
        return None


def read_trace(path: Path) -> Trace:
    """Reads a trace from a file, whose name is the name of the trace.

    Raises:
        TraceError: there is no such file, it is empty or not JSON, or a field is not what it should be.
    """
    try:
        text = path.read_text()
    except FileNotFoundError:
        raise TraceError(f"{path}: no such file") from None
    except (OSError, UnicodeDecodeError) as error:
        raise TraceError(f"{path}: can't be read: {error}") from None
    if not text.strip():
        raise TraceError(f"{path}: is empty")
    try:
        content = json.loads(text)
    except ValueError as error:
        raise TraceError(f"{path}: is not JSON: {error}") from None
    gap, machines = get_field(content, "metadata", "gap_seconds"), get_field(content, "data")
    if not (is_number(gap) and gap > 0):
        raise TraceError(f"{path}: metadata.gap_seconds is {shorten(gap)}: expected seconds, above 0")
    if not (isinstance(machines, list) and machines):
        raise TraceError(f"{path}: data is {shorten(machines)}: expected a list, a number of machines a tick")
    for tick, there in enumerate(machines):
        if not (is_number(there) and there >= 0):
            raise TraceError(f"{path}: data[{tick}] is {shorten(there)}: expected a number of machines, 0 or more")
    return Trace(path.stem, gap, tuple(machines))


def get_field(content: Any, *names: str) -> Any:
    for name in names:
        content = content.get(name) if isinstance(content, dict) else None
    return content


def is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def shorten(value: Any) -> str:
    return "missing" if value is None else json.dumps(value)[:40]


def generate_trace(seed: int, days: float, up: float = 4 * 3600, down: float = 1200, gap: float = 30) -> Trace:
    """Generates a machine that is there for `up` and away for `down` seconds on average (exponential distribution)."""
    draw, machines, there = Random(seed), [], True
    while len(machines) < days * 86400 / gap:
        ticks = math.ceil(draw.expovariate(1 / (up if there else down)) / gap)
        machines += [int(there)] * ticks
        there = not there
    return Trace(f"generated-{seed}", gap, tuple(machines[: math.ceil(days * 86400 / gap)]))


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m studies.spot_traces.trace", description=generate_trace.__doc__)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--days", type=float, required=True)
    given = parser.parse_args(arguments)
    trace = generate_trace(given.seed, given.days)
    print(json.dumps({"metadata": {"gap_seconds": trace.gap}, "data": trace.machines}))


if __name__ == "__main__":
    main()
