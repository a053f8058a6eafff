"""Lineage that leaves out a model made from wrong rows, or names one that was not, sends people to the wrong one."""

from typing import Any

import pytest

from credit_assets.promotion.model_set import PARTS
from credit_assets.promotion.provenance import (
    describe_provenance,
    find_ancestors,
    find_descendants,
    list_artifacts,
    match_code,
    match_dataset,
)
from resources.store.artifacts import ArtifactError, Committed
from resources.store.object_store import ObjectStore


def roots(parts: list[Committed]) -> list[tuple[str, str]]:
    return [(part.manifest.root_run, part.manifest.asset) for part in parts]


def test_the_provenance_of_a_set_names_rows_parameters_and_every_part(store: ObjectStore, commit_set: Any) -> None:
    made = describe_provenance(commit_set("root", day=3))
    assert (made["rows"], made["content_sha256"], made["seed"]) == (10, "content of day 3", 42)
    assert made["trained_model"]["parameters"] == {"random_state": 42}
    assert made["trained_model"]["libraries"] == {"python": "3.11"}
    assert made["trained_model"]["platform version"] == "0.1.0"
    assert "where" not in made["trained_model"]


def test_all_that_a_dataset_went_into_is_found_and_nothing_else(store: ObjectStore, commit_set: Any) -> None:
    first = commit_set("first", day=1)
    commit_set("of other rows", day=2)
    commit_set("of the same rows", day=1)
    artifacts = list_artifacts(store)
    assert len(artifacts) == 12
    expected = [(root, part) for part in PARTS for root in ("first", "of the same rows")]
    for sha256 in (first["loan_dataset"].sha256, first["loan_dataset"].sha256[:12], "content of day 1"):
        assert sorted(roots(find_descendants(artifacts, match_dataset(sha256)))) == sorted(expected)
    assert find_descendants(artifacts, match_dataset(first["trained_model"].sha256)) == []


def test_all_that_a_code_version_went_into_is_found_and_nothing_else(store: ObjectStore, commit_set: Any) -> None:
    commit_set("old", code="1")
    commit_set("new", code="2")
    artifacts = list_artifacts(store)
    assert roots(find_descendants(artifacts, match_code("trained_model:2"))) == [
        ("new", "trained_model"),
        ("new", "model_metrics"),
    ]
    assert roots(find_descendants(artifacts, match_code("test_split:1"))) == [("old", part) for part in PARTS[1:]]
    assert len(find_descendants(artifacts, match_code("0.1.0"))) == 8
    assert find_descendants(artifacts, match_code("2")) == []


def test_an_artifact_comes_from_its_own_run_and_not_from_equal_bytes_of_another(
    store: ObjectStore, commit_set: Any
) -> None:
    one, two = commit_set("one", day=1), commit_set("two", day=1)
    assert one["loan_dataset"].sha256 == two["loan_dataset"].sha256
    artifacts = list_artifacts(store)
    assert roots(find_ancestors(artifacts, two["model_metrics"])) == [("two", part) for part in PARTS]
    assert roots(find_ancestors(artifacts, two["test_split"])) == [("two", part) for part in PARTS[:2]]
    assert find_ancestors(artifacts, one["loan_dataset"]) == [one["loan_dataset"]]


def test_a_manifest_that_cannot_be_read_is_reported_and_not_left_out(store: ObjectStore, commit_set: Any) -> None:
    place = commit_set("root")["trained_model"].place
    store.delete(f"{place}/manifest.json")
    store.create(f"{place}/manifest.json", b"{ torn")
    with pytest.raises(ArtifactError, match="can't be read as a manifest"):
        list_artifacts(store)
