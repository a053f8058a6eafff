"""An artifact that was half-written, changed or swapped must never be read as if it were whole: it becomes a model."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from resources.history.facts import announced_manifest
from resources.history.tags import Whereabouts
from resources.store.artifacts import (
    ArtifactError,
    Committed,
    Manifest,
    commit,
    find_artifact,
    library_versions,
    read_file,
    read_manifest,
    store_file,
)
from resources.store.checkpoints import Draft, Work, load
from resources.store.formats import FORMATS, Document, Report
from resources.store.object_store import ObjectMissing, ObjectStore
from resources.store.written_once import compute_sha256
from tests.support.step_log import SharedLog

Attempt = Callable[..., Work]


@pytest.fixture
def work(store: ObjectStore) -> Attempt:
    """Attempts of one step, which share a store and an event log."""
    log = SharedLog()

    def attempt(run: str = "run-1", **identity: Any) -> Work:
        return Work(
            store, log.attempt(run), "model_metrics", "root-1", run, {"code": "1", **identity}, FORMATS["report"]
        )

    return attempt


def report(text: str = "fine") -> Document:
    return Document({"auc": 0.8}, text)


def never() -> Any:
    raise AssertionError("this was computed although it is committed")


def test_what_is_committed_is_read_back_whole(store: ObjectStore, work: Attempt) -> None:
    artifact = work().adopt_or(lambda: (report(), {"rows": 3})).commit()
    assert load(store, artifact.committed, FORMATS["report"]).value == report()
    assert artifact.committed.manifest.versions["scikit-learn"] == library_versions()["scikit-learn"]


def test_a_retry_adopts_what_is_committed_instead_of_computing_again(work: Attempt) -> None:
    first = work().adopt_or(lambda: (report(), {"rows": 3})).commit()
    retry = work(run="run-2").adopt_or(never).commit()
    assert retry.sha256 == first.sha256
    assert retry.facts == {"rows": 3}
    assert retry.committed.manifest.run == "run-1"


def test_a_retry_with_other_code_config_or_inputs_computes(work: Attempt) -> None:
    work().adopt_or(lambda: (report("old"), {})).commit()
    changes: list[dict[str, Any]] = [
        {"code": "2"},
        {"config": {"max_depth": 3}},
        {"inputs": {"loan_dataset": "other"}},
    ]
    for change in changes:
        again = work(**change).adopt_or(lambda: (report("new"), {}))
        assert again.value.text == "new"
        assert isinstance(again, Draft)


def test_files_without_a_manifest_do_not_exist(store: ObjectStore, work: Attempt) -> None:
    place = work().place
    store_file(store, place, "model_metrics.json", b"{}")
    assert find_artifact(store, place) is None
    assert work().adopt_or(lambda: (report(), {})).value == report()
    assert isinstance(work().adopt_or(lambda: (report(), {})), Draft)


def test_of_two_writers_one_wins_and_the_other_finds_out(work: Attempt) -> None:
    slow = work(run="slow").adopt_or(lambda: (report("slow"), {"by": "slow"}))
    quick = work(run="quick").adopt_or(lambda: (report("quick"), {"by": "quick"})).commit()
    late = slow.commit()
    assert late.sha256 == quick.sha256
    assert late.facts == {"by": "quick"}
    assert late.value.text == "quick"


def test_a_writer_that_died_before_its_manifest_does_no_harm(store: ObjectStore, work: Attempt) -> None:
    for name, content in Report().encode(report(), "model_metrics").items():
        store_file(store, work().place, name, content)
    artifact = work().adopt_or(lambda: (report(), {})).commit()
    assert load(store, artifact.committed, FORMATS["report"]).value == report()


@pytest.fixture
def committed(work: Attempt) -> Committed:
    return work().adopt_or(lambda: (report(), {})).commit().committed


@pytest.mark.parametrize(
    ("damage", "refusal"),
    [
        (lambda data: data[:-1], "truncated or extended after it was written"),
        (lambda data: data.replace(b"0.8", b"0.9"), "changed after it was written"),
        (None, "deleted after it was written"),
    ],
)
def test_a_damaged_file_is_refused_with_what_happened(
    store: ObjectStore, committed: Committed, damage: Any, refusal: str
) -> None:
    file = committed.manifest.files[0]
    overwrite(store, file.key, damage and damage(store.read(file.key)))
    with pytest.raises(ArtifactError, match=refusal):
        read_file(store, file)
    with pytest.raises(ArtifactError, match=r"Materialize the asset again"):
        load(store, committed, FORMATS["report"])


def test_a_manifest_other_than_the_logged_one_is_refused(store: ObjectStore, committed: Committed) -> None:
    assert read_manifest(store, committed.place, committed.manifest_sha256) == committed
    key = f"{committed.place}/manifest.json"
    overwrite(store, key, store.read(key).replace(b'"facts": {}', b'"facts": {"auc": 1}'))
    with pytest.raises(ArtifactError, match="was changed after it was written: its sha256 is"):
        read_manifest(store, committed.place, committed.manifest_sha256)
    overwrite(store, key, None)
    with pytest.raises(ArtifactError, match="deleted after it was written"):
        read_manifest(store, committed.place, committed.manifest_sha256)


@pytest.mark.parametrize("field", ["format_version", "manifest_version"])
def test_an_artifact_of_an_older_format_is_refused_with_both_versions(
    store: ObjectStore, work: Attempt, field: str
) -> None:
    place = work().place
    current = work().adopt_or(lambda: (report(), {})).commit().committed
    old = json.dumps(json.loads(current.manifest.to_bytes()) | {field: 0}).encode()
    overwrite(store, f"{place}/manifest.json", old)
    work().log.write_fact(announced_manifest(work().asset_key, place, compute_sha256(old)))
    with pytest.raises(ArtifactError, match=r"0; this release\s+reads"):
        work().adopt_or(never)


def test_a_manifest_says_on_which_image_and_node_it_was_made_if_they_are_known(
    store: ObjectStore, work: Attempt
) -> None:
    nowhere = work().adopt_or(lambda: (report(), {})).commit().committed
    assert b"where" not in nowhere.manifest.to_bytes()
    on_spot = Whereabouts(image="platform@sha256:abc", node="spot-1", capacity="spot")
    somewhere = replace(work(inputs={"loans": "other"}), where=on_spot)
    somewhere = somewhere.adopt_or(lambda: (report(), {})).commit().committed
    again = find_artifact(store, somewhere.place)
    assert again
    assert again.manifest.where == {"image": "platform@sha256:abc", "node": "spot-1"}
    assert again.sha256 == nowhere.sha256


def test_a_manifest_of_the_version_before_is_read(store: ObjectStore, committed: Committed) -> None:
    older = json.dumps(json.loads(committed.manifest.to_bytes()) | {"manifest_version": 1}).encode()
    overwrite(store, f"{committed.place}/manifest.json", older)
    found = find_artifact(store, committed.place)
    assert found
    assert found.manifest.where == {}
    assert found.manifest.files == committed.manifest.files


def test_what_is_not_a_manifest_is_not_taken_for_a_missing_one(store: ObjectStore, committed: Committed) -> None:
    overwrite(store, f"{committed.place}/manifest.json", b"{ torn")
    with pytest.raises(ArtifactError, match="can't be read as a manifest"):
        find_artifact(store, committed.place)


def test_nothing_is_unpickled_before_its_bytes_are_verified(store: ObjectStore, tmp_path: Path) -> None:
    import pickle

    canary = tmp_path / "canary"

    class Bomb:
        def __reduce__(self) -> tuple[Any, ...]:
            return Path.touch, (canary,)

    file = store_file(store, "trained_model/root/print", "model.joblib", b"a model")
    manifest = Manifest("trained_model", "root", "run", {"code": "1"}, "joblib", 1, [file], {}, {})
    held = commit(store, "trained_model/root/print", manifest)
    overwrite(store, file.key, pickle.dumps(Bomb()))
    with pytest.raises(ArtifactError, match="truncated or extended"):
        load(store, held, FORMATS["joblib"])
    assert not canary.exists()


def test_the_digest_is_the_one_that_sha256sum_prints(store: ObjectStore, tmp_path: Path) -> None:
    path = tmp_path / "file.parquet"
    path.write_bytes(b"abc")
    file = store_file(store, "a/b/c", "file.parquet", path)
    assert file.sha256 == compute_sha256(b"abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert file.key == "a/b/c/file.ba7816bf8f01.parquet"
    assert store_file(store, "a/b/c", "file.parquet", b"abc") == file


def overwrite(store: ObjectStore, key: str, data: bytes | None) -> None:
    """What the product never does: damages an object behind its back."""
    import obstore

    obstore.delete(store.client, key)
    with pytest.raises(ObjectMissing):
        store.read(key)
    if data is not None:
        store.create(key, data)
