"""Drill 5. The kernel kills a run for memory.

Once, because something else in its container ate it: the run is retried and makes the same bytes. Every time, because
it never fits: it ends red after the few retries that a crash has, and says why, another run beside it ends well, and
the last good model stays the latest.
"""

import json
import subprocess
import time

from tests.drills.support.claims import goes_on

# Asks the kernel to take the worker first, and takes the memory beside it until there is none left, in portions so
# small that the kernel listens.
EAT = """
import os, time
worker, *_ = open("/proc/1/task/1/children").read().split()
open(f"/proc/{worker}/oom_score_adj", "w").write("1000")
while os.fork():
    time.sleep(0.1)
eaten = bytearray(b"x") * 2**27
time.sleep(600)
"""
# What a run needs before it trains fits; trees without a limit of depth outgrow the rest within seconds.
HUNGRY = {"ops": {"training": {"config": {"n_estimators": 5000, "max_depth": 64}}}}
# crashRetries in the values.
CRASH_RETRIES = 2
TIGHT = {"requests": {"cpu": "500m", "memory": "384Mi"}, "limits": {"cpu": "1", "memory": "384Mi"}}


def killed_for(pod) -> str | None:
    """Why the container of a pod ended; None if it has not."""
    (container,) = pod["status"].get("containerStatuses") or [{}]
    return container.get("state", {}).get("terminated", {}).get("reason")


def test_a_run_that_is_killed_for_memory_once_goes_on_in_another_pod(platform, undisturbed) -> None:
    run, began = platform.train_until_struck()
    pod = platform.pod(run)["metadata"]["name"]
    struck = time.time()
    command = ["kubectl", "-n", platform.namespace, "exec", pod, "--", "python", "-c", EAT]
    assert subprocess.run(command, check=False, capture_output=True).returncode, "the memory had no end"
    platform.until("the kernel killed the worker", lambda: killed_for(platform.pod(run)) == "OOMKilled", 30)
    goes_on(platform, undisturbed, "run pod killed for memory", run, began, struck)


def test_a_run_that_never_fits_ends_red_with_its_reason_and_harms_no_other(platform) -> None:
    tags = {"dagster-k8s/config": json.dumps({"container_config": {"resources": TIGHT}})}
    runs = [platform.launch("refresh", run_config=HUNGRY, tags=tags)]
    beside = platform.launch("refresh")
    assert platform.webserver.wait_for_run(beside, 300) == "SUCCESS"
    assert platform.webserver.wait_for_run(runs[0], 300) == "FAILURE"
    for _ in range(CRASH_RETRIES):
        last = runs[-1]
        runs.append(platform.until("the run is retried", lambda last=last: platform.retry_of(last), 60))
        assert platform.webserver.wait_for_run(runs[-1], 300) == "FAILURE"
        assert killed_for(platform.pod(runs[-1])) == "OOMKilled"
    time.sleep(45)  # the daemon has looked for failed runs, and the sensor for lost retries
    root, *retries = runs
    assert sorted(platform.tagged("dagster/root_run_id", root)) == sorted(retries), "it was retried for ever"
    good = platform.artifacts(beside)["trained_model"]
    assert platform.webserver.read_latest_metadata("trained_model")["sha256"] == good
    platform.record(fault="run that never fits in memory", **platform.counted(beside))
    reasons = " ".join(event["message"] for event in platform.webserver.read_events(runs[-1]) if event.get("message"))
    assert "OOMKilled" in reasons, "the run does not say that it was killed for memory"
