"""A run that waits for a dead node waits for Kubernetes; one that is failed too soon, or begins later, runs twice."""

import dagster as dg
from kubernetes.client.rest import ApiException

from resources.history.tags import CRASHED, NODE, UNTAKEN
from resources.launching.starts import StartingRuns
from tests.support.launching import Launching
from tests.support.servers.pods import pod
from tests.unit.launching.starts.starting import NOW, add_start

STATUS = dg.DagsterRunStatus


def check_for(built: Launching, starts: StartingRuns, seconds: int) -> None:
    """Checks the runs that start once a second, so many times."""
    for _ in range(seconds):
        starts.check_all()
        built.clock.now += 1


def test_a_run_whose_node_does_not_take_its_pod_is_given_up_long_before_kubernetes_notices(built, starts) -> None:
    run = add_start(built)
    built.cluster.pods = [pod(node="spot-2")]
    check_for(built, starts, 8)
    assert not built.instance.failures, "a node that lives may be slow"
    check_for(built, starts, 1)
    ((failed, message),) = built.instance.failures
    assert failed == run.run_id
    assert "Its node spot-2 did not take its pod" in message
    built.deeds.wait_for(f"delete {built.launcher.locate_job(run).name}")
    assert built.deeds[0] == f"refuse run/{run.run_id}", "its worker could begin beside the retry"
    assert built.tags(run).items() >= {NODE: "spot-2", UNTAKEN: run.run_id}.items(), "the retry could go there again"
    assert f"free slots {run.run_id}" in built.deeds, "the retry would wait for the places of this run in pools"
    assert CRASHED not in built.tags(run)


def test_a_run_whose_node_takes_its_pod_late_is_left_alone(built, starts) -> None:
    add_start(built)
    built.cluster.pods = [pod(node="spot-2")]
    check_for(built, starts, 8)
    built.cluster.pods = [pod(node="spot-2", taken=NOW)]
    check_for(built, starts, 61)
    assert not built.instance.failures
    assert not built.deeds


def test_a_run_that_no_node_has_room_for_is_not_given_up(built, starts) -> None:
    add_start(built)
    built.cluster.pods = [pod()]
    check_for(built, starts, 61)
    assert not built.instance.failures


def test_a_run_that_retries_such_a_run_waits_longer_because_kubernetes_itself_may_be_slow(built, starts) -> None:
    first = built.instance.add(STATUS.FAILURE)
    family = {"parent_run_id": first.run_id, "root_run_id": first.run_id}
    retry = built.instance.add(STATUS.STARTING, tags={UNTAKEN: first.run_id}, **family)
    built.cluster.pods = [pod(node="spot-2")]
    check_for(built, starts, 30)
    assert not built.instance.failures
    check_for(built, starts, 1)
    assert [run for run, _ in built.instance.failures] == [retry.run_id]


def test_a_tag_that_was_inherited_from_an_earlier_attempt_does_not_make_a_run_wait_longer(built, starts) -> None:
    middle = built.instance.add(STATUS.FAILURE, tags={UNTAKEN: "the first attempt"})
    family = {"parent_run_id": middle.run_id, "root_run_id": "the first attempt"}
    retry = built.instance.add(STATUS.STARTING, tags={UNTAKEN: "the first attempt"}, **family)
    built.cluster.pods = [pod(node="spot-2")]
    check_for(built, starts, 9)
    assert [run for run, _ in built.instance.failures] == [retry.run_id]


def test_an_api_server_that_did_not_answer_may_not_know_yet_that_a_pod_was_taken(built, starts) -> None:
    add_start(built)
    built.cluster.pods = [pod(node="spot-2")]
    check_for(built, starts, 5)
    built.cluster.error = ApiException(500)
    check_for(built, starts, 5)
    built.cluster.error = None
    check_for(built, starts, 8)
    assert not built.instance.failures
    check_for(built, starts, 1)
    assert len(built.instance.failures) == 1


def test_a_worker_that_takes_its_lease_at_the_last_moment_keeps_its_run(built, starts) -> None:
    add_start(built)
    built.cluster.pods = [pod(node="spot-2")]
    built.leases.taken_meanwhile = True
    check_for(built, starts, 21)
    assert not built.instance.failures
    assert not built.deeds
