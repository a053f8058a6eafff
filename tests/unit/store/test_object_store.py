"""Checkpoints are only as good as the store under them: a store that overwrites, tears or lies loses a model silently.

Every test runs against a folder and against an S3 server, through the same code.
"""

import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import obstore
import pytest
from obstore.exceptions import GenericError, PermissionDeniedError
from obstore.store import LocalStore

from resources.store.object_store import ObjectExists, ObjectMissing, ObjectStore, RequestLost, StoreError
from resources.store.opening import open_store, open_store_for_reading


def test_a_folder_that_is_missing_is_made(tmp_path: Path) -> None:
    assert_made_once((tmp_path / "a" / "store").as_uri())


def test_a_bucket_that_is_missing_is_made(s3_endpoint: str) -> None:
    assert_made_once("s3://of-one-test/a/prefix")


def assert_made_once(uri: str) -> None:
    open_store(uri).create("a/b", b"bytes")
    assert open_store(uri).read("a/b") == b"bytes"


def test_an_object_is_created_once_and_never_overwritten(store: ObjectStore) -> None:
    store.create("key", b"first")
    with pytest.raises(ObjectExists, match="key"):
        store.create("key", b"second")
    assert store.read("key") == b"first"


def test_of_many_writers_of_one_key_exactly_one_wins(tmp_path: Path) -> None:
    # On a folder only: the S3 server of the tests looks, then puts, without a lock, so it can't judge a race.
    store = open_store(tmp_path.as_uri())

    def attempt(number: int) -> bool:
        try:
            store.create("contested", str(number).encode())
        except ObjectExists:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        won = list(pool.map(attempt, range(8)))
    assert won.count(True) == 1
    assert store.read("contested") == str(won.index(True)).encode()


@pytest.mark.parametrize("written", [True, False], ids=["the store had done it", "the store had not"])
def test_a_write_whose_connection_broke_is_repeated_until_it_is_done(
    store: ObjectStore, monkeypatch: pytest.MonkeyPatch, written: bool
) -> None:
    put, broken = obstore.put, []

    def break_twice(*arguments, **more):
        if len(broken) == 2:
            return put(*arguments, **more)
        if written and not broken:
            put(*arguments, **more)
        broken.append(arguments)
        raise GenericError("Generic S3 error: HTTP error: error sending request")

    monkeypatch.setattr(obstore, "put", break_twice)
    store.create("key", b"ours")
    assert (len(broken), store.read("key")) == (2, b"ours")


