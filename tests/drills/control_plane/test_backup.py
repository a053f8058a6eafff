"""Drill 12. The volume of PostgreSQL is lost, with every run and every loan in it, and restored as the runbook says."""

import os
import re
import shlex
import subprocess
import time
from pathlib import Path

import pytest

from resources.services.webserver import WebserverError
from resources.store.io_manager import MANIFEST_SHA256, PLACE

ROOT = Path(__file__).parents[3]
RUNBOOK = ROOT / "docs" / "runbooks" / "restore-postgresql.md"
ASSETS = ("loan_dataset", "test_split", "trained_model", "model_metrics")
RUNS = "SELECT run_id, status, (SELECT count(*) FROM event_logs e WHERE e.run_id = r.run_id) FROM runs r ORDER BY 1"
LOANS = "SELECT count(*), md5(string_agg(loans::text, ',' ORDER BY loans::text)) FROM loans"
CURSORS = """SELECT selector_id, status, body ->> 'cursor', body ->> 'start_timestamp' FROM (SELECT selector_id, status,
instigator_body::json -> 'job_specific_data' AS body FROM instigators) AS each ORDER BY 1"""
UNDER_WAY = "SELECT count(*) FROM runs WHERE status NOT IN ('SUCCESS', 'FAILURE', 'CANCELED')"
NEW_LOANS = """INSERT INTO loans (loan_amount, income, credit_score, age, loan_term, default_status, created_at)
SELECT loan_amount, income, credit_score, age, loan_term, default_status, created_at FROM loans LIMIT 10"""


def follow_the_runbook(platform, heading: str, block: int = 1) -> str:
    """Runs the commands of one block of a chapter, as they stand there, and returns what they print."""
    (chapter,) = re.findall(rf"^## {heading}$(.*?)(?=^## |\Z)", RUNBOOK.read_text(), re.MULTILINE | re.DOTALL)
    commands = re.findall(r"^```\n(.*?)^```", chapter, re.MULTILINE | re.DOTALL)[block - 1]
    environment = {**os.environ, "NAMESPACE": platform.namespace, "RELEASE": platform.release}
    done = subprocess.run(
        ["bash", "-euc", commands], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert not done.returncode, f"{commands}{done.stdout}{done.stderr}"
    return done.stdout


def content(platform) -> dict[str, str]:
    """What a restore must bring back: every run with its events, every loan, every cursor."""
    return {
        "runs": platform.sql(RUNS, "dagster"),
        "loans": platform.sql(LOANS, "lending"),
        "cursors": platform.sql(CURSORS, "dagster"),
    }


def latest(platform) -> dict[str, list[str]]:
    """What the UI calls the latest of each asset."""
    found = {asset: platform.webserver.read_latest_metadata(asset) for asset in ASSETS}
    return {asset: [found[asset][label] for label in ("sha256", PLACE, MANIFEST_SHA256)] for asset in ASSETS}


def lose_the_volume(platform) -> None:
    """By the runbook's own commands, which end with an empty one. VOLUME_FREE is for clusters that free none."""
    claim = f"data-{platform.release}-postgresql-0"
    lost = platform.kubectl("get", "pvc", claim, "-o", "jsonpath={.spec.volumeName} {.metadata.uid}").split()
    follow_the_runbook(platform, "Restore", 1)
    if command := os.environ.get("VOLUME_FREE"):
        subprocess.run(shlex.split(command.format(volume=lost[0])), check=True, capture_output=True)
        # The scheduler gave the first pod up, and looks again after five minutes.
        platform.kubectl("delete", "pod", f"{platform.release}-postgresql-0")
    platform.kubectl("rollout", "status", f"statefulset/{platform.release}-postgresql", "--timeout=300s")
    assert platform.kubectl("get", "pvc", claim, "-o", "jsonpath={.metadata.uid}") != lost[1]


def test_a_lost_volume_comes_back_from_the_last_backup(platform) -> None:
    run = platform.launch("refresh")
    assert platform.webserver.wait_for_run(run, 600) == "SUCCESS"
    platform.until("no run is under way", lambda: platform.sql(UNDER_WAY, "dagster") == "0", 300)
    before, published = content(platform), latest(platform)
    began = time.monotonic()
    follow_the_runbook(platform, "Back up now", 1)
    backed_up = time.monotonic() - began
    assert content(platform)["runs"] == before["runs"], "a run began by itself while the backup was made"

    later = platform.launch("refresh")
    assert platform.webserver.wait_for_run(later, 600) == "SUCCESS"
    platform.sql(NEW_LOANS, "lending")
    assert latest(platform) != published
    runs_lost = len(set(content(platform)["runs"].splitlines()) - set(before["runs"].splitlines()))

    lose_the_volume(platform)
    lost = time.monotonic()
    assert platform.sql("SELECT to_regclass('loans')", "lending") == "", "the volume was not lost"
    assert platform.sql("SELECT count(*) FROM pg_tables WHERE tablename = 'runs'", "dagster") == "0" or (
        platform.sql("SELECT count(*) FROM runs", "dagster") == "0"
    ), "the volume was not lost"
    said = follow_the_runbook(platform, "Restore", 2)
    restored = time.monotonic() - lost
    assert "restored dagster,lending" in said

    platform.webserver.wait_for_location(60)
    assert content(platform) == before
    assert latest(platform) == published
    assert platform.webserver.read_run(run)["status"] == "SUCCESS"
    with pytest.raises(WebserverError, match="knows no run"):
        platform.webserver.read_run(later)
    again = platform.launch("refresh")
    assert platform.webserver.wait_for_run(again, 600) == "SUCCESS"
    assert platform.artifacts(again) == platform.artifacts(run)
    platform.record(
        fault="loss of PostgreSQL's volume",
        seconds_of_backup=round(backed_up, 1),
        running_again_after=round(restored, 1),
        runs_lost=runs_lost,
    )


def test_a_restore_under_a_control_plane_that_is_up_changes_nothing(platform) -> None:
    before = content(platform)
    job = f"restore-{int(time.time())}"
    platform.kubectl("create", "job", f"--from=cronjob/{platform.release}-postgresql-restore", job)
    platform.kubectl("wait", "--for=condition=Failed", "--timeout=180s", f"job/{job}")
    assert "Stop the control plane and the runs first" in platform.kubectl("logs", f"job/{job}", "-c", "restore")
    assert content(platform)["runs"] == before["runs"]
    assert content(platform)["loans"] == before["loans"]


def test_a_backup_that_is_not_there_leaves_the_release_stopped_and_whole(platform) -> None:
    before = content(platform)
    environment = {**os.environ, "NAMESPACE": platform.namespace, "RELEASE": platform.release}

    def helm_restore(which: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["helm/restore", which], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
        )

    failed = helm_restore("20200101T000000Z")
    try:
        assert failed.returncode == 1
        assert "holds no complete backup '20200101T000000Z'; there are" in failed.stdout
        assert "The release is stopped" in failed.stderr
        replicas = platform.kubectl("get", "deployments", "-o", "jsonpath={.items[*].spec.replicas}").split()
        assert set(replicas) == {"0"}
        assert content(platform)["loans"] == before["loans"]
    finally:
        started = helm_restore("--start")
    assert started.returncode == 0, started.stderr
    platform.webserver.wait_for_location(60)
    assert set(before["runs"].splitlines()) <= set(content(platform)["runs"].splitlines())
