"""Who gives a pod the rights of the page, and no more, must not find out in production that one was missing."""

import re
from pathlib import Path

import obstore
import pytest

from resources.store.opening import open_store
from tests.support.pages import ROOT

WRITES = {"put": "create", "delete": "delete"}
ACCOUNTS = "a run's pod and the backup's Job, besides"


def test_the_rights_of_whoever_opens_the_store_to_write_are_on_the_page(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    used: set[tuple[str, str]] = set()
    for name, verb in WRITES.items():
        call = getattr(obstore, name)

        def note(client, key, *arguments, call=call, verb=verb, **more):
            used.add((verb, key.split("/")[0]))
            return call(client, key, *arguments, **more)

        monkeypatch.setattr(obstore, name, note)
    open_store(tmp_path.as_uri())
    assert used == {("create", ".probe"), ("delete", ".probe")}
    (row,) = re.findall(rf"^\| {ACCOUNTS} .*", (ROOT / "docs" / "trust.md").read_text(), re.MULTILINE)
    rights = row.split("|")[2]
    for verb in ("list", "read", *WRITES.values()):
        assert verb in rights
    assert "`.probe/`" in rights
