"""A second writer who believes that it was first publishes bytes that nobody reads, or overwrites what others do.

Every test runs against a folder and against an S3 server, through the same code.
"""

import io
from pathlib import Path

import pytest

from resources.store.object_store import ObjectMissing, ObjectStore, StoreError
from resources.store.written_once import (
    Digest,
    compute_sha256,
    describe_file,
    measure_content,
    measure_object,
    write_once,
)

ABC = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


def test_the_first_writer_creates_the_object_and_gets_its_digest(store: ObjectStore) -> None:
    written = write_once(store, "key", b"abc")
    assert written.created
    assert written.is_ours()
    assert written.digest == Digest(ABC, 3)
    assert written.read() == store.read("key") == b"abc"


def test_a_second_writer_learns_that_it_was_not_first_and_what_lies_there(store: ObjectStore) -> None:
    write_once(store, "key", b"abc")
    other, same = write_once(store, "key", b"xyz"), write_once(store, "key", b"abc")
    assert (other.created, other.is_ours(), other.read()) == (False, False, b"abc")
    assert (same.created, same.is_ours()) == (False, True)
    assert store.read("key") == b"abc", "the first writer's bytes were overwritten"


def test_an_object_that_was_deleted_meanwhile_is_missing_and_not_taken_for_other_bytes(store: ObjectStore) -> None:
    write_once(store, "key", b"abc")
    late = write_once(store, "key", b"abc")
    store.delete("key")
    with pytest.raises(ObjectMissing):
        late.is_ours()
    with pytest.raises(ObjectMissing):
        late.read()


def test_a_store_that_refuses_is_not_taken_for_another_writer(store: ObjectStore, monkeypatch) -> None:
    def refuse(*_: object) -> None:
        raise StoreError("denied")

    monkeypatch.setattr(ObjectStore, "create", refuse)
    with pytest.raises(StoreError, match="denied"):
        write_once(store, "key", b"abc")


def test_a_file_and_its_bytes_have_one_digest_and_one_key(store: ObjectStore, tmp_path: Path) -> None:
    path = tmp_path / "table.parquet"
    path.write_bytes(b"abc")
    file = describe_file("a/b", "table.parquet", path)
    assert file == describe_file("a/b", "table.parquet", b"abc")
    assert (file.key, file.digest) == (f"a/b/table.{ABC[:12]}.parquet", Digest(ABC, 3))
    assert write_once(store, file.key, path, file.digest).created
    assert not write_once(store, file.key, b"abc").created


def test_an_object_of_many_pieces_is_measured_and_copied_whole(store: ObjectStore, monkeypatch) -> None:
    monkeypatch.setattr("resources.store.object_store.ONE_PIECE", 7)
    data, copy = bytes(range(256)), io.BytesIO()
    store.create("large", data)
    assert measure_object(store, "large", copy) == measure_content(data)
    assert copy.getvalue() == data


def test_the_digest_of_a_value_does_not_depend_on_the_order_of_its_keys() -> None:
    assert compute_sha256({"b": 1, "a": [2]}) == compute_sha256({"a": [2], "b": 1})
    assert compute_sha256({"a": 1}) != compute_sha256({"a": 2})
