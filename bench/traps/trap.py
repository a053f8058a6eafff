"""One trap in one way, in a process of its own: `python -m bench.traps.trap NAME WAY COUNT`. It prints JSON."""

import json
import sys
from collections.abc import Callable, Mapping

from bench.traps.losses import (
    count_lost_in_stock,
    count_lost_in_wave,
    die_in_stock,
    die_in_wave,
    measure_places,
)
from bench.traps.ranges import measure_runs
from bench.traps.reading import measure_log, measure_status
from bench.traps.recording import measure_recording
from bench.traps.states import measure_green, measure_red

TRAPS: Mapping[str, Callable[[str, int], Mapping[str, float] | None]] = {
    "recording": measure_recording,
    "green": measure_green,
    "red": measure_red,
    "ranges": measure_runs,
    "places": measure_places,
    "log": measure_log,
    "status": measure_status,
    "die": lambda way, count: die_in_stock(count) if way == "stock" else die_in_wave(),
    "lost": lambda way, count: count_lost_in_stock(count) if way == "stock" else count_lost_in_wave(),
}


def main(name: str, way: str, count: str) -> None:
    """Measures one trap."""
    print(json.dumps(TRAPS[name](way, int(count))))


if __name__ == "__main__":
    main(*sys.argv[1:])
