"""Fifty runs at once, and their connections to PostgreSQL: the last of the runs must still get one.

The runs only read the loans, in pods with small requests, so that the cluster of a laptop has room for fifty.
"""

from tests.drills.support.cluster import upgrade_release
from tests.drills.support.platform import give_resources

RUNS = 50
SMALL = {"requests": {"cpu": "20m", "memory": "128Mi"}, "limits": {"memory": "1Gi"}}
AT_ONCE = "dagsterDaemon.runCoordinator.config.queuedRunCoordinator.maxConcurrentRuns"
OPEN = "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
LIMIT = "SELECT current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int"


def test_fifty_runs_at_once_leave_connections_for_others(platform) -> None:
    with upgrade_release("--set", f"{AT_ONCE}={RUNS}"):
        platform.webserver.wait_for_location(120)
        idle = int(platform.run_sql(OPEN, "dagster"))
        runs = [platform.launch("__ASSET_JOB", ["loan_dataset"], tags=give_resources(SMALL)) for _ in range(RUNS)]
        samples: list[tuple[int, int]] = []

        def have_all_ended() -> bool:
            alive = sum(platform.webserver.read_run(run)["status"] == "STARTED" for run in runs)
            samples.append((alive, int(platform.run_sql(OPEN, "dagster"))))
            return all(platform.webserver.read_run(run)["endTime"] for run in runs)

        platform.wait_until("all of them have ended", have_all_ended, 900)
        assert {platform.webserver.read_run(run)["status"] for run in runs} == {"SUCCESS"}
        most = max(connections for _, connections in samples)
        assert most < int(platform.run_sql(LIMIT, "dagster")), "PostgreSQL refused connections"
        platform.record(
            fault=f"nothing, {RUNS} runs at once",
            runs_at_once=max(alive for alive, _ in samples),
            connections_idle=idle,
            connections_at_most=most,
        )
