"""The tiers are folders: a test under tests/unit starts neither a database nor a Dagster instance.

A heavy fixture that gets into the quick tier, and an import is enough for that, fails the collection.
Both tiers share the stores: a folder, and an S3 server of the tests' own.
"""

import inspect
import socket
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from resources.store.object_store import ObjectStore, open_store

UNIT, ASSETS = (Path(__file__).parent / tier for tier in ("unit", "assets"))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if not (isinstance(item, pytest.Function) and item.path.is_relative_to(UNIT)):
            continue
        for name, definitions in item._fixtureinfo.name2fixturedefs.items():
            if any(Path(inspect.getfile(definition.func)).is_relative_to(ASSETS) for definition in definitions):
                raise pytest.UsageError(f"{item.nodeid} is in the unit tier and uses {name!r} of tests/assets")


@pytest.fixture(scope="session")
def s3_endpoint() -> Iterator[str]:
    """A moto S3 server on a free port of this machine; the environment names it, as it would a real one."""
    from moto.moto_server.threaded_moto_server import ThreadedMotoServer

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = ThreadedMotoServer("127.0.0.1", port, verbose=False)
    server.start()
    endpoint = f"http://127.0.0.1:{port}"
    environment = {
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_REGION": "us-east-1",
        "AWS_DEFAULT_REGION": "us-east-1",
    }
    with pytest.MonkeyPatch.context() as patched:
        patched.delenv("AWS_ENDPOINT_URL_S3", raising=False)
        for name, value in environment.items():
            patched.setenv(name, value)
        yield endpoint
    server.stop()


@pytest.fixture(params=["file", "s3"])
def store_uri(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A store that is not there yet."""
    if request.param == "file":
        return (tmp_path / "a store").as_uri()
    request.getfixturevalue("s3_endpoint")
    return f"s3://bucket-{uuid.uuid4().hex}/a/prefix"


@pytest.fixture
def store(store_uri: str) -> ObjectStore:
    return open_store(store_uri)
