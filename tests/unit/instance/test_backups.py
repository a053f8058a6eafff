"""A backup that is incomplete, empty or damaged and passes for a good one costs everything on the day it is needed."""

import json
from pathlib import Path

import pytest

from credit_assets.commands.main import main
from resources.instance.backup_manifest import BackupDamaged, BackupEmpty, BackupError, BackupMissing, complete, find
from resources.instance.backups import fetch, keep, prune
from resources.store.object_store import ObjectStore

CONTENT = {"dagster.dump": b"runs and events", "lending.dump": b"loans"}


@pytest.fixture
def dumped(tmp_path: Path):
    """Makes what the dump container leaves behind."""

    def dumped(taken_at: str, content=CONTENT) -> Path:
        folder = tmp_path / f"dumped-{taken_at}"
        folder.mkdir()
        (folder / "taken-at").write_text(f"{taken_at}\n")
        for name, data in content.items():
            (folder / name).write_bytes(data)
        return folder

    return dumped


@pytest.fixture
def kept(store: ObjectStore, dumped):
    """Three backups, a day apart."""
    return [keep(store, dumped(f"2026112{day}T150000Z")) for day in (1, 2, 3)]


@pytest.fixture
def fetched(tmp_path: Path) -> Path:
    folder = tmp_path / "fetched"
    folder.mkdir()
    return folder


