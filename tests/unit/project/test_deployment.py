"""A variable that is mistyped, forgotten or set twice must stop a release, and not make it work on another's data."""

import ast
import logging
import os
import re
import subprocess
import sys
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from credit_assets.definitions import build_defs
from resources.deployment import Deployment
from resources.environment import DeploymentError, changed_environment

REPOSITORY = Path(__file__).parents[3]
# By which a module gets at variables. `environment` is the one module that does; AWS's are read where boto3 reads them.
READERS = {"environ", "getenv", "environb", "EnvVar"}
READS = {"resources/environment.py"}
READS_AWS = {"resources/store/aws.py"}

OLD_NAMES = {
    "CREDIT_SETTINGS": "PLATFORM_SETTINGS",
    "CREDIT_STORE": "PLATFORM_STORE",
    "CREDIT_EXECUTOR": "PLATFORM_EXECUTOR",
    "LOANS_DATABASE_URL": "PLATFORM_DATABASE_URL",
    "DAGSTER_POSTGRES_URL": "PLATFORM_HISTORY_URL",
    "ALERT_WEBHOOK_URL": "PLATFORM_WEBHOOK_URL",
    "DAGSTER_UI_URL": "PLATFORM_UI_URL",
    "DAGSTER_WEBSERVER_URL": "PLATFORM_WEBSERVER_URL",
    "NODE_NAME": "PLATFORM_NODE",
    "NODE_CAPACITY": "PLATFORM_CAPACITY",
    "DAGSTER_RETRY_NUMBER": "PLATFORM_ATTEMPT",
    "DAGSTER_RUN_ID": "PLATFORM_RUN_ID",
    "DAGSTER_STEP_KEY": "PLATFORM_STEP",
    "DAGSTER_RUN_LEASE_SECONDS": "PLATFORM_RUN_LEASE_SECONDS",
    "DAGSTER_DAEMON_LEASE_SECONDS": "PLATFORM_DAEMON_LEASE_SECONDS",
    "DAGSTER_DAEMON_HEARTBEAT_TOLERANCE": "PLATFORM_HEARTBEAT_SECONDS",
    "DAGSTER_DAEMON_METRICS_PORT": "PLATFORM_METRICS_PORT",
    "BACKUP": "PLATFORM_BACKUP",
}
VALUES = {
    "PLATFORM_EXECUTOR": "k8s_job",
    "PLATFORM_ATTEMPT": "3",
    "PLATFORM_RUN_LEASE_SECONDS": "3.5",
    "PLATFORM_DAEMON_LEASE_SECONDS": "4",
    "PLATFORM_HEARTBEAT_SECONDS": "60",
    "PLATFORM_METRICS_PORT": "9464",
}


