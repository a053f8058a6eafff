"""An unknown variable keeps a pod from starting; one that no program reads leaves a default in place."""

from dataclasses import fields
from typing import Any

import pytest

from resources.deployment import Deployment
from tests.chart.managed_database import MANAGED

VARIABLES = {each.metadata["name"]: each.metadata["old"] for each in fields(Deployment)}
RUN = "the pod of a run"
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


def test_every_variable_has_one_value(chart) -> None:
    for name, environment in environments(chart).items():
        names = [each["name"] for each in environment]
        assert len(names) == len(set(names)), name
