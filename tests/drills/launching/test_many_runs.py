"""Fifty runs at once, and what they ask of PostgreSQL: it must have connections left when the last of them wants one.

They only read the loans, in pods that ask for little, so that a laptop's cluster can hold fifty.
"""

import json

from tests.drills.support.cluster import upgraded

RUNS = 50
SMALL = {
    "container_config": {"resources": {"requests": {"cpu": "20m", "memory": "128Mi"}, "limits": {"memory": "1Gi"}}}
}
TAGS = {"dagster-k8s/config": json.dumps(SMALL)}
AT_ONCE = "dagsterDaemon.runCoordinator.config.queuedRunCoordinator.maxConcurrentRuns"
OPEN = "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
LIMIT = "SELECT current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int"


def test_fifty_runs_at_once_leave_connections_for_others(platform) -> None:
    with upgraded("--set", f"{AT_ONCE}={RUNS}"):
        platform.webserver.wait_for_location(120)
        idle = int(platform.sql(OPEN, "dagster"))
        runs = [platform.launch("__ASSET_JOB", ["loan_dataset"], tags=TAGS) for _ in range(RUNS)]
        seen: list[tuple[int, int]] = []

        def over() -> bool:
            alive = sum(platform.webserver.read_run(run)["status"] == "STARTED" for run in runs)
            seen.append((alive, int(platform.sql(OPEN, "dagster"))))
            return all(platform.webserver.read_run(run)["endTime"] for run in runs)

        platform.until("all of them have ended", over, 900)
        assert {platform.webserver.read_run(run)["status"] for run in runs} == {"SUCCESS"}
        most = max(connections for _, connections in seen)
        assert most < int(platform.sql(LIMIT, "dagster")), "somebody was turned away"
        platform.record(
            fault=f"nothing, {RUNS} runs at once",
            runs_at_once=max(alive for alive, _ in seen),
            connections_idle=idle,
            connections_at_most=most,
        )
