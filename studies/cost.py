"""What a release costs a month on spot and on-demand nodes, from the requests of its pods and prices that you give.

kubectl -n credit get deploy,sts,cm -o json | .venv/bin/python -m studies.cost --on-demand 0.04 0.005 …
helm template platform helm/credit-platform | .venv/bin/python -m studies.cost --on-demand 0.04 0.005 …

It counts the requests of pods. Free room on nodes, volumes, traffic and the object store cost extra.
"""

import argparse
import statistics
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import yaml
from kubernetes.utils.quantity import parse_quantity

from resources.services.webserver import Webserver

HOURS_A_MONTH = 730
ENDED = "{ runsOrError(filter: { statuses: [SUCCESS] }, limit: 100) { ... on Runs { results { startTime endTime } } } }"
# Which parts are on spot nodes in which case.
CASES = {"all on demand": set(), "runs on spot": {"runs"}, "all but PostgreSQL on spot": {"runs", "control plane"}}


@dataclass(frozen=True)
class Amount:
    """vCPUs and GiB of pods, or the price of an hour of each."""

    cpu: float = 0
    gib: float = 0

    def __add__(self, other: "Amount") -> "Amount":
        return Amount(self.cpu + other.cpu, self.gib + other.gib)

    def multiply(self, factor: float) -> "Amount":
        return Amount(self.cpu * factor, self.gib * factor)

    def compute_cost(self, price: "Amount") -> float:
        return self.cpu * price.cpu + self.gib * price.gib


def flatten_objects(documents: Iterable[Any]) -> list[dict[str, Any]]:
    """The objects in the output of `helm template` or `kubectl get`."""
    return [item for each in documents if each for item in each.get("items", [each])]


def read_requests(resources: dict[str, Any]) -> Amount:
    """The requests of one container."""
    requests = resources.get("requests", {})
    return Amount(
        float(parse_quantity(requests.get("cpu", 0))), float(parse_quantity(requests.get("memory", 0))) / 2**30
    )


def sum_resident_pods(objects: list[dict[str, Any]]) -> dict[str, Amount]:
    """Requests of the pods that always run: control plane and PostgreSQL, each with all its replicas."""
    parts = {"control plane": Amount(), "PostgreSQL": Amount()}
    for each in objects:
        if each["kind"] in ("Deployment", "StatefulSet"):
            part = "PostgreSQL" if each["kind"] == "StatefulSet" else "control plane"
            containers = each["spec"]["template"]["spec"]["containers"]
            pod = sum((read_requests(container["resources"]) for container in containers), Amount())
            parts[part] += pod.multiply(each["spec"]["replicas"])
    return parts


def read_run_requests(objects: list[dict[str, Any]]) -> Amount:
    """Requests of the pod of one run, from the configuration of its launcher."""
    texts = [each["data"]["dagster.yaml"] for each in objects if "dagster.yaml" in (each.get("data") or {})]
    if len(texts) != 1:
        raise SystemExit(f"expected the ConfigMap of one release (dagster.yaml) on standard input, found {len(texts)}")
    return read_requests(yaml.safe_load(texts[0])["run_launcher"]["config"]["resources"])


def fetch_run_seconds(webserver: Webserver) -> float:
    """The median duration of the last 100 runs that succeeded."""
    runs = webserver.query(ENDED)["runsOrError"]["results"]
    if not runs:
        raise SystemExit(f"{webserver.url} knows no run that succeeded; give --run-seconds")
    return statistics.median(run["endTime"] - run["startTime"] for run in runs)


def compute_monthly_costs(
    hours: Mapping[str, tuple[Amount, float]], on_demand: Amount, spot: Amount
) -> dict[str, dict[str, float]]:
    """Cost a month of each part, by case. `hours`: the requests of a part, and its hours a month."""
    return {
        case: {
            part: amount.compute_cost(spot if part in on_spot else on_demand) * time
            for part, (amount, time) in hours.items()
        }
        for case, on_spot in CASES.items()
    }


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m studies.cost", description=__doc__)
    pair = {"nargs": 2, "type": float, "required": True, "metavar": ("VCPU", "GIB")}
    parser.add_argument("--on-demand", **pair, help="price of an hour of a vCPU, and of a GiB, in any currency")
    parser.add_argument("--spot", **pair, help="the same on spot nodes")
    parser.add_argument("--runs-per-day", type=float, required=True)
    parser.add_argument("--run-seconds", type=float, help="how long a run takes; or --ui, to look it up")
    parser.add_argument("--ui", help="address of the webserver, whose last runs say how long one takes")
    given = parser.parse_args(arguments)
    if (given.run_seconds is None) == (given.ui is None):
        parser.error("give --run-seconds or --ui, one of them")
    objects = flatten_objects(yaml.safe_load_all(sys.stdin))
    seconds = fetch_run_seconds(Webserver(given.ui)) if given.run_seconds is None else given.run_seconds
    hours = {part: (amount, HOURS_A_MONTH) for part, amount in sum_resident_pods(objects).items()}
    hours["runs"] = (read_run_requests(objects), given.runs_per_day * HOURS_A_MONTH / 24 * seconds / 3600)
    costs = compute_monthly_costs(hours, Amount(*given.on_demand), Amount(*given.spot))
    print(f"a month of {HOURS_A_MONTH} hours, {given.runs_per_day:g} runs a day of {seconds:.0f} s each")
    print(f"{'':<14}{'vCPU':>6}{'GiB':>7}{'hours':>8}" + "".join(f"{case:>28}" for case in costs))
    for part, (amount, time) in hours.items():
        cells = "".join(f"{cost[part]:>28.2f}" for cost in costs.values())
        print(f"{part:<14}{amount.cpu:>6.2f}{amount.gib:>7.2f}{time:>8.1f}{cells}")
    print(f"{'total':<35}" + "".join(f"{sum(cost.values()):>28.2f}" for cost in costs.values()))


if __name__ == "__main__":
    main()
