"""Lineage that leaves out a model made from wrong rows, or names one that was not, sends people to the wrong one."""

from dataclasses import replace
from typing import Any

import pytest

from credit_assets.loans.census import Census
from credit_assets.promotion.model_set import PARTS, read_set
from credit_assets.promotion.promote import Decision, promote
from credit_assets.promotion.provenance import (
    describe_artifact,
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
    artifacts = list_artifacts(store, pytest.fail)
    assert len(artifacts) == 12
    expected = [(root, part) for part in PARTS for root in ("first", "of the same rows")]
    for sha256 in (first["loan_dataset"].sha256, first["loan_dataset"].sha256[:12], "content of day 1"):
        assert sorted(roots(find_descendants(artifacts, match_dataset(sha256)))) == sorted(expected)
    assert find_descendants(artifacts, match_dataset(first["trained_model"].sha256)) == []


def test_all_that_a_code_version_went_into_is_found_and_nothing_else(store: ObjectStore, commit_set: Any) -> None:
    commit_set("old", code="1")
    commit_set("new", code="2")
    artifacts = list_artifacts(store, pytest.fail)
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
    artifacts = list_artifacts(store, pytest.fail)
    assert roots(find_ancestors(artifacts, two["model_metrics"])) == [("two", part) for part in PARTS]
    assert roots(find_ancestors(artifacts, two["test_split"])) == [("two", part) for part in PARTS[:2]]
    assert find_ancestors(artifacts, one["loan_dataset"]) == [one["loan_dataset"]]


def test_a_manifest_that_cannot_be_read_is_reported_with_its_place_and_hides_no_other(
    store: ObjectStore, commit_set: Any
) -> None:
    damaged, others = commit_set("damaged")["trained_model"], commit_set("whole", day=1)
    key, reports = f"{damaged.place}/manifest.json", list[str]()
    store.delete(key)
    store.create(key, b"{ torn")
    found = list_artifacts(store, reports.append)
    (report,) = reports
    assert f"{store.location(key)} can't be read as a manifest" in report
    assert damaged.place not in {part.place for part in found}
    assert {part.place for part in others.values()} <= {part.place for part in found}
    assert len(found) == 7


def test_a_promoted_set_whose_manifest_is_gone_is_not_said_to_come_back_with_a_new_run(
    store: ObjectStore, commit_set: Any
) -> None:
    position = promote(store, "credit.loans", commit_set("root"), Decision("rule", "run", "run")).position
    assert position
    key = f"{position.value['set']['trained_model']['place']}/manifest.json"
    whole = store.read(key)
    for damage in (None, whole + b" "):
        store.delete(key)
        if damage:
            store.create(key, damage)
        with pytest.raises(ArtifactError, match="or promote another") as error:
            read_set(store, position)
        assert store.location(key) in str(error.value)
        assert "Materialize" not in str(error.value)
        assert "event log" not in str(error.value)


def test_the_buckets_of_a_census_are_no_provenance_that_a_person_reads(commit_set: Any) -> None:
    dataset = commit_set("root")["loan_dataset"]
    census = Census("keys", "contents", (2,) * 4_096, (0,) * 512).to_facts()
    counted = replace(dataset, manifest=replace(dataset.manifest, facts=dataset.manifest.facts | {"census": census}))
    described = describe_artifact(counted)
    assert described["census"].startswith("8,192 loans, sha256 ")
    assert census["buckets"] not in str(described)
    assert "census" not in describe_artifact(dataset)
