"""What measured spot interruptions do to trainings: with blocks, from zero, and on demand.

The format of a trace is that of github.com/skypilot-org/spot-traces; `python -m studies.spot_traces.trace` generates
one. The same arguments print the same table. The exit code is 1 if no run is completed on one of the traces.
"""

import argparse
import math
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import yaml

from studies.spot_traces.plot import write_plot
from studies.spot_traces.replay import ALWAYS, replay, replay_undisturbed
from studies.spot_traces.report import BLOCKS, ON_DEMAND, ZERO, Result, tabulate
from studies.spot_traces.run import Platform, Training, find_request_times
from studies.spot_traces.trace import Trace, TraceError, read_trace

CHART = Path(__file__).parents[2] / "helm" / "credit-platform" / "values.yaml"
DRILLS = ", assumed; docs/kubernetes/drills.md has what was measured"
SHOWING_DEFAULTS = argparse.ArgumentDefaultsHelpFormatter


def parse_positive(text: str) -> float:
    if (value := parse_at_least_zero(text)) == 0:
        raise argparse.ArgumentTypeError("0: expected a number above 0")
    return value


def parse_at_least_zero(text: str) -> float:
    value = float(text)
    if not 0 <= value < math.inf:
        raise argparse.ArgumentTypeError(f"{text}: expected a number, 0 or more")
    return value


def make_parser() -> argparse.ArgumentParser:
    daemon = yaml.safe_load(CHART.read_text())["dagsterDaemon"]
    retries, watch = daemon["runRetries"], daemon["runMonitoring"]
    parser = argparse.ArgumentParser(
        prog="python -m studies.spot_traces", description=__doc__, formatter_class=SHOWING_DEFAULTS
    )
    parser.add_argument("traces", nargs="+", type=Path, metavar="TRACE.json")
    price: dict[str, Any] = {"type": parse_positive, "required": True, "metavar": "PRICE", "default": argparse.SUPPRESS}
    parser.add_argument("--on-demand", **price, help="of an hour of a machine, in any currency")
    parser.add_argument("--spot", **price, help="the same on the spot market")
    parser.add_argument("--work", nargs="+", type=parse_positive, default=[40, 7200], help="seconds of each training")
    parser.add_argument("--tree", type=parse_positive, default=0.5, help="seconds that one tree takes")
    parser.add_argument("--weeks", type=parse_positive, default=52, help="to simulate, each trace repeated")
    parser.add_argument(
        "--every",
        type=parse_positive,
        metavar="HOURS_A_MONTH",
        help="a run in each so many; without: the refresh schedule",
    )
    parser.add_argument("--notice", type=parse_at_least_zero, default=0, help="seconds before a loss; 0: none")
    seconds: dict[str, Any] = {"type": parse_at_least_zero, "metavar": "SECONDS"}
    lease = watch["unreachableSeconds"] + watch["pollIntervalSeconds"]
    noticed = (
        "from a loss without notice to the failure of the run, by default the chart's unreachableSeconds and a poll"
    )
    parser.add_argument("--noticed", **seconds, default=lease, help=noticed)
    given_up = "the same before the run has a worker with a lease: as Kubernetes gives up a node (decision 0015)"
    parser.add_argument("--given-up", **seconds, default=60, help=given_up)
    restart = "from noticing to training again, if a machine is there (training again less noticed)" + DRILLS
    parser.add_argument("--restart", **seconds, default=6, help=restart)
    parser.add_argument("--first-step", **seconds, default=4.5, help="from request to training" + DRILLS)
    parser.add_argument("--writing", type=parse_at_least_zero, default=0.05, help="seconds to write a block, assumed")
    parser.add_argument("--reading", type=parse_at_least_zero, default=0.02, help="seconds to read one, assumed")
    chart = ", by default the chart's"
    parser.add_argument("--retries", type=int, default=retries["maxRetries"], help="of a run" + chart)
    bound = "attempts at a run that are bound to spot nodes" + chart
    parser.add_argument("--spot-attempts", type=int, default=retries["spotAttempts"], help=bound)
    timeout = watch["startTimeoutSeconds"]
    parser.add_argument(
        "--start-timeout", type=parse_at_least_zero, default=timeout, help="seconds without a machine" + chart
    )
    forgets = "share of promised retries that never come, and the sensor finds (dagster issue 33741)"
    parser.add_argument("--forgets", type=parse_at_least_zero, default=0.0022, help=forgets)
    parser.add_argument("--seed", type=int, default=0, help="of what is drawn")
    parser.add_argument("--plot", type=Path, metavar="FILE.png", help="waste and cost, as a picture")
    return parser


def compute_results(
    traces: Sequence[Trace], training: Training, given: argparse.Namespace
) -> tuple[list[Result], Result]:
    """The results of both policies on every trace, and the result on demand."""
    platform = Platform(
        retries=given.retries,
        spot_attempts=given.spot_attempts,
        start_timeout=given.start_timeout,
        notice=given.notice,
        noticed=given.noticed,
        given_up=given.given_up,
        restart=given.restart,
        first=given.first_step,
        writing=given.writing,
        reading=given.reading,
        forgets=given.forgets,
        seed=given.seed,
    )
    times, found = list(find_request_times(given.weeks, given.every, given.seed)), []
    prices = given.spot, given.on_demand
    for trace in traces:
        for policy, ours in ((BLOCKS, platform), (ZERO, replace(platform, blocks=False))):
            outcomes = [replay(trace, training, ours, moment) for moment in times]
            found.append(Result(trace.name, policy, outcomes, replay_undisturbed(training, ours).bought, *prices))
    alone = replay_undisturbed(training, platform)
    return found, Result(ALWAYS.name, ON_DEMAND, [alone] * len(times), alone.bought, *prices)


def main(arguments: Sequence[str] | None = None) -> int:
    given = make_parser().parse_args(arguments)
    try:
        traces = [read_trace(path) for path in given.traces]
        if len({trace.name for trace in traces}) < len(traces):
            raise TraceError("two traces have files of the same name: name them differently, for the table")
    except TraceError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    groups = []
    for training in (Training(work, given.tree) for work in given.work):
        found, on_demand = compute_results(traces, training, given)
        groups.append((training, found, on_demand))
        print(f"{tabulate(training, found, on_demand)}\n", flush=True)
    if given.plot:
        write_plot(groups, given.plot)
    nothing = {each.market for _, found, _ in groups for each in found if each.policy == BLOCKS and not each.completed}
    if nothing:
        print(f"error: no run was completed with blocks on {', '.join(sorted(nothing))}", file=sys.stderr)
    return 1 if nothing else 0


if __name__ == "__main__":
    sys.exit(main())
