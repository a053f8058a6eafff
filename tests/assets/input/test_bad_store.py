"""What lies in the store may be a model that decides on loans: a full disk or a changed byte must never pass for one.

Without these a store that is full, read-only or gone may leave an artifact that looks whole, and an artifact that was
changed, or written by an older release, may be unpickled.
"""

import hashlib
import json
import resource
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import dagster as dg
import pytest

from credit_assets.commands.one_machine.outcome import failure_reasons
from credit_assets.definitions import build_defs
from credit_assets.jobs import REFRESH
from resources.deployment import Deployment
from resources.store.blocks.encoding import decode_block
from resources.store.formats import Joblib
from tests.support.run_log import assert_one_error
from tests.support.sandbox import Sandbox, file_digests

pytestmark = pytest.mark.usefixtures("good_loans")


def assert_manifests_are_whole(store: Path) -> None:
    for manifest in store.rglob("manifest.json"):
        for file in json.loads(manifest.read_text())["files"]:
            assert hashlib.sha256((store / file["key"]).read_bytes()).hexdigest() == file["sha256"]


def unwritable() -> Path:
    """A folder that not even root can write to."""
    return next(folder for folder in (Path("/sys/kernel"), Path("/System")) if folder.exists())


@pytest.mark.parametrize(
    ("store", "expected"),
    [
        ("{file}/store", "it is not there and can't be made: [Errno 20] Not a directory"),
        ("{unwritable}/store", "it is not there and can't be made: "),
        ("{unwritable}", "Give this process the right to do that, or name another store in PLATFORM_STORE"),
    ],
    ids=["below a file", "not ours to make", "read-only"],
)
def test_a_store_that_cannot_be_had_is_found_out_before_anything_is_computed(
    sandbox: Sandbox, capfd: pytest.CaptureFixture[str], store: str, expected: str
) -> None:
    uri = store.replace("{file}", sandbox.settings.as_uri()).replace("{unwritable}", unwritable().as_uri())
    before, runs = sandbox.state(), sandbox.instance.get_runs_count()
    assert sandbox.run(PLATFORM_STORE=uri) == 1
    assert_one_error(capfd.readouterr().err, uri, "PLATFORM_STORE", expected)
    assert sandbox.instance.get_runs_count() == runs, "a run began without its store"
    # A run that the UI or a sensor launches looks first too.
    succeeded, (reason,) = measure(sandbox, PLATFORM_STORE=uri)
    assert not succeeded
    assert uri in reason
    assert expected in reason
    assert sandbox.state() == before


