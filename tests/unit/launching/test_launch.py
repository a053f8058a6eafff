"""A run that can never be launched must not be retried twenty times; one that a person re-executes must be retried."""

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any
from unittest.mock import Mock

import dagster as dg
import pytest
from kubernetes.client.rest import ApiException
from urllib3.exceptions import MaxRetryError

from resources.history.tags import CRASHED, MAX_RETRIES, NODE, RETRIES_STOPPED
from tests.support.launching import FAILED, Launching, launching

REFUSED = MaxRetryError(pool=Mock(), url="/apis/batch/v1", reason=ConnectionRefusedError())


@dg.job
def refresh() -> None:
    """Its place is all that is asked for."""


ORIGIN = dg.reconstructable(refresh).get_python_origin()


def launch(built: Launching, run: dg.DagsterRun) -> None:
    built.launcher.launch_run(SimpleNamespace(dagster_run=built.instance.runs[run.run_id], workspace=None))


def environment(built: Launching) -> dict[str, Any]:
    (job,) = built.cluster.created
    (container,) = job.spec.template.spec.containers
    names = [each.name for each in container.env]
    assert len(names) == len(set(names)), "Kubernetes warns of two variables with one name"
    return {each.name: each for each in container.env}


@pytest.fixture
def run(built: Launching) -> dg.DagsterRun:
    return built.instance.add(dg.DagsterRunStatus.STARTING, job_code_origin=ORIGIN)


def test_a_run_gets_one_job_that_is_found_by_its_labels(built, run) -> None:
    launch(built, run)
    (job,) = built.cluster.created
    assert job.metadata.name == built.launcher.locate_job(run).name
    assert job.metadata.labels["dagster/run-id"] == run.run_id
    assert "dagster/op" not in job.metadata.labels


def test_a_pod_gets_its_attempt_its_capacity_and_its_node_under_both_names(built) -> None:
    lost = built.instance.add(tags={NODE: "spot-1"})
    tags = {"dagster/retry_number": "2"}
    family = {"parent_run_id": lost.run_id, "root_run_id": lost.run_id}
    retry = built.instance.add(dg.DagsterRunStatus.STARTING, job_code_origin=ORIGIN, tags=tags, **family)
    launch(built, retry)
    variables = environment(built)
    for new, old, value in (
        ("PLATFORM_ATTEMPT", "DAGSTER_RETRY_NUMBER", "2"),
        ("PLATFORM_CAPACITY", "NODE_CAPACITY", "any"),
    ):
        assert variables[new].value == variables[old].value == value
    for name in ("PLATFORM_NODE", "NODE_NAME"):
        assert variables[name].value_from.field_ref.field_path == "spec.nodeName"
    (job,) = built.cluster.created
    (preferred,) = job.spec.template.spec.affinity.node_affinity.preferred_during_scheduling_ignored_during_execution
    assert preferred.preference.match_expressions[0].values == ["spot-1"]


def find_avoided_nodes(built) -> list[str]:
    """The nodes that the pod of the last Job avoids."""
    affinity = built.cluster.created[-1].spec.template.spec.affinity
    preferred = affinity.node_affinity.preferred_during_scheduling_ignored_during_execution if affinity else []
    return [node for each in preferred for node in each.preference.match_expressions[0].values]


def test_no_run_is_sent_to_a_node_that_another_run_lost_a_moment_ago(built) -> None:
    """Several nodes of a spot market are often taken at once, and Kubernetes notices each loss late."""
    built.instance.add(dg.DagsterRunStatus.FAILURE, tags={NODE: "spot-2"})
    old = built.instance.add(dg.DagsterRunStatus.FAILURE, tags={NODE: "spot-3"})
    built.instance.updated[old.run_id] = datetime.now(UTC) - timedelta(seconds=61)
    built.instance.add(dg.DagsterRunStatus.FAILURE)
    built.instance.add(dg.DagsterRunStatus.SUCCESS, tags={NODE: "spot-4"})
    launch(built, built.instance.add(dg.DagsterRunStatus.STARTING, job_code_origin=ORIGIN))
    assert find_avoided_nodes(built) == ["spot-2"], "it may go to a node that is back, or to one where all is well"


