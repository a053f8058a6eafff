"""What the tests of S3 share: an environment without AWS, and a private CA."""

from pathlib import Path

import pytest

from tests.support.aws import AwsEnvironment
from tests.support.servers.certificates import PrivateCA


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> AwsEnvironment:
    return AwsEnvironment(monkeypatch, tmp_path)


@pytest.fixture(scope="session")
def ca(tmp_path_factory: pytest.TempPathFactory) -> PrivateCA:
    return PrivateCA(tmp_path_factory.mktemp("ca"))