@pytest.fixture
def warnings(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.set_level(logging.WARNING, "resources")
    return caplog


@pytest.mark.parametrize(("old", "new"), OLD_NAMES.items())
def test_an_old_name_works_for_one_more_release_and_says_the_new_one(old, new, warnings) -> None:
    value = VALUES.get(new, "some value")
    expected = Deployment.from_environment({new: value})
    assert not warnings.records
    assert expected != Deployment()
    assert Deployment.from_environment({old: value}) == expected
    (warning,) = warnings.messages
    assert f"{old} is now {new}" in warning


def test_no_other_variable_has_an_old_name() -> None:
    assert {
        each.metadata["old"]: each.metadata["name"] for each in fields(Deployment) if each.metadata["old"]
    } == OLD_NAMES


def test_a_pod_that_gets_both_names_from_its_chart_is_not_warned(warnings) -> None:
    both = {"CREDIT_STORE": "s3://one", "PLATFORM_STORE": "s3://one"}
    assert Deployment.from_environment(both).store == "s3://one"
    assert not warnings.records


def test_two_values_of_one_variable_are_refused() -> None:
    with pytest.raises(DeploymentError, match=r"PLATFORM_STORE and its old name CREDIT_STORE .* unset CREDIT_STORE"):
        Deployment.from_environment({"CREDIT_STORE": "s3://one", "PLATFORM_STORE": "s3://two"})


def test_a_mistyped_variable_is_refused_with_the_choices() -> None:
    with pytest.raises(DeploymentError, match=r"^PLATFORM_STOR: not a variable .*PLATFORM_STEP, PLATFORM_STORE, "):
        Deployment.from_environment({"PLATFORM_STOR": "s3://one"})


def test_the_pod_of_a_run_ignores_the_variables_of_a_newer_release(warnings) -> None:
    newer = {"PLATFORM_RUN_ID": "1234", "PLATFORM_COLOUR": "blue"}
    assert Deployment.from_environment(newer) == Deployment(run_id="1234")
    assert "PLATFORM_COLOUR" in warnings.text


def test_what_kubernetes_says_of_the_services_of_a_release_called_platform_is_not_ours() -> None:
    links = {
        "PLATFORM_WEBSERVER_SERVICE_HOST": "10.0.0.1",
        "PLATFORM_WEBSERVER_SERVICE_PORT": "80",
        "PLATFORM_WEBSERVER_SERVICE_PORT_HTTP": "80",
        "PLATFORM_WEBSERVER_PORT": "tcp://10.0.0.1:80",
        "PLATFORM_WEBSERVER_PORT_80_TCP": "tcp://10.0.0.1:80",
        "PLATFORM_WEBSERVER_PORT_80_TCP_PROTO": "tcp",
        "PLATFORM_WEBSERVER_PORT_80_TCP_PORT": "80",
        "PLATFORM_WEBSERVER_PORT_80_TCP_ADDR": "10.0.0.1",
    }
    assert Deployment.from_environment(links) == Deployment()
    with pytest.raises(DeploymentError, match="PLATFORM_METRIC_PORT: not a variable"):
        Deployment.from_environment({"PLATFORM_METRIC_PORT": "9464"})


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("PLATFORM_EXECUTOR", "celery", "in_process or k8s_job"),
        ("PLATFORM_ATTEMPT", "-1", "a whole number, not below 0"),
        ("PLATFORM_RUN_LEASE_SECONDS", "0", "seconds, a number above 0"),
        ("PLATFORM_RUN_LEASE_SECONDS", "nan", "seconds, a number above 0"),
        ("PLATFORM_METRICS_PORT", "65536", "a port, 1 to 65535"),
        ("PLATFORM_METRICS_PORT", "http", "a port, 1 to 65535"),
        ("PLATFORM_METRICS_PORT", "0", "a port, 1 to 65535"),
    ],
)
def test_a_wrong_value_is_refused_by_the_name_of_its_variable(name, value, expected) -> None:
    with pytest.raises(DeploymentError, match=f"^{name}='{value}': expected {expected}$"):
        Deployment.from_environment({name: value})


def test_an_empty_address_of_the_ui_is_one_that_is_not_set() -> None:
    assert Deployment.from_environment({"PLATFORM_UI_URL": "", "PLATFORM_STEP": ""}) == Deployment()


@pytest.mark.parametrize(
    "name",
    [
        "PLATFORM_SETTINGS", "PLATFORM_STORE", "PLATFORM_DATABASE_URL", "PLATFORM_SCORES_URL", "PLATFORM_HISTORY_URL",
        "CREDIT_STORE",
    ],
)  # fmt: skip
def test_an_empty_store_or_database_is_refused_and_not_taken_for_one_that_is_not_set(name) -> None:
    with pytest.raises(DeploymentError, match=r"^PLATFORM_\w+ is empty: expected .+\. Set it, or unset it$"):
        Deployment.from_environment({name: ""})