def test_a_retry_avoids_the_node_of_the_attempt_before_however_long_ago_it_was(built) -> None:
    lost = built.instance.add(dg.DagsterRunStatus.FAILURE, tags={NODE: "spot-1"})
    built.instance.updated[lost.run_id] = datetime.now(UTC) - timedelta(hours=1)
    family = {"parent_run_id": lost.run_id, "root_run_id": lost.run_id}
    launch(built, built.instance.add(dg.DagsterRunStatus.STARTING, job_code_origin=ORIGIN, **family))
    assert find_avoided_nodes(built) == ["spot-1"]


def test_a_variable_of_the_chart_that_the_launcher_sets_too_is_set_once(tmp_path, run) -> None:
    node = {"name": "NODE_NAME", "valueFrom": {"fieldRef": {"fieldPath": "spec.nodeName"}}}
    config: dict[str, Any] = {"run_k8s_config": {"container_config": {"env": [node, {"name": "OWN", "value": "kept"}]}}}
    built = launching(tmp_path, **config)
    launch(built, built.instance.add(dg.DagsterRunStatus.STARTING, job_code_origin=ORIGIN))
    assert environment(built)["OWN"].value == "kept"


@pytest.mark.parametrize(
    ("error", "retried"),
    [
        (ApiException(status=400), False),
        (ApiException(status=422), False),
        (ApiException(status=403), True),  # no quota is left, for the moment
        (REFUSED, True),
    ],
    ids=["bad request", "invalid", "no quota", "no connection"],
)
def test_a_job_that_the_api_server_calls_invalid_is_not_sent_again(built, run, monkeypatch, error, retried) -> None:
    monkeypatch.setattr("dagster_k8s.client.time.sleep", lambda _: None)  # stock waits between its attempts
    built.cluster.refusal = error
    with pytest.raises(Exception):  # noqa: B017, PT011 (of a type that dagster-k8s chooses)
        launch(built, run)
    assert built.tags(run).get(MAX_RETRIES) == (None if retried else "0")


def test_a_run_that_asks_for_what_is_not_allowed_fails_once(tmp_path) -> None:
    allowed: dict[str, Any] = {"only_allow_user_defined_k8s_config_fields": {"container_config": {"resources": True}}}
    built = launching(tmp_path, **allowed)
    tags = {"dagster-k8s/config": '{"pod_spec_config": {"host_network": true}}'}
    run = built.instance.add(dg.DagsterRunStatus.STARTING, job_code_origin=ORIGIN, tags=tags)
    with pytest.raises(Exception, match="allow"):
        launch(built, run)
    assert built.tags(run)[MAX_RETRIES] == "0"
    assert not built.cluster.created


def test_a_run_whose_tag_can_not_be_read_fails_once(built) -> None:
    tags = {"dagster-k8s/config": '{"no_such_field": 1}'}
    run = built.instance.add(dg.DagsterRunStatus.STARTING, job_code_origin=ORIGIN, tags=tags)
    with pytest.raises(dg.DagsterInvalidConfigError):
        launch(built, run)
    assert built.tags(run)[MAX_RETRIES] == "0"


def reexecuted(built: Launching, run: dg.DagsterRun) -> dg.DagsterRun:
    """What Dagster makes of a run that a person re-executes: it copies the tags."""
    return built.instance.add(
        dg.DagsterRunStatus.STARTING,
        job_code_origin=ORIGIN,
        tags=dict(built.tags(run)),
        parent_run_id=run.run_id,
        root_run_id=run.run_id,
    )


def test_a_run_that_a_person_re_executes_after_its_retries_were_stopped_is_retried_again(built, run) -> None:
    crashed = built.instance.add(tags={"dagster/root_run_id": run.run_id})
    built.instance.add_run_tags(crashed.run_id, {CRASHED: crashed.run_id})
    built.cluster.status = FAILED
    built.instance.change(run, dg.DagsterRunStatus.STARTED)
    built.check(built.instance.runs[run.run_id])
    assert built.tags(run)[MAX_RETRIES] == "0"
    assert built.tags(run)[RETRIES_STOPPED] == run.run_id
    again = reexecuted(built, run)
    launch(built, again)
    assert built.tags(again)[MAX_RETRIES] == "20"
    assert built.tags(run)[MAX_RETRIES] == "0", "the run that was stopped stays so"


def test_a_person_who_asked_for_no_retries_gets_none(built, run) -> None:
    own = built.instance.add(tags={MAX_RETRIES: "0"})
    again = reexecuted(built, own)
    launch(built, again)
    assert built.tags(again)[MAX_RETRIES] == "0"
    launch(built, run)
    assert MAX_RETRIES not in built.tags(run)
