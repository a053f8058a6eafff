"""An intruder in a run has every right that the cluster grants to runs, so it must grant only what is used."""

import subprocess

import pytest


def is_allowed(platform, component: str, verb: str, resource: str) -> bool:
    """Whether the cluster lets a component's service account do something."""
    account = f"system:serviceaccount:{platform.namespace}:{platform.release}-{component}"
    command = ["kubectl", "-n", platform.namespace, "auth", "can-i", verb, resource, "--as", account]
    answer = subprocess.run(command, check=False, capture_output=True, text=True).stdout.strip()
    assert answer in {"yes", "no"}, answer
    return answer == "yes"


def test_the_daemon_creates_jobs_and_the_webserver_deletes_them(platform) -> None:
    assert is_allowed(platform, "daemon", "create", "jobs")
    assert is_allowed(platform, "webserver", "delete", "jobs")
    assert not is_allowed(platform, "webserver", "create", "jobs")


@pytest.mark.parametrize("component", ["daemon", "webserver", "code-server", "run"])
def test_nobody_reads_secrets_creates_pods_or_grants_rights(platform, component) -> None:
    for verb, resource in (("get", "secrets"), ("list", "secrets"), ("create", "pods"), ("create", "pods/exec"),
                           ("update", "jobs"), ("create", "rolebindings"), ("get", "nodes")):  # fmt: skip
        assert not is_allowed(platform, component, verb, resource), f"{component} may {verb} {resource}"


def test_a_run_has_no_right_at_all(platform) -> None:
    for verb, resource in (("list", "pods"), ("create", "jobs"), ("list", "jobs"), ("get", "pods/log")):
        assert not is_allowed(platform, "run", verb, resource), f"a run may {verb} {resource}"


def test_a_pod_that_asks_for_privileges_is_refused_by_the_namespace(platform) -> None:
    command = [
        "kubectl",
        "-n",
        platform.namespace,
        "run",
        "intruder",
        "--image=any",
        "--privileged",
        "--dry-run=server",
    ]
    result = subprocess.run(command, check=False, capture_output=True, text=True)
    assert result.returncode
    assert "violates PodSecurity" in result.stderr
