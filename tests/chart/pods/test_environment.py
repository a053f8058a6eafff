"""An unknown variable keeps a pod from starting; one that no program reads leaves a default in place."""

import re
import subprocess
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner

from credit_assets.commands.main import cli
from resources.deployment import Deployment
from tests.chart.managed_database import MANAGED

VARIABLES = {each.metadata["name"]: each.metadata["old"] for each in fields(Deployment)}
RUN = "the pod of a run"
REPOSITORY = Path(__file__).parents[3]
EVERYTHING = {"alerts": {"secretName": "alerts"}, "metrics": {"enabled": True}}


def environments(chart) -> dict[str, list[dict[str, Any]]]:
    """The variables of every container, by pod and container; runs as the instance describes them."""
    found = {
        f"{name}/{container['name']}": container.get("env", [])
        for name, template in chart.pods().items()
        for container in [*template["spec"].get("initContainers", []), *template["spec"]["containers"]]
    }
    return found | {RUN: chart.instance["run_launcher"]["config"]["run_k8s_config"]["container_config"]["env"]}


@pytest.mark.parametrize("values", [{}, EVERYTHING, MANAGED], ids=["defaults", "everything", "managed"])
def test_a_pod_sets_no_variable_that_the_deployment_refuses(render, values) -> None:
    for name, environment in environments(render(**values)).items():
        ours = {each["name"] for each in environment if each["name"].startswith("PLATFORM_")}
        assert ours <= VARIABLES.keys(), name


@pytest.mark.parametrize("values", [{}, EVERYTHING], ids=["defaults", "everything"])
def test_only_the_pod_of_a_run_has_the_names_of_the_release_before(render, values) -> None:
    old = {name for name in VARIABLES.values() if name}
    for name, environment in environments(render(**values)).items():
        if name != RUN:
            assert not old & {each["name"] for each in environment}, f"{name} has the image of this release only"


def test_a_run_with_the_image_of_the_release_before_finds_the_variables_that_it_reads(chart) -> None:
    given = {each["name"]: {**each, "name": ""} for each in environments(chart)[RUN]}
    before = {
        "CREDIT_EXECUTOR", "CREDIT_SETTINGS", "CREDIT_STORE", "DAGSTER_RUN_ID", "DAGSTER_RUN_LEASE_SECONDS",
        "DAGSTER_STEP_KEY", "LOANS_DATABASE_URL", "NODE_NAME",
    }  # fmt: skip
    new_names = {old: name for name, old in VARIABLES.items() if old in before}
    assert new_names.keys() == before
    for old, name in new_names.items():
        assert given[old] == given[name], "a run that was queued before the upgrade has the old image"


@pytest.mark.parametrize(
    "values", [{}, MANAGED, {"store": {"secretName": "keys"}}], ids=["defaults", "managed", "keys"]
)
def test_a_lineage_is_read_with_the_settings_the_store_and_the_rights_of_a_run_and_no_others(render, values) -> None:
    chart = render(**values)
    job = chart.one("CronJob", "rel-lineage")["spec"]
    assert job["suspend"] is True, "it never runs by itself"
    spec = job["jobTemplate"]["spec"]["template"]["spec"]
    launcher = chart.instance["run_launcher"]["config"]
    assert spec["serviceAccountName"] == launcher["service_account_name"]
    assert spec["automountServiceAccountToken"] is False
    run, (container,) = {each["name"]: each for each in environments(chart)[RUN]}, spec["containers"]
    given = {each["name"]: each for each in container["env"]}
    assert {"PLATFORM_SETTINGS", "PLATFORM_STORE", "AWS_REGION"} <= given.keys()
    assert given.keys() - run.keys() == {"DAGSTER_PG_PASSWORD", "LINEAGE_OF"}
    assert ("AWS_SECRET_ACCESS_KEY" in given) is ("store" in values)
    assert all(given[name] == run[name] for name in given.keys() & run.keys())
    (mount,) = [each for each in container["volumeMounts"] if each["mountPath"].endswith("/dagster.yaml")]
    config = yaml.safe_load(chart.one("ConfigMap", "rel-instance")["data"][mount["subPath"]])
    assert config["storage"] == chart.instance["storage"]
    assert "run_launcher" not in config, "it would ask for a token"


def test_every_pod_that_reaches_the_store_has_its_private_ca_and_its_proxy(render, chart) -> None:
    proxy = {"HTTPS_PROXY": "http://proxy:3128", "NO_PROXY": ".svc,10.0.0.0"}
    private = render(store={"caConfigMap": "our-ca", "variables": proxy})
    pods = {name: template["spec"] for name, template in private.pods().items()}
    launcher = private.instance["run_launcher"]["config"]
    mounts = {RUN: launcher["volume_mounts"], **mounts_of(pods)}
    volumes = {RUN: launcher["volumes"], **{name: spec.get("volumes", []) for name, spec in pods.items()}}
    reaching = {
        name: {each["name"]: each.get("value") for each in environment}
        for name, environment in environments(private).items()
        if "AWS_REGION" in {each["name"] for each in environment}
    }
    assert {RUN, "CronJob/rel-postgresql-backup/keep", "Deployment/rel-daemon/daemon"} <= reaching.keys()
    for name, environment in reaching.items():
        assert proxy.items() <= environment.items(), name
        folder, _, file = str(environment["AWS_CA_BUNDLE"]).rpartition("/")
        assert file == "ca.crt"
        assert {"name": "store-ca", "mountPath": folder, "readOnly": True} in mounts[name], name
        assert {"name": "store-ca", "configMap": {"name": "our-ca"}} in volumes[name.rpartition("/")[0] or name], name
    assert "store-ca" not in str(chart.objects)
    assert "AWS_CA_BUNDLE" not in str(chart.objects)


