"""What the tests of Dagster's storage share."""

from functools import partial

import pytest

from tests.support.instances import open_instance


@pytest.fixture
def opened(tmp_path, database_url):
    """Opens an instance on a database of its own, as dagster.yaml with that storage configures it."""
    return partial(open_instance, tmp_path, database_url)
