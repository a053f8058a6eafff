"""An attempt that goes back to the node that lost the one before is lost again; ten in a row must not all be spot."""

from unittest.mock import Mock

import pytest

from resources.deployment import Deployment
from resources.history.tags import CAPACITY, NODE, Whereabouts
from resources.launching.placement import describe_attempt, place_attempt

SPEC = {"node_selector": {"capacity": "spot"}, "tolerations": ["spot"]}
PREFERRED = "preferred_during_scheduling_ignored_during_execution"


def avoided(spec) -> dict[str, list[str]]:
    preferred = spec["affinity"]["node_affinity"][PREFERRED]
    (terms,) = zip(*(each["preference"]["match_expressions"] for each in preferred), strict=True)
    assert {each["operator"] for each in terms} == {"NotIn"}
    return {each["key"]: each["values"] for each in terms}


def test_the_first_attempt_goes_to_any_spot_node() -> None:
    assert place_attempt(SPEC, 0, 3, ()) == SPEC


def test_a_retry_stays_on_spot_nodes_and_prefers_another_than_the_lost_one() -> None:
    spec = place_attempt(SPEC, 1, 3, {"spot-2"})
    assert spec["node_selector"] == {"capacity": "spot"}
    assert avoided(spec) == {"kubernetes.io/hostname": ["spot-2"]}
    assert "affinity" not in SPEC, "the launcher's own config was changed"


def test_all_nodes_that_were_lost_a_moment_ago_are_avoided_alike() -> None:
    spec = place_attempt(SPEC, 0, 3, {"spot-3", "spot-1"})
    assert avoided(spec) == {"kubernetes.io/hostname": ["spot-1", "spot-3"]}


def test_the_last_attempts_look_for_a_node_that_stays_and_can_make_do_with_another() -> None:
    spec = place_attempt(SPEC, 3, 3, {"spot-1"})
    assert "node_selector" not in spec
    assert spec["tolerations"] == ["spot"], "a spot node is better than none"
    assert avoided(spec) == {"kubernetes.io/hostname": ["spot-1"], "capacity": ["spot"]}


def test_where_no_node_is_spot_only_the_lost_one_is_avoided() -> None:
    assert avoided(place_attempt({}, 7, 3, {"laptop-1"})) == {"kubernetes.io/hostname": ["laptop-1"]}
    assert place_attempt({}, 7, 3, ()) == {}


@pytest.mark.parametrize(("spec", "capacity"), [(SPEC, "spot"), ({"tolerations": ["spot"]}, "any")])
def test_a_pod_gets_its_attempt_and_its_place_under_the_new_and_the_old_names(spec, capacity) -> None:
    variables = {each["name"]: each.get("value", each.get("value_from")) for each in describe_attempt(spec, 2)}
    node = {"field_ref": {"field_path": "spec.nodeName"}}
    assert variables == {
        "PLATFORM_ATTEMPT": "2",
        "DAGSTER_RETRY_NUMBER": "2",
        "PLATFORM_CAPACITY": capacity,
        "NODE_CAPACITY": capacity,
        "PLATFORM_NODE": node,
        "NODE_NAME": node,
    }


def test_a_run_is_tagged_with_its_place_as_far_as_it_is_known() -> None:
    instance = Mock()
    Whereabouts().tag_run(instance, "run")
    instance.add_run_tags.assert_not_called()
    Whereabouts(node="spot-1").tag_run(instance, "run")
    instance.add_run_tags.assert_called_once_with("run", {NODE: "spot-1"})
    Whereabouts(image="platform", node="spot-1", capacity="spot").tag_run(instance, "run")
    assert instance.add_run_tags.call_args.args == ("run", {NODE: "spot-1", CAPACITY: "spot"})


@pytest.mark.filterwarnings("default")
@pytest.mark.parametrize("names", ["old", "new", "both"])
def test_a_pod_of_either_release_reads_what_the_launcher_tells_it(names) -> None:
    """The deployment refuses a variable whose old and new name have different values."""
    given = {each["name"]: each.get("value", "spot-1") for each in describe_attempt(SPEC, 2)}
    new = {name: value for name, value in given.items() if name.startswith("PLATFORM_")}
    old = {name: value for name, value in given.items() if name not in new}
    read = Deployment.from_environment({"old": old, "new": new, "both": given}[names])
    assert (read.attempt, read.capacity, read.node) == (2, "spot", "spot-1")