def test_a_missing_value_is_refused_by_whoever_needs_it() -> None:
    with pytest.raises(DeploymentError, match=r"^PLATFORM_RUN_ID is not set: expected run that this pod works on$"):
        Deployment().require("run_id")
    assert Deployment(run_id="1234").require("run_id") == "1234"


def test_a_secret_is_never_printed() -> None:
    secrets = [each.name for each in fields(Deployment) if each.metadata["secret"]]
    databases = {"database_url", "scores_url", "history_url"}
    assert databases | {"webhook_url", "registry_token", "registry_password"} == set(secrets)
    values: dict[str, Any] = dict.fromkeys(secrets, "postgresql://clerk:hunter2@db/loans")
    assert "hunter2" not in repr(Deployment(**values))


def test_the_password_of_the_database_is_in_no_config_that_the_ui_shows() -> None:
    url = "postgresql://clerk:hunter2@db/loans"
    shown = build_defs(Deployment(database_url=url, scores_url=url)).get_repository_def()
    for resource in shown.get_top_level_resources().values():
        field = resource.config_schema.as_field()
        assert not field.default_provided or "hunter2" not in str(field.default_value)


def test_a_child_reads_the_deployment_of_its_parent_whatever_the_old_names_say(monkeypatch) -> None:
    monkeypatch.setenv("CREDIT_STORE", "s3://another")
    monkeypatch.setenv("PLATFORM_SETTINGS", "another.toml")
    monkeypatch.setenv("LANG", "C")
    deployment = Deployment(store="s3://one", attempt=2, heartbeat_seconds=60, host="pod-1")
    child = deployment.child_environment()
    assert Deployment.from_environment(child) == deployment
    assert child["LANG"] == "C"
    assert "CREDIT_STORE" not in child


def test_what_was_changed_for_a_library_is_put_back_even_after_an_error(monkeypatch) -> None:
    monkeypatch.setenv("DAGSTER_HOME", "before")
    monkeypatch.delenv("PLATFORM_HISTORY_URL", raising=False)

    def fail() -> None:
        assert os.environ["DAGSTER_HOME"] == os.environ["PLATFORM_HISTORY_URL"] == "during"
        raise RuntimeError

    with pytest.raises(RuntimeError), changed_environment(DAGSTER_HOME="during", PLATFORM_HISTORY_URL="during"):
        fail()
    assert os.environ["DAGSTER_HOME"] == "before"
    assert "PLATFORM_HISTORY_URL" not in os.environ


def test_no_other_module_reads_the_environment() -> None:
    found = {}
    for path in (
        path for room in ("credit_assets", "resources", "sensors") for path in (REPOSITORY / room).rglob("*.py")
    ):
        nodes = list(ast.walk(ast.parse(path.read_text())))
        names = {node.attr for node in nodes if isinstance(node, ast.Attribute)}
        names |= {alias.name for node in nodes if isinstance(node, ast.ImportFrom) for alias in node.names}
        found[str(path.relative_to(REPOSITORY))] = names & READERS
    assert {path for path, names in found.items() if names} == READS | READS_AWS


def test_the_one_module_that_reads_more_reads_variables_of_boto3_only() -> None:
    (path,) = READS_AWS
    text = (REPOSITORY / path).read_text()
    constants = [node.value for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Constant)]
    names = {each for each in constants if isinstance(each, str) and re.fullmatch(r"[A-Z0-9]+(_[A-Z0-9]+)+", each)}
    assert "AWS_PROFILE" in names
    assert {each for each in names if not each.startswith("AWS_")} == {"REQUESTS_CA_BUNDLE"}
    assert text.count("environ.get(") == text.count("os.environ")


def test_the_first_process_of_a_pod_and_a_daemon_that_stands_by_import_nothing_heavy_for_it() -> None:
    done = subprocess.run(
        [sys.executable, "-c", "import sys, resources.deployment; print(*sys.modules)"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert not {"dagster", "pydantic", "click", "requests"} & set(done.stdout.split())
