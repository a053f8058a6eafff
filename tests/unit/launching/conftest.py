"""A launcher on an API server, a table of leases and an instance that are made up."""

from pathlib import Path

import pytest

from tests.support.launching import Launching, launching


@pytest.fixture
def built(tmp_path: Path) -> Launching:
    return launching(tmp_path)