def test_anothers_object_is_not_taken_for_a_write_whose_connection_broke(
    store: ObjectStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    put, broken = obstore.put, []

    def broken_while_another_writes(client, key, data, **more):
        if broken:
            return put(client, key, data, **more)
        broken.append(put(client, key, b"another's", **more))
        raise GenericError("Generic S3 error: HTTP error: error sending request")

    monkeypatch.setattr(obstore, "put", broken_while_another_writes)
    with pytest.raises(ObjectExists):
        store.create("key", b"ours")
    assert store.read("key") == b"another's"


def test_a_store_that_stays_away_is_an_error_when_patience_ends(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = replace(open_store(tmp_path.as_uri()), patience=timedelta(seconds=0.5))
    tried = []

    def away(*_arguments, **_more):
        tried.append(time.monotonic())
        raise GenericError("Generic S3 error: HTTP error: error sending request")

    monkeypatch.setattr(obstore, "put", away)
    with pytest.raises(RequestLost, match="PLATFORM_STORE"):
        store.create("key", b"ours")
    assert len(tried) > 1
    assert tried[-1] - tried[0] < 10


def test_a_missing_object_is_another_error_than_an_unreadable_store(
    store: ObjectStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AWS_ENDPOINT_URL_S3", raising=False)
    with pytest.raises(ObjectMissing, match="nowhere"):
        store.read("nowhere")
    with pytest.raises(StoreError) as unreadable:
        ObjectStore("s3://away", _client_of_a_closed_port()).read("nowhere")
    assert not isinstance(unreadable.value, ObjectMissing)


def test_a_large_file_goes_up_whole_and_not_over_an_object_that_is_there(
    store: ObjectStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("resources.store.object_store.ONE_REQUEST", 1024)
    large = tmp_path / "large"
    large.write_bytes(os.urandom(6 * 1024 * 1024))
    store.create("large", large)
    assert store.read("large") == large.read_bytes()
    with pytest.raises(ObjectExists):
        store.create("large", large)


def test_opening_leaves_nothing_behind(store: ObjectStore) -> None:
    import obstore

    assert obstore.list(store.client).collect() == []


@pytest.mark.parametrize("uri", ["", "/tmp/store", "file://host/store", "gs://bucket", "s3://"])
def test_a_uri_of_another_kind_is_refused_with_what_was_expected(uri: str) -> None:
    with pytest.raises(
        StoreError, match=r"PLATFORM_STORE(=| is not set).*expected file:///absolute/folder or s3://bucket/prefix"
    ):
        open_store(uri)


def test_a_folder_that_is_not_ours_to_make_is_an_error_that_names_it() -> None:
    with pytest.raises(StoreError, match=r"file:///proc/nobody: it is not there and can't be made.*PLATFORM_STORE"):
        open_store("file:///proc/nobody")


def test_a_file_in_the_place_of_the_folder_is_an_error_that_names_it(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file")
    with pytest.raises(StoreError, match=r"taken: it is a file\. Name a folder in PLATFORM_STORE"):
        open_store((tmp_path / "taken").as_uri())
    assert (tmp_path / "taken").read_text() == "a file"


def test_who_only_reads_a_store_writes_nothing_to_it(store_uri: str, monkeypatch: pytest.MonkeyPatch) -> None:
    open_store(store_uri).create("a/b", b"bytes")
    for write in ("put", "delete"):
        monkeypatch.setattr(obstore, write, lambda *_, **__: pytest.fail("a reader needs no right to write"))
    assert open_store_for_reading(store_uri).read("a/b") == b"bytes"


def test_who_only_reads_a_store_makes_neither_a_folder_nor_a_bucket(tmp_path: Path, s3_endpoint: str) -> None:
    for uri in ((tmp_path / "a store").as_uri(), "s3://not-there/a/prefix"):
        for _ in range(2):
            with pytest.raises(StoreError, match="it is not there"):
                open_store_for_reading(uri)
    assert not list(tmp_path.iterdir())


def test_a_store_that_can_not_be_written_to_is_refused_before_anything_is_computed() -> None:
    with pytest.raises(
        StoreError, match=r"file:///sys/kernel: can't create .*Give this process the right.*PLATFORM_STORE"
    ) as denied:
        open_store("file:///sys/kernel")
    assert "ree space" not in str(denied.value)


def test_a_store_that_does_not_answer_is_not_said_to_be_full_or_forbidden() -> None:
    with pytest.raises(StoreError, match=r"See that it answers and is healthy, or name another store") as away:
        ObjectStore("s3://away", _client_of_a_closed_port()).read("nowhere")
    assert "ree space" not in str(away.value)
    assert "the right" not in str(away.value)


def test_a_disk_that_fills_up_in_the_middle_of_an_object_leaves_none_of_it(tmp_path: Path) -> None:
    script = f"""
import os, resource
from resources.store.object_store import ObjectMissing, StoreError
from resources.store.opening import open_store
store = open_store({tmp_path.as_uri()!r})
resource.setrlimit(resource.RLIMIT_FSIZE, (64_000, 64_000))
try:
    store.create("large", os.urandom(128_000))
except StoreError as error:
    print(error)
try:
    store.read("large")
except ObjectMissing:
    print("nothing is there")
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert "File too large" in done.stdout
    assert "Free space there, or name another store in PLATFORM_STORE" in done.stdout
    assert "the right" not in done.stdout
    assert "nothing is there" in done.stdout
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_a_store_that_lets_the_second_writer_win_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import obstore

    put = obstore.put
    monkeypatch.setattr("obstore.put", lambda client, key, data, mode="overwrite": put(client, key, data))
    with pytest.raises(StoreError, match="it let a second writer overwrite"):
        open_store(tmp_path.as_uri())


def test_a_listing_knows_the_size_and_the_age_of_each_object_and_of_no_other_folder(store: ObjectStore) -> None:
    before = datetime.now(UTC) - timedelta(seconds=5)
    store.create("a/one", b"1")
    store.create("a/two", b"22")
    store.create("ab/three", b"333")
    found = store.list_objects("a")
    assert [(each.key, each.bytes) for each in found] == [("a/one", 1), ("a/two", 2)]
    assert all(before <= each.written_at <= datetime.now(UTC) + timedelta(seconds=5) for each in found)


def test_many_objects_are_deleted_although_some_are_gone_and_no_other_is_touched(store: ObjectStore) -> None:
    keys = [f"old/{number}" for number in range(20)]
    for key in (*keys[::2], "new/1"):
        store.create(key, b"bytes")
    store.delete_all(keys)
    store.delete_all(keys)
    assert store.list_keys() == ["new/1"]


def test_a_process_that_may_not_delete_is_told_which_right_it_needs_and_for_what(
    store: ObjectStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.create("old/1", b"bytes")

    def deny(*_: object) -> None:
        raise PermissionDeniedError("The operation lacked the necessary privileges")

    monkeypatch.setattr(obstore, "delete", deny)
    with pytest.raises(
        StoreError, match=r"can't delete old/1: .*s3:DeleteObject.*only retention, backups.*PLATFORM_STORE"
    ):
        store.delete_all(["old/1", "old/2"])
    assert store.read("old/1") == b"bytes"


def test_a_folder_that_forbids_deleting_is_told_apart_from_a_store_that_is_away() -> None:
    with pytest.raises(StoreError, match="s3:DeleteObject"):
        ObjectStore("file:///sys/kernel", LocalStore("/sys/kernel")).delete("uevent_seqnum")


def _client_of_a_closed_port() -> object:
    from datetime import timedelta

    from obstore.store import S3Store

    return S3Store(
        "away",
        endpoint="http://127.0.0.1:9",
        access_key_id="a",
        secret_access_key="b",
        region="us-east-1",
        client_options={"allow_http": True},
        retry_config={"max_retries": 0, "retry_timeout": timedelta(seconds=1)},
    )
