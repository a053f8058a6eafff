"""Drill 5. The kernel kills a run for memory.

In the first drill another program in its container uses the memory once: the run is retried and makes the same bytes.
In the second drill the run never fits: it fails after the few retries that a crash has, and its log says why. Another
run beside it succeeds, and the last good model stays the latest.
"""

import subprocess
import time
from datetime import datetime

from tests.drills.support.claims import assert_retried
from tests.drills.support.platform import give_resources

# Tells the kernel to kill the worker first. Then it uses memory until none is left, in portions so small that the
# kernel still answers.
USE_ALL_MEMORY = """
import os, time
worker, *_ = open("/proc/1/task/1/children").read().split()
open(f"/proc/{worker}/oom_score_adj", "w").write("1000")
while os.fork():
    time.sleep(0.1)
eaten = bytearray(b"x") * 2**27
time.sleep(600)
"""
# The run fits before it trains. Then trees without a limit of depth need more than the rest within seconds.
HUNGRY = {"ops": {"training": {"config": {"n_estimators": 5000, "max_depth": 64}}}}
# crashRetries in the values.
CRASH_RETRIES = 2
TIGHT = {"requests": {"cpu": "500m", "memory": "384Mi"}, "limits": {"cpu": "1", "memory": "384Mi"}}


def read_end(pod) -> dict[str, str]:
    """How the container of a pod ended; empty if it has not ended."""
    (container,) = pod["status"].get("containerStatuses") or [{}]
    return container.get("state", {}).get("terminated", {})


def was_killed_for_memory(pod) -> bool:
    return read_end(pod).get("reason") == "OOMKilled"


def test_a_run_that_is_killed_for_memory_once_goes_on_in_another_pod(platform, expected_digests) -> None:
    run, began = platform.train_for()
    pod = platform.find_pod(run)["metadata"]["name"]
    command = ["kubectl", "-n", platform.namespace, "exec", pod, "--", "python", "-c", USE_ALL_MEMORY]
    assert subprocess.run(command, check=False, capture_output=True).returncode, (
        "the program could use all memory that it wanted"
    )
    platform.wait_until("the kernel killed the worker", lambda: was_killed_for_memory(platform.find_pod(run)), 30)
    struck = datetime.fromisoformat(read_end(platform.find_pod(run))["finishedAt"]).timestamp()
    assert_retried(platform, expected_digests, "run pod killed for memory", run, began, struck)


def test_a_run_that_never_fits_ends_red_with_its_reason_and_harms_no_other(platform) -> None:
    tags = give_resources(TIGHT)
    runs = [platform.launch("refresh", run_config=HUNGRY, tags=tags)]
    beside = platform.launch("refresh")
    assert platform.webserver.wait_for_run(beside, 300) == "SUCCESS"
    assert platform.webserver.wait_for_run(runs[0], 300) == "FAILURE"
    for _ in range(CRASH_RETRIES):
        last = runs[-1]
        runs.append(platform.wait_until("the run is retried", lambda last=last: platform.find_retry(last), 60))
        assert platform.webserver.wait_for_run(runs[-1], 300) == "FAILURE"
        assert was_killed_for_memory(platform.find_pod(runs[-1]))
    time.sleep(45)  # the daemon has searched for failed runs, and the sensor for lost retries
    root, *retries = runs
    assert sorted(platform.find_runs("dagster/root_run_id", root)) == sorted(retries), "it was retried again"
    good = platform.read_digests(beside)["trained_model"]
    assert platform.webserver.read_latest_metadata("trained_model")["sha256"] == good
    platform.record(fault="run that never fits in memory", **platform.count_repetitions(beside))
    reasons = " ".join(event["message"] for event in platform.webserver.read_events(runs[-1]) if event.get("message"))
    assert "OOMKilled" in reasons, "the run does not say that it was killed for memory"