def there(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_the_newest_backup_or_a_chosen_one_comes_back_byte_by_byte(store, dumped, fetched) -> None:
    keep(store, dumped("20261121T150000Z", {"dagster.dump": b"older"}))
    keep(store, dumped("20261122T150000Z"))
    assert fetch(store, fetched).taken_at == "20261122T150000Z"
    assert there(fetched) == CONTENT
    assert fetch(store, fetched, "20261121T150000Z").taken_at == "20261121T150000Z"
    assert (fetched / "dagster.dump").read_bytes() == b"older"


def test_a_dump_of_many_pieces_comes_back_whole(store, dumped, fetched, monkeypatch) -> None:
    monkeypatch.setattr("resources.store.object_store.ONE_PIECE", 7)
    keep(store, dumped("20261121T150000Z", {"dagster.dump": bytes(range(256))}))
    fetch(store, fetched)
    assert there(fetched) == {"dagster.dump": bytes(range(256))}


def test_files_without_a_manifest_are_no_backup(store, kept, fetched) -> None:
    store.delete("20261123T150000Z/manifest.json")
    assert complete(store) == ["20261121T150000Z", "20261122T150000Z"]
    assert fetch(store, fetched).taken_at == "20261122T150000Z"


def test_a_backup_is_never_overwritten(store, dumped, kept) -> None:
    again = dumped("20261121T150000Z-again", {"dagster.dump": b"other"})
    (again / "taken-at").write_text("20261121T150000Z")
    with pytest.raises(BackupError, match="a backup of 20261121T150000Z is being made or was made"):
        keep(store, again)
    assert find(store, "20261121T150000Z") == kept[0]


def test_a_missing_backup_is_an_error_that_names_those_that_there_are(store, fetched, dumped) -> None:
    with pytest.raises(BackupMissing, match="holds no complete backup: check PLATFORM_STORE"):
        fetch(store, fetched)
    keep(store, dumped("20261121T150000Z"))
    with pytest.raises(BackupMissing, match=r"no complete backup '20200101T000000Z'; there are 20261121T150000Z"):
        fetch(store, fetched, "20200101T000000Z")
    assert there(fetched) == {}


def test_a_folder_without_dumps_is_no_backup(store, dumped) -> None:
    with pytest.raises(BackupMissing, match="expected dumps, and a UTC time"):
        keep(store, dumped("20261121T150000Z", {}))
    with pytest.raises(BackupMissing, match="expected dumps, and a UTC time"):
        keep(store, dumped("yesterday"))
    assert store.list_keys() == []


def test_an_empty_dump_is_neither_kept_nor_restored(store, dumped, fetched) -> None:
    with pytest.raises(BackupEmpty, match=r"lending\.dump is empty"):
        keep(store, dumped("20261121T150000Z", CONTENT | {"lending.dump": b""}))
    assert store.list_keys() == []
    empty = {"taken_at": "20261122T150000Z", "files": []}
    store.create("20261122T150000Z/manifest.json", json.dumps(empty).encode())
    with pytest.raises(BackupEmpty, match="the backup is empty"):
        fetch(store, fetched)


@pytest.mark.parametrize("bytes_now", [b"loanz", b"loan", None], ids=["changed", "truncated", "deleted"])
def test_a_damaged_dump_leaves_nothing_to_restore_from(store, kept, fetched, bytes_now) -> None:
    (key,) = [file.key for file in kept[-1].files if file.name == "lending.dump"]
    store.delete(key)
    if bytes_now is not None:
        store.create(key, bytes_now)
    with pytest.raises(
        BackupDamaged, match=r"lending\..*is not what was committed.*Name an older backup in PLATFORM_BACKUP"
    ):
        fetch(store, fetched)
    assert there(fetched) == {}, "a dump that is whole would be restored without the other"
    assert fetch(store, fetched, "20261122T150000Z") == kept[1]


@pytest.mark.parametrize(
    "manifest",
    [
        b"{",
        b'{"taken_at": "20261123T150000Z"}',
        b'{"taken_at": "20261122T150000Z", "files": []}',
        json.dumps(
            {
                "taken_at": "20261123T150000Z",
                "files": [{"name": "../x.dump", "key": "k", "sha256": "s", "bytes": 1}],
            }
        ).encode(),
    ],
    ids=["no JSON", "no files", "of another time", "out of the folder"],
)
def test_a_damaged_manifest_is_refused(store, kept, fetched, manifest) -> None:
    store.delete("20261123T150000Z/manifest.json")
    store.create("20261123T150000Z/manifest.json", manifest)
    with pytest.raises(BackupDamaged, match=r"manifest\.json is not what was committed"):
        fetch(store, fetched)


def test_the_newest_stay_and_what_is_older_goes_with_the_left_overs_of_failed_ones(store, kept) -> None:
    store.create("20261120T150000Z/dagster.aaaaaaaaaaaa.dump", b"a job that died before its manifest")
    store.create("20261124T150000Z/dagster.bbbbbbbbbbbb.dump", b"a job that is at work")
    store.create("somebody-elses", b"bytes")
    assert prune(store, 2) == ["20261122T150000Z", "20261123T150000Z"]
    assert {key.split("/")[0] for key in store.list_keys()} == {
        "20261122T150000Z",
        "20261123T150000Z",
        "20261124T150000Z",
        "somebody-elses",
    }
    assert prune(store, 5) == ["20261122T150000Z", "20261123T150000Z"], "fewer than are kept: none goes"


def test_an_older_backup_is_deleted_only_after_the_new_one_was_read_back(
    store_uri, store, kept, dumped, monkeypatch, capsys
) -> None:
    monkeypatch.setenv("PLATFORM_STORE", store_uri)
    with monkeypatch.context() as lying:
        lying.setattr(ObjectStore, "pieces", lambda self, key: iter([b"other bytes"]))
        assert main(["backups", "keep", str(dumped("20261124T150000Z")), "--newest=1"]) == 1
    captured = capsys.readouterr()
    assert captured.err.startswith("error: ")
    assert "is not what was committed" in captured.err
    assert not captured.out, "it says that it kept a backup"
    assert len(complete(store)) == 4
    assert main(["backups", "keep", str(dumped("20261125T150000Z")), "--newest=1"]) == 0
    said = capsys.readouterr().out
    assert "kept 20261125T150000Z: dagster.dump 15 bytes, lending.dump 5 bytes" in said
    assert f"1 complete in {store.uri}: 20261125T150000Z" in said
    assert complete(store) == ["20261125T150000Z"]


def test_the_command_keeps_a_week_of_backups_unless_it_is_told_otherwise(store_uri, store, dumped, monkeypatch) -> None:
    monkeypatch.setenv("PLATFORM_STORE", store_uri)
    for day in range(1, 29):
        store.create(f"202610{day:02}T150000Z/manifest.json", b"{}")
    assert main(["backups", "keep", str(dumped("20261125T150000Z"))]) == 0
    assert len(complete(store)) == 28
    assert complete(store)[0] == "20261002T150000Z"


def test_the_command_fetches_the_backup_that_is_named_and_the_option_wins(
    store_uri, kept, fetched, monkeypatch, capsys
) -> None:
    monkeypatch.setenv("PLATFORM_STORE", store_uri)
    for day, arguments in (("3", []), ("1", ["--backup=20261121T150000Z"])):
        assert main(["backups", "fetch", str(fetched), *arguments]) == 0
        assert f"fetched 2026112{day}T150000Z: " in capsys.readouterr().out
    monkeypatch.setenv("PLATFORM_BACKUP", "20261122T150000Z")
    assert main(["backups", "fetch", str(fetched)]) == 0
    assert "fetched 20261122T150000Z: " in capsys.readouterr().out
    assert main(["backups", "fetch", str(fetched), "--backup=20261121T150000Z"]) == 0
    assert "fetched 20261121T150000Z: " in capsys.readouterr().out
    assert there(fetched) == CONTENT


def test_the_command_fails_if_it_has_nothing_to_fetch(store_uri, fetched, monkeypatch, capsys) -> None:
    monkeypatch.setenv("PLATFORM_STORE", store_uri)
    assert main(["backups", "fetch", str(fetched)]) == 1
    captured = capsys.readouterr()
    assert captured.err.startswith("error: ")
    assert "holds no complete backup" in captured.err
    assert not captured.out
    assert there(fetched) == {}


def test_keeping_none_is_refused(store) -> None:
    with pytest.raises(ValueError, match="expected at least 1"):
        prune(store, 0)