def mounts_of(pods: dict[str, dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    """The mounts of every container, by pod and container."""
    return {
        f"{name}/{container['name']}": container.get("volumeMounts", [])
        for name, spec in pods.items()
        for container in [*spec.get("initContainers", []), *spec["containers"]]
    }


def test_the_runbooks_read_a_lineage_in_the_job_that_can(chart) -> None:
    pages = [each.read_text() for each in (REPOSITORY / "docs").rglob("*.md")]
    assert sum("helm/lineage" in each for each in pages) >= 2
    for page in pages:
        assert not re.search(r"exec .*credit-platform lineage", page), "no pod that always runs has settings and rights"
    assert "cronjob/$release-lineage" in (REPOSITORY / "helm" / "lineage").read_text()
    (container,) = chart.one("CronJob", "rel-lineage")["spec"]["jobTemplate"]["spec"]["template"]["spec"]["containers"]
    program, command, what = container["args"]
    (variable,) = [each for each in container["env"] if each["name"] == "LINEAGE_OF"]
    assert (program, what, variable["value"]) == ("credit-platform", "$(LINEAGE_OF)", "latest")
    assert "[WHAT]" in CliRunner().invoke(cli, [command, "--help"]).output


# As the real one: `set env` prints nothing if nothing changes, and `create` refuses an empty manifest.
KUBECTL = """#!/bin/bash
echo "$@" >> "$CALLS"
case "$*" in
  *" --dry-run=client "*) echo "the job of latest" ;;
  *" set env "*LINEAGE_OF=latest*) cat >/dev/null ;;
  *" set env "*) cat ;;
  *" get job "*succeeded*) echo "$SUCCEEDED" ;;
  *" get job "*) echo "${SUCCEEDED:+Complete}${FAILED:+Failed}" ;;
  *" logs "*) echo "the lineage" ;;
  *" create --filename"*) grep --quiet "the job" ;;
esac
"""


def call_lineage(folder: Path, *arguments: str, **outcome: str) -> tuple[subprocess.CompletedProcess[str], str]:
    """Runs helm/lineage with a `kubectl` that notes its calls: how it ended, and the calls."""
    program, calls = folder / "kubectl", folder / "calls"
    program.write_text(KUBECTL)
    program.chmod(0o755)
    calls.touch()
    environment = {
        "PATH": f"{folder}:/usr/bin:/bin",
        "CALLS": str(calls),
        "NAMESPACE": "ns",
        "RELEASE": "rel",
        **outcome,
    }
    script = str(REPOSITORY / "helm" / "lineage")
    done = subprocess.run([script, *arguments], env=environment, capture_output=True, text=True, check=False)
    return done, calls.read_text()


@pytest.mark.parametrize(
    ("arguments", "changed"),
    [([], None), (["latest"], None), (["--of-code=trained_model:2"], "--of-code=trained_model:2")],
)
def test_a_lineage_is_printed_of_what_was_named(tmp_path: Path, arguments: list[str], changed: str | None) -> None:
    done, calls = call_lineage(tmp_path, *arguments, SUCCEEDED="1")
    assert (done.returncode, done.stdout) == (0, "the lineage\n"), done.stderr
    assert "--namespace ns create job --from=cronjob/rel-lineage rel-lineage-" in calls
    assert (f"LINEAGE_OF={changed} " in calls) if changed else ("LINEAGE_OF" not in calls)


def test_a_lineage_that_fails_is_no_success_and_its_log_is_shown(tmp_path: Path) -> None:
    done, _ = call_lineage(tmp_path, "99", FAILED="1")
    assert (done.returncode, done.stdout) == (1, "the lineage\n")


def test_two_arguments_are_refused_before_a_job_is_made(tmp_path: Path) -> None:
    done, calls = call_lineage(tmp_path, "--of-code", "trained_model:2", SUCCEEDED="1")
    assert done.returncode == 2
    assert "write an option with =" in done.stderr
    assert not calls


@pytest.mark.parametrize("values", [{}, MANAGED], ids=["defaults", "managed"])
def test_a_secret_of_the_loans_without_a_database_for_scores_stops_no_pod(render, values) -> None:
    variables = {each["name"]: each for each in environments(render(**values))[RUN]}
    loans, scores = (
        variables[name]["valueFrom"]["secretKeyRef"] for name in ("PLATFORM_DATABASE_URL", "PLATFORM_SCORES_URL")
    )
    assert scores == {"name": loans["name"], "key": "SCORES_DATABASE_URL", "optional": True}
    assert "optional" not in loans


def test_every_variable_has_one_value(chart) -> None:
    for name, environment in environments(chart).items():
        names = [each["name"] for each in environment]
        assert len(names) == len(set(names)), name