@contextmanager
def no_more_than(limit: int) -> Iterator[None]:
    """The kernel refuses this process a file of more bytes, as a quota does."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@contextmanager
def full(folder: Path) -> Iterator[str]:
    """A disk of 64 KiB if we may mount one, or else a limit on the size of files; what it says once it is full."""
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", folder], capture_output=True, check=False
    )
    if mounted.returncode:
        with no_more_than(40_000):
            yield "File too large"
        return
    try:
        yield "No space left on device"
    finally:
        subprocess.run(["umount", folder], check=True)


def test_a_full_store_keeps_whole_blocks_of_a_model_and_costs_none_of_another_store(
    sandbox: Sandbox, capfd: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    kept = file_digests(sandbox.store)
    with full(tmp_path) as refusal:
        assert sandbox.run(PLATFORM_STORE=tmp_path.as_uri()) == 1
        output = capfd.readouterr().err
        assert_one_error(output, f"store {tmp_path.as_uri()}: can't create trained_model/", refusal, "PLATFORM_STORE")
        left = {path for path in map(Path, file_digests(tmp_path)) if path.parts[0] == "trained_model"}
        assert all(path.parent.name == "blocks" and decode_block((tmp_path / path).read_bytes()) for path in left)
        assert_manifests_are_whole(tmp_path)
    log = sandbox.log(output)
    log.assert_stopped_at("training")
    assert file_digests(sandbox.store) == kept
    assert sandbox.run() == 0
    sandbox.assert_latest_artifacts_load()


def test_a_full_scratch_folder_is_an_error_with_its_path_and_the_store_is_untouched(
    sandbox: Sandbox, capfd: pytest.CaptureFixture[str]
) -> None:
    before = sandbox.state()
    with no_more_than(3_000):
        assert sandbox.run() == 1
    assert_one_error(capfd.readouterr().err, "can't be written to ", "File too large", "TMPDIR")
    assert sandbox.state() == before


def measure(sandbox: Sandbox, **changed: str) -> tuple[bool, list[str]]:
    """Materializes model_metrics alone, from what the event log names: success, or why not."""
    with sandbox.entered(**changed), dg.DagsterInstance.get() as instance:
        result = (
            build_defs(Deployment.from_environment())
            .resolve_job_def(REFRESH)
            .execute_in_process(
                instance=instance,
                raise_on_error=False,
                asset_selection=[dg.AssetKey("model_metrics")],
                run_config={"loggers": {"progress": {}}},
            )
        )
        if not result.success:
            assert not result.get_asset_materialization_events()
            assert not result.get_asset_check_evaluations()
        return result.success, failure_reasons(result.all_events)


def artifact(sandbox: Sandbox, asset: str) -> tuple[Path, Path]:
    """Its file and its manifest."""
    place = sandbox.store / sandbox.latest(asset, "checkpoint/place")
    (file,) = (path for path in place.iterdir() if path.suffix in {".joblib", ".parquet"})
    return file, place / "manifest.json"


REMEDY = "Materialize the asset again, or read it with the release that wrote it"
DAMAGES: dict[str, tuple[Callable[[bytes], bytes | None], str]] = {
    "truncated": (lambda data: data[:-10], "was truncated or extended after it was written: expected "),
    "changed": (lambda data: data[:-1] + bytes([data[-1] ^ 1]), "was changed after it was written: expected "),
    "deleted": (lambda data: None, "was deleted after it was written"),
}
MANIFEST_DAMAGES: dict[str, tuple[Callable[[bytes], bytes | None], str]] = {
    "changed": (
        lambda data: data.replace(b'"sha256": "', b'"sha256": "0'),
        "was changed after it was written: its sha256 is ",
    ),
    "deleted": (
        lambda data: None,
        "is not there: it was deleted after it was written, or PLATFORM_STORE names another",
    ),
}


@contextmanager
def damaged(path: Path, damage: Callable[[bytes], bytes | None]) -> Iterator[None]:
    whole = path.read_bytes()
    data = damage(whole)
    path.unlink() if data is None else path.write_bytes(data)
    try:
        yield
    finally:
        path.write_bytes(whole)


def assert_refuses(sandbox: Sandbox, *expected: str) -> None:
    before = sandbox.latest("model_metrics")
    success, reasons = measure(sandbox)
    assert not success
    assert_one_error("".join(f"error: {reason}\n" for reason in reasons), REMEDY, *expected)
    assert sandbox.latest("model_metrics") == before


def test_an_artifact_that_is_not_as_it_was_written_is_not_read(sandbox: Sandbox) -> None:
    file, manifest = artifact(sandbox, "trained_model")
    for path, damages in ((file, DAMAGES), (manifest, MANIFEST_DAMAGES)):
        for damage, expected in damages.values():
            with damaged(path, damage):
                assert_refuses(sandbox, f"{path.as_uri()} {expected}")
    split, _ = artifact(sandbox, "test_split")
    with damaged(split, lambda data: None):
        assert_refuses(sandbox, f"{split.as_uri()} was deleted after it was written")
    assert measure(sandbox) == (True, [])


def test_an_artifact_of_an_older_format_is_not_guessed_at(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as newer:
        newer.setattr(Joblib, "version", 2)
        assert_refuses(sandbox, "is of format joblib 1; this release reads joblib 2")
    with monkeypatch.context() as newer:
        newer.setattr("resources.store.artifacts.READABLE", (3,))
        assert_refuses(sandbox, "manifest.json has manifest version 2; this release reads 3")


def test_another_store_is_not_taken_for_a_loss(
    sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    another = (tmp_path / "another").as_uri()
    monkeypatch.setitem(sandbox.environment, "PLATFORM_STORE", another)
    assert_refuses(sandbox, another, "it was deleted after it was written, or PLATFORM_STORE names another store now")


def test_dagster_itself_ends_with_an_exit_code_when_a_model_was_tampered_with(sandbox: Sandbox) -> None:
    command = ("-m", "dagster", "asset", "materialize", "--select", "model_metrics", "-m", "credit_assets.definitions")
    file, _ = artifact(sandbox, "trained_model")
    with damaged(file, lambda data: data + b"x"):
        done = sandbox.start(*command)
    assert done.returncode != 0
    assert f"{file.as_uri()} was truncated or extended after it was written" in done.stdout + done.stderr
    assert sandbox.latest("model_metrics") not in done.stdout + done.stderr
