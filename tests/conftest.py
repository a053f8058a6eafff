"""The tiers are folders: a test under tests/unit starts neither a database nor a Dagster instance.

What the assets tier shares starts both. A unit test that borrows any of it fails the collection.
Both tiers share the stores: a folder, and an S3 server of the tests' own.
"""

import inspect
import random
import uuid
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from resources.store.object_store import ObjectStore
from resources.store.opening import open_store

TESTS = Path(__file__).parent
UNIT = TESTS / "unit"
SLOW = (TESTS / "assets", TESTS / "support" / "sandbox.py", TESTS / "support" / "instances.py")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--shuffle", type=int, metavar="SEED", help="run files, and the tests of each, in a seeded order")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    refuse_slow_parts_in_unit_tests(config, items)
    seed = config.getoption("--shuffle")
    if seed is not None:
        shuffle(items, seed)


def shuffle(items: list[pytest.Item], seed: int) -> None:
    """Orders the files by chance and the tests of each file by chance, in place; a file's tests stay together."""
    chance = random.Random(seed)
    chance.shuffle(items)
    files = list(dict.fromkeys(item.path for item in items))
    items.sort(key=lambda item: files.index(item.path))


def refuse_slow_parts_in_unit_tests(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Looks at what the modules hold: a fixture reaches a test through its module or a conftest, and no other way.

    Raises:
        UsageError: a module of the unit tier holds something that was defined in a part of the tests that is slow.
    """
    modules: set[Any] = {item.module for item in items if isinstance(item, pytest.Function)}
    modules |= {plugin for plugin in config.pluginmanager.get_plugins() if isinstance(plugin, ModuleType)}
    for module in modules:
        path = Path(inspect.getfile(module))
        if not (path.is_relative_to(UNIT) or path.parent == TESTS):
            continue
        for name, value in vars(module).items():
            home = defined_in(value)
            if home and any(home.is_relative_to(slow) for slow in SLOW):
                borrower, lender = path.relative_to(TESTS.parent), home.relative_to(TESTS.parent)
                raise pytest.UsageError(f"{borrower} is in the unit tier and uses {name!r} of {lender}")


def defined_in(value: object) -> Path | None:
    """The file of a function, a fixture, a class or a module; None of anything else."""
    try:
        return Path(inspect.getfile(inspect.unwrap(value)))  # type: ignore[arg-type]
    except TypeError:  # a plain value, or something built in
        return None


@pytest.fixture(scope="session")
def s3_server() -> Iterator[dict[str, str]]:
    """The environment of an S3 server, which all tests share."""
    from tests.support.servers.s3 import serve_s3

    with serve_s3() as environment:
        yield environment


@pytest.fixture
def s3_endpoint(s3_server: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> str:
    """The server's address; the environment names it as long as the test runs."""
    monkeypatch.delenv("AWS_ENDPOINT_URL_S3", raising=False)
    for name, value in s3_server.items():
        monkeypatch.setenv(name, value)
    return s3_server["AWS_ENDPOINT_URL"]


@pytest.fixture(scope="session")
def s3_bucket(s3_server: dict[str, str]) -> str:
    """A bucket that all tests share, each below a prefix of its own: it takes longer to make than most tests."""
    uri = "s3://tests"
    with pytest.MonkeyPatch.context() as environment:
        for name, value in s3_server.items():
            environment.setenv(name, value)
        open_store(uri)
    return uri


@pytest.fixture(params=["file", "s3"])
def store_uri(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty store: a folder that is not there yet, or a new prefix of a bucket."""
    if request.param == "file":
        return (tmp_path / "a store").as_uri()
    request.getfixturevalue("s3_endpoint")
    return f"{request.getfixturevalue('s3_bucket')}/{uuid.uuid4().hex}/a/prefix"


@pytest.fixture
def store(store_uri: str) -> ObjectStore:
    return open_store(store_uri)
