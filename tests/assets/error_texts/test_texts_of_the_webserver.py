"""A text of the webserver that changes fails a test here; else a run whose steps had all ended stays red for ever.

The text comes from a webserver and a code server of Dagster, about a run that they executed.
"""

from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest
import yaml

from resources.error_texts import has_no_steps_left
from resources.history.tags import NUMBER
from resources.services.webserver import Webserver, WebserverError
from sensors.lost_retries import retry
from tests.assets.error_texts import doomed
from tests.support.servers.webserver import PATIENCE, serve_webserver

# Runs start at once, because no daemon empties a queue here.
CONFIG = {
    "run_coordinator": {"module": "dagster.core.run_coordinator", "class": "DefaultRunCoordinator"},
    "telemetry": {"enabled": False},
}


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dagster")
    (folder / "dagster.yaml").write_text(yaml.safe_dump(CONFIG))
    return folder


@pytest.fixture(scope="module")
def webserver(home: Path) -> Iterator[Webserver]:
    """Dagster's own, with the jobs beside this file."""
    location = ("--python-file", str(doomed.__file__), "--attribute", "definitions")
    with serve_webserver(home, {"DAGSTER_HOME": str(home)}, *location) as started:
        yield started


def test_a_run_whose_steps_had_all_ended_is_told_apart_from_one_that_can_t_be_retried(
    home: Path, webserver: Webserver
) -> None:
    ended = webserver.launch("working")
    assert webserver.wait_for_run(ended, PATIENCE) == "SUCCESS"
    with dg.DagsterInstance.from_config(str(home)) as instance:
        run = instance.get_run_by_id(ended)
        assert run
        instance.report_run_failed(run, "its worker was lost after its last step")
        with pytest.raises(WebserverError) as nothing_left:
            webserver.reexecute(ended, "FROM_FAILURE", {})
        assert has_no_steps_left(str(nothing_left.value))
        with pytest.raises(WebserverError) as unknown:
            webserver.reexecute("nobody", "FROM_FAILURE", {})
        assert not has_no_steps_left(str(unknown.value)), "a run that can't be retried would be asked for a second time"
        again = instance.get_run_by_id(retry(webserver, ended, 1))
        assert again
        assert (again.parent_run_id, again.tags[NUMBER]) == (ended, "1")
        assert again.step_keys_to_execute is None, "it has no step, so it can't end the run"
