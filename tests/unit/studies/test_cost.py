"""A cost that forgets a replica or puts a part on the wrong nodes decides for the wrong cluster."""

import io
from typing import Any

import pytest
import yaml

from studies.cost import Amount, compute_monthly_costs, main, read_requests, read_run_requests, sum_resident_pods

RUN = {"run_launcher": {"config": {"resources": {"requests": {"cpu": "500m", "memory": "1Gi"}}}}}
INSTANCE = {"kind": "ConfigMap", "data": {"dagster.yaml": yaml.safe_dump(RUN)}}


def workload(kind: str, replicas: int, cpu: str, memory: str) -> dict[str, Any]:
    container = {"resources": {"requests": {"cpu": cpu, "memory": memory}}}
    return {"kind": kind, "spec": {"replicas": replicas, "template": {"spec": {"containers": [container]}}}}


RELEASE = [workload("Deployment", 2, "250m", "512Mi"), workload("StatefulSet", 1, "1", "2Gi"), INSTANCE]


def test_requests_are_read_as_kubernetes_writes_them() -> None:
    assert read_requests({"requests": {"cpu": "250m", "memory": "512Mi"}}) == Amount(0.25, 0.5)
    assert read_requests({"requests": {"cpu": 2}}) == Amount(2, 0)
    assert read_requests({"limits": {"cpu": "9"}}) == Amount()


def test_every_replica_counts_and_only_a_stateful_set_is_postgresql() -> None:
    assert sum_resident_pods(RELEASE) == {"control plane": Amount(0.5, 1), "PostgreSQL": Amount(1, 2)}


def test_each_case_puts_only_its_own_parts_on_spot_nodes() -> None:
    hours = {part: (Amount(1, 0), 1.0) for part in ("control plane", "PostgreSQL", "runs")}
    costs = compute_monthly_costs(hours, on_demand=Amount(10, 0), spot=Amount(1, 0))
    assert costs == {
        "all on demand": {"control plane": 10, "PostgreSQL": 10, "runs": 10},
        "runs on spot": {"control plane": 10, "PostgreSQL": 10, "runs": 1},
        "all but PostgreSQL on spot": {"control plane": 1, "PostgreSQL": 10, "runs": 1},
    }


@pytest.mark.parametrize("listed", [True, False], ids=["kubectl get", "helm template"])
def test_the_table_adds_up(monkeypatch, capsys, listed) -> None:
    text = yaml.safe_dump({"items": RELEASE}) if listed else yaml.safe_dump_all([*RELEASE, None])
    monkeypatch.setattr("sys.stdin", io.StringIO(text))
    main(["--on-demand", "1", "1", "--spot", "0.5", "0.5", "--runs-per-day", "24", "--run-seconds", "3600"])
    *_, runs, total = capsys.readouterr().out.splitlines()
    assert runs.split() == ["runs", "0.50", "1.00", "730.0", "1095.00", "547.50", "547.50"]
    assert total.split() == ["total", "4380.00", "3832.50", "3285.00"]


def test_no_release_and_two_releases_are_refused() -> None:
    for objects in ([], [INSTANCE, INSTANCE]):
        with pytest.raises(SystemExit, match=f"found {len(objects)}"):
            read_run_requests(objects)
