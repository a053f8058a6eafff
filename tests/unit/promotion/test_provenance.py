"""Lineage that leaves out a model made from wrong rows, or names one that was not, sends people to the wrong one."""

from typing import Any

import pytest

from credit_assets.commands.lineage import backward, forward, promoted_as
from credit_assets.promotion.model_set import PARTS, NoSuchSet
from credit_assets.promotion.provenance import (
    attempts,
    came_from,
    every_artifact,
    of_code,
    of_dataset,
    provenance,
    went_into,
)
from credit_assets.promotion.rule import Decision, promote
from resources.store.artifacts import ArtifactError, Committed
from resources.store.object_store import ObjectStore

RULE = Decision("rule", "run", "run")


def roots(parts: list[Committed]) -> list[tuple[str, str]]:
    return [(part.manifest.root_run, part.manifest.asset) for part in parts]


def test_the_provenance_of_a_set_names_rows_parameters_and_every_part(store: ObjectStore, commit_set: Any) -> None:
    made = provenance(commit_set("root", day=3))
    assert (made["rows"], made["content_sha256"], made["seed"]) == (10, "content of day 3", 42)
    assert made["trained_model"]["parameters"] == {"random_state": 42}
    assert made["trained_model"]["libraries"] == {"python": "3.11"}
    assert made["trained_model"]["platform version"] == "0.1.0"
    assert "where" not in made["trained_model"]


def test_all_that_a_dataset_went_into_is_found_and_nothing_else(store: ObjectStore, commit_set: Any) -> None:
    first = commit_set("first", day=1)
    commit_set("of other rows", day=2)
    commit_set("of the same rows", day=1)
    artifacts = every_artifact(store)
    assert len(artifacts) == 12
    expected = [(root, part) for part in PARTS for root in ("first", "of the same rows")]
    for sha256 in (first["loan_dataset"].sha256, first["loan_dataset"].sha256[:12], "content of day 1"):
        assert sorted(roots(went_into(artifacts, of_dataset(sha256)))) == sorted(expected)
    assert went_into(artifacts, of_dataset(first["trained_model"].sha256)) == []


def test_all_that_a_code_version_went_into_is_found_and_nothing_else(store: ObjectStore, commit_set: Any) -> None:
    commit_set("old", code="1")
    commit_set("new", code="2")
    artifacts = every_artifact(store)
    assert roots(went_into(artifacts, of_code("trained_model:2"))) == [
        ("new", "trained_model"),
        ("new", "model_metrics"),
    ]
    assert roots(went_into(artifacts, of_code("test_split:1"))) == [("old", part) for part in PARTS[1:]]
    assert len(went_into(artifacts, of_code("0.1.0"))) == 8
    assert went_into(artifacts, of_code("2")) == []


def test_an_artifact_comes_from_its_own_run_and_not_from_equal_bytes_of_another(
    store: ObjectStore, commit_set: Any
) -> None:
    one, two = commit_set("one", day=1), commit_set("two", day=1)
    assert one["loan_dataset"].sha256 == two["loan_dataset"].sha256
    artifacts = every_artifact(store)
    assert roots(came_from(artifacts, two["model_metrics"])) == [("two", part) for part in PARTS]
    assert roots(came_from(artifacts, two["test_split"])) == [("two", part) for part in PARTS[:2]]
    assert came_from(artifacts, one["loan_dataset"]) == [one["loan_dataset"]]


def test_a_manifest_that_cannot_be_read_is_told_and_not_left_out(store: ObjectStore, commit_set: Any) -> None:
    place = commit_set("root")["trained_model"].place
    store.delete(f"{place}/manifest.json")
    store.create(f"{place}/manifest.json", b"{ torn")
    with pytest.raises(ArtifactError, match="can't be read as a manifest"):
        every_artifact(store)


def test_what_was_promoted_is_said_by_its_numbers(store: ObjectStore, commit_set: Any) -> None:
    first, second = commit_set("first", day=1), commit_set("second", day=2)
    for parts, decision in ((first, RULE), (second, RULE), (first, Decision("hand", "x", "x", "Ada", "because"))):
        promote(store, parts, decision)
    assert forward(store, list(first.values()))[-1] == "promoted as number 1, 3"
    assert promoted_as(second.values(), {1: set()}) == ["never promoted"]
    said = backward(store, None, "latest")
    assert "by hand, Ada: because" in said[0]
    assert "  in the place of number 2, roc_auc 0.8000" in said
    assert any("DAGSTER_HOME names none" in line for line in said)
    assert "first committed " + ", ".join(PARTS) in attempts("first", first.values(), None)


@pytest.mark.parametrize("what", ["nonsense", "f" * 64, "00000000-0000-4000-8000-000000000000"])
def test_what_is_not_there_is_an_error_and_no_empty_answer(store: ObjectStore, commit_set: Any, what: str) -> None:
    commit_set("root")
    with pytest.raises(NoSuchSet, match=what):
        backward(store, None, what)
    with pytest.raises(NoSuchSet, match="nothing of that name"):
        forward(store, [])
