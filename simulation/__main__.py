"""Lives through many histories of a simulated world, and prints what breaks (docs/simulation.md)."""

import argparse
import sys
import time

from simulation.guards import Guard
from simulation.history import live_through
from simulation.many import format_timeline, live_through_many

# Histories within which a missing guard has to be noticed.
ENOUGH = 10_000
# Broken histories that are named; only the first is shown.
MOST_NAMED = 20


def main() -> int:
    """Returns 0 if no history broke an invariant; with `--guards all`, if some did for every guard."""
    options = {guard.option: guard for guard in Guard}
    parser = argparse.ArgumentParser(prog="python -m simulation", description=__doc__)
    parser.add_argument("--histories", type=int, default=ENOUGH, help=f"how many histories (default {ENOUGH})")
    parser.add_argument("--seed", type=int, default=1, help="of the first history; the others have the next ones")
    parser.add_argument("--guards", help=f"lack a guard: {', '.join(options)}; all: each in turn, as a table")
    given = parser.parse_args()
    if given.histories < 1:
        parser.error(f"--histories {given.histories} (HISTORIES): expected 1 or more")
    if given.guards not in (None, "all", *options):
        parser.error(f"--guards {given.guards}: expected all, {', '.join(options)}")
    seeds = range(given.seed, given.seed + given.histories)
    if given.guards == "all":
        return print_guards(seeds)
    return print_histories(seeds, [options[given.guards]] if given.guards else [])


def print_histories(seeds: range, off: list[Guard]) -> int:
    """Prints how many histories broke an invariant, and the timeline of the first that did."""
    began = time.monotonic()
    tally = live_through_many(seeds, off)
    seconds = time.monotonic() - began
    print(
        f"{tally.histories:,} histories from seed {seeds.start} in {seconds:.0f} s: {tally.retries:,} retries, "
        f"{tally.wrong_verdicts:,} wrong verdicts, {len(tally.broken):,} broken invariants"
    )
    if not tally.broken:
        return 0
    found = sorted(tally.broken)
    print("\n" + "\n".join(f"seed {seed}: {broken}" for seed, broken in found[:MOST_NAMED]))
    seed, _ = found[0]
    guards = "".join(f" GUARDS={guard.option}" for guard in off)
    print(f"\nThe first again: make simulate HISTORIES=1 SEED={seed}{guards}\n")
    print("\n".join(format_timeline(live_through(seed, off))))
    return 1


def print_guards(seeds: range) -> int:
    """Prints a table: for each guard the first history that breaks an invariant without it, and which."""
    print("| without | histories until it is noticed | seed | what is broken |\n|---|---|---|---|")
    is_each_noticed = True
    for guard in Guard:
        tally = live_through_many(seeds, [guard], until_broken=True)
        if not tally.broken:
            is_each_noticed = False
            print(f"| {guard.value} | not noticed in {len(seeds):,} | – | – |", flush=True)
            continue
        seed, broken = min(tally.broken)
        print(f"| {guard.value} | {seed - seeds.start + 1:,} | {seed} | {broken} |", flush=True)
    return 0 if is_each_noticed else 1


if __name__ == "__main__":
    sys.exit(main())
