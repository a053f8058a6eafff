"""Drill 12. The volume of PostgreSQL is lost, with every run and every loan, and is restored by the runbook's steps."""

import os
import shlex
import subprocess
import time
from pathlib import Path

import dagster as dg
import pytest

from credit_assets.definitions import defs
from resources.services.webserver import WebserverError
from resources.store.io_manager import MANIFEST_SHA256, PLACE
from tests.drills.support.pages import BACK_UP, EMPTY_THE_VOLUME, RESTORE, Steps

ROOT = Path(__file__).parents[3]
# Every artifact that a refresh leaves: what the IO manager of artifacts has stored.
ASSETS = sorted(
    key.to_user_string()
    for made in defs.assets or ()
    if isinstance(made, dg.AssetsDefinition)
    for key in made.keys
    if made.group_names_by_key[key] == "credit" and made.get_io_manager_key_for_asset_key(key) == "checkpoint_io"
)
RUNS = "SELECT run_id, status, (SELECT count(*) FROM event_logs e WHERE e.run_id = r.run_id) FROM runs r ORDER BY 1"
LOANS = "SELECT count(*), md5(string_agg(loans::text, ',' ORDER BY loans::text)) FROM loans"
CURSORS = """SELECT selector_id, status, body ->> 'cursor', body ->> 'start_timestamp' FROM (SELECT selector_id, status,
instigator_body::json -> 'job_specific_data' AS body FROM instigators) AS each ORDER BY 1"""
UNDER_WAY = "SELECT count(*) FROM runs WHERE status NOT IN ('SUCCESS', 'FAILURE', 'CANCELED')"
NEW_LOANS = """INSERT INTO loans (loan_amount, income, credit_score, age, loan_term, default_status, created_at)
SELECT loan_amount, income, credit_score, age, loan_term, default_status, created_at FROM loans LIMIT 10"""


def follow(platform, steps: Steps) -> str:
    """Runs the commands of a page, unchanged, and returns their output."""
    commands = steps.read()
    environment = {**os.environ, "NAMESPACE": platform.namespace, "RELEASE": platform.release}
    result = subprocess.run(
        ["bash", "-euc", commands], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert not result.returncode, f"{commands}{result.stdout}{result.stderr}"
    return result.stdout


def read_content(platform) -> dict[str, str]:
    """Reads everything that a restore must bring back: every run with its events, every loan, every cursor."""
    return {
        "runs": platform.run_sql(RUNS, "dagster"),
        "loans": platform.run_sql(LOANS, "lending"),
        "cursors": platform.run_sql(CURSORS, "dagster"),
    }


def read_latest(platform) -> dict[str, list[str]]:
    """Reads the digest, place and manifest of the latest materialization of each asset."""
    metadata = {asset: platform.webserver.read_latest_metadata(asset) for asset in ASSETS}
    return {asset: [metadata[asset][label] for label in ("sha256", PLACE, MANIFEST_SHA256)] for asset in ASSETS}


def lose_the_volume(platform) -> None:
    """Deletes the volume by the runbook's commands, which end with an empty volume.

    VOLUME_FREE is a command for clusters that don't free a deleted volume by themselves.
    """
    claim = f"data-{platform.release}-postgresql-0"
    volume, uid = platform.kubectl("get", "pvc", claim, "-o", "jsonpath={.spec.volumeName} {.metadata.uid}").split()
    follow(platform, EMPTY_THE_VOLUME)
    if command := os.environ.get("VOLUME_FREE"):
        subprocess.run(shlex.split(command.format(volume=volume)), check=True, capture_output=True)
        # The scheduler has given up the first pod, and would look at it again after five minutes only.
        platform.kubectl("delete", "pod", f"{platform.release}-postgresql-0")
    platform.kubectl("rollout", "status", f"statefulset/{platform.release}-postgresql", "--timeout=300s")
    assert platform.kubectl("get", "pvc", claim, "-o", "jsonpath={.metadata.uid}") != uid


def test_a_lost_volume_comes_back_from_the_last_backup(platform) -> None:
    run = platform.launch("refresh")
    assert platform.webserver.wait_for_run(run, 600) == "SUCCESS"
    platform.wait_until("no run is under way", lambda: platform.run_sql(UNDER_WAY, "dagster") == "0", 300)
    before, published = read_content(platform), read_latest(platform)
    began = time.monotonic()
    follow(platform, BACK_UP)
    backed_up = time.monotonic() - began
    assert read_content(platform)["runs"] == before["runs"], "a run began by itself while the backup was made"

    later = platform.launch("refresh")
    assert platform.webserver.wait_for_run(later, 600) == "SUCCESS"
    platform.run_sql(NEW_LOANS, "lending")
    assert read_latest(platform) != published
    runs_lost = len(set(read_content(platform)["runs"].splitlines()) - set(before["runs"].splitlines()))

    lose_the_volume(platform)
    lost = time.monotonic()
    assert platform.run_sql("SELECT to_regclass('loans')", "lending") == "", "the volume was not lost"
    assert platform.run_sql("SELECT count(*) FROM pg_tables WHERE tablename = 'runs'", "dagster") == "0" or (
        platform.run_sql("SELECT count(*) FROM runs", "dagster") == "0"
    ), "the volume was not lost"
    output = follow(platform, RESTORE)
    restored = time.monotonic() - lost
    assert "restored dagster,lending" in output

    platform.webserver.wait_for_location(60)
    assert read_content(platform) == before
    assert read_latest(platform) == published
    assert platform.webserver.read_run(run)["status"] == "SUCCESS"
    with pytest.raises(WebserverError, match="knows no run"):
        platform.webserver.read_run(later)
    again = platform.launch("refresh")
    assert platform.webserver.wait_for_run(again, 600) == "SUCCESS"
    assert platform.read_digests(again) == platform.read_digests(run)
    platform.record(
        fault="loss of PostgreSQL's volume",
        seconds_of_backup=round(backed_up, 1),
        running_again_after=round(restored, 1),
        runs_lost=runs_lost,
    )


def test_a_restore_under_a_control_plane_that_is_up_changes_nothing(platform) -> None:
    before = read_content(platform)
    job = f"restore-{int(time.time())}"
    platform.kubectl("create", "job", f"--from=cronjob/{platform.release}-postgresql-restore", job)
    platform.kubectl("wait", "--for=condition=Failed", "--timeout=180s", f"job/{job}")
    assert "Stop the control plane and the runs first" in platform.kubectl("logs", f"job/{job}", "-c", "restore")
    assert read_content(platform)["runs"] == before["runs"]
    assert read_content(platform)["loans"] == before["loans"]


def test_a_backup_that_is_not_there_leaves_the_release_stopped_and_whole(platform) -> None:
    before = read_content(platform)
    environment = {**os.environ, "NAMESPACE": platform.namespace, "RELEASE": platform.release}

    def run_restore(backup: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["helm/restore", backup], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
        )

    failed = run_restore("20200101T000000Z")
    try:
        assert failed.returncode == 1
        assert "holds no complete backup '20200101T000000Z'; there are" in failed.stdout
        assert "The release is stopped" in failed.stderr
        replicas = platform.kubectl("get", "deployments", "-o", "jsonpath={.items[*].spec.replicas}").split()
        assert set(replicas) == {"0"}
        assert read_content(platform)["loans"] == before["loans"]
    finally:
        started = run_restore("--start")
    assert started.returncode == 0, started.stderr
    platform.webserver.wait_for_location(60)
    assert set(before["runs"].splitlines()) <= set(read_content(platform)["runs"].splitlines())
