"""Whoever can write to the store alone must not be able to make a retry load what they wrote: loading executes code."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from resources.history.facts import announced_manifest
from resources.store.artifacts import MANIFEST, ArtifactError, Manifest, commit, find_artifact, store_file
from resources.store.checkpoints import Work
from resources.store.formats import FORMATS, Document
from resources.store.object_store import ObjectStore
from tests.support.step_log import AttemptLog, SharedLog

Attempt = Callable[[str], Work]
REFUSED = r"no attempt of this run announced it .* start a new run"


@pytest.fixture
def log() -> SharedLog:
    return SharedLog()


@pytest.fixture
def attempt(store: ObjectStore, log: SharedLog) -> Attempt:
    """Attempts of one step, which share a store and an event log."""

    def begin(run: str) -> Work:
        return Work(store, log.attempt(run), "model_metrics", "root", run, {"code": "1"}, FORMATS["report"])

    return begin


def report(text: str) -> tuple[Document, dict[str, Any]]:
    return Document({"auc": 0.8}, text), {}


def compute_never() -> Any:
    raise AssertionError("this was computed although it is committed")


def forge(store: ObjectStore, place: str, run: str) -> Manifest:
    """What somebody with the keys of the store can do: a whole artifact that names a run of their choice."""
    encoded = FORMATS["report"].encode(Document({"auc": 1.0}, "forged"), "model_metrics")
    files = [store_file(store, place, name, bytes(content)) for name, content in encoded.items()]
    manifest = Manifest("model_metrics", "root", run, {"code": "1"}, "report", 1, files, {}, {})
    commit(store, place, manifest)
    return manifest


def test_a_manifest_is_announced_before_it_exists(
    store: ObjectStore, attempt: Attempt, monkeypatch: pytest.MonkeyPatch
) -> None:
    work, announced = attempt("one"), []

    def check_the_store(_: AttemptLog, fact: Any) -> None:
        assert find_artifact(store, work.place) is None, "the manifest was there before its announcement"
        announced.append(fact)

    monkeypatch.setattr(AttemptLog, "write_fact", check_the_store)
    artifact = work.adopt_or(lambda: report("fine")).commit()
    assert announced == [announced_manifest(work.asset_key, work.place, artifact.committed.manifest_sha256)]


@pytest.mark.parametrize("run", ["one", "two", "a run that never was"])
def test_a_forged_manifest_is_refused_whichever_run_it_names(store: ObjectStore, attempt: Attempt, run: str) -> None:
    attempt("one")
    forge(store, attempt("two").place, run)
    with pytest.raises(ArtifactError, match=REFUSED):
        attempt("two").adopt_or(compute_never)


def test_a_forged_manifest_that_says_it_is_of_an_old_release_is_refused(store: ObjectStore, attempt: Attempt) -> None:
    work = attempt("one")
    manifest = json.loads(forge(store, work.place, "one").to_bytes()) | {"manifest_version": 1}
    overwrite(store, f"{work.place}/{MANIFEST}", json.dumps(manifest).encode())
    with pytest.raises(ArtifactError, match=REFUSED):
        attempt("one").adopt_or(compute_never)


def test_a_manifest_that_was_changed_after_its_announcement_is_refused(store: ObjectStore, attempt: Attempt) -> None:
    work = attempt("one")
    work.adopt_or(lambda: report("fine")).commit()
    key = f"{work.place}/{MANIFEST}"
    overwrite(store, key, store.read(key).replace(b'"facts": {}', b'"facts": {"auc": 1}'))
    with pytest.raises(ArtifactError, match=REFUSED):
        attempt("two").adopt_or(compute_never)


def test_an_announcement_of_another_place_does_not_count(store: ObjectStore, attempt: Attempt, log: SharedLog) -> None:
    work = attempt("one")
    forged = forge(store, work.place, "one")
    work.log.write_fact(announced_manifest(work.asset_key, "model_metrics/root/other", forged.sha256))
    with pytest.raises(ArtifactError, match=REFUSED):
        attempt("two").adopt_or(compute_never)
    work.log.write_fact(announced_manifest(work.asset_key, work.place, forged.sha256))
    assert attempt("two").adopt_or(compute_never).value.text == "forged", "the digest at this place is what counts"


def test_an_attempt_that_died_between_announcement_and_creation_does_no_harm(
    store: ObjectStore, attempt: Attempt, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as dying:
        dying.setattr("resources.store.checkpoints.commit", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            attempt("one").adopt_or(lambda: report("never created")).commit()
    assert find_artifact(store, attempt("two").place) is None
    artifact = attempt("two").adopt_or(lambda: report("created")).commit()
    assert artifact.committed.manifest.run == "two"
    assert attempt("three").adopt_or(compute_never).value.text == "created"


def test_a_manifest_whose_announcement_fails_is_not_created(
    store: ObjectStore, attempt: Attempt, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A worker that was given up can't write to PostgreSQL any more, so it can't commit either."""
    work = attempt("given up")
    monkeypatch.setattr(AttemptLog, "write_fact", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        work.adopt_or(lambda: report("late")).commit()
    assert find_artifact(store, work.place) is None


def test_of_two_attempts_at_once_the_later_takes_what_the_other_announced(attempt: Attempt) -> None:
    slow = attempt("slow").adopt_or(lambda: report("slow"))
    quick = attempt("quick").adopt_or(lambda: report("quick")).commit()
    late = slow.commit()
    assert late.value.text == "quick"
    assert late.sha256 == quick.sha256
    assert attempt("next").adopt_or(compute_never).value.text == "quick"


def test_the_loser_of_a_race_against_a_forger_takes_nothing(store: ObjectStore, attempt: Attempt) -> None:
    draft = attempt("one").adopt_or(lambda: report("honest"))
    forge(store, attempt("one").place, "one")
    with pytest.raises(ArtifactError, match=REFUSED):
        draft.commit()


def test_what_a_run_of_the_release_before_committed_is_adopted_after_the_upgrade(
    attempt: Attempt, log: SharedLog
) -> None:
    log.silent.add("old release")
    old = attempt("old release").adopt_or(lambda: report("fine")).commit()
    assert not log.facts["old release"], "the old release announces nothing"
    retry = attempt("new release").adopt_or(compute_never)
    assert retry.value.text == "fine"
    assert retry.commit().committed == old.committed


def test_a_forged_manifest_that_names_the_new_run_of_an_upgrade_is_refused(
    store: ObjectStore, attempt: Attempt, log: SharedLog
) -> None:
    log.silent.add("old release")
    attempt("old release")
    forge(store, attempt("new release").place, "new release")
    with pytest.raises(ArtifactError, match=REFUSED):
        attempt("new release").adopt_or(compute_never)


def test_the_manifests_bytes_are_those_of_the_release_before(attempt: Attempt) -> None:
    manifest = attempt("one").adopt_or(lambda: report("fine")).commit().committed.manifest
    written = json.loads(manifest.to_bytes())
    assert written.pop("manifest_version") == 2
    assert sorted(written) == [
        *("asset", "committed_at", "facts", "files", "format", "format_version", "identity", "root_run", "run"),
        "versions",
    ]


def overwrite(store: ObjectStore, key: str, data: bytes) -> None:
    """What the product never does: replaces an object."""
    import obstore

    obstore.delete(store.client, key)
    store.create(key, data)
