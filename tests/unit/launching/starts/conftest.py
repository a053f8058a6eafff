"""Belongs here: what all tests of runs that start share. Does not belong here: how one starts (`starting`)."""

import pytest

from resources.launching.starts import StartingRuns
from tests.support.launching import Launching
from tests.unit.launching.starts.starting import NOW


@pytest.fixture
def starts(built: Launching) -> StartingRuns:
    return StartingRuns(built.instance, built.launcher, clock=NOW.timestamp)
