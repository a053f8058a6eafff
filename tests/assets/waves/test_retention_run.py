"""The asset `retention` is what deletes every night. If it does not run, or says less than it did, nobody notices."""

import os
from typing import Any

import dagster as dg
import pytest

from credit_assets.commands.main import main
from credit_assets.definitions import build_defs
from credit_assets.retention.retention import NO_LIMITS
from resources.deployment import Deployment


def retain(waves: Any, *, dry_run: bool) -> dg.AssetMaterialization:
    """Runs the job in this process, and returns what its page shows."""
    config = {"ops": {"retention": {"config": {"dry_run": dry_run}}}}
    job = build_defs(Deployment.from_environment()).resolve_job_def("apply_retention")
    result = job.execute_in_process(instance=waves.instance, run_config=config)
    assert result.success
    (event,) = result.asset_materializations_for_node("retention")
    return event


def read_column(page: dg.AssetMaterialization, title: str) -> dict[str, Any]:
    """A column of the table of removals, by what they are about."""
    table = page.metadata["removals"]
    assert isinstance(table, dg.TableMetadataValue)
    return {str(each.data["what"]): each.data[title] for each in table.records}


def count_planned(waves: Any) -> int:
    kind = dg.DagsterEventType.ASSET_MATERIALIZATION_PLANNED
    return sum(
        len(waves.instance.get_records_for_run(run.run_id, of_type=kind).records)
        for run in waves.instance.get_runs(dg.RunsFilter(job_name="score_locations"))
    )


@pytest.fixture
def limits(waves: Any) -> Any:
    """Settings with the section, which are as they were after the test."""
    path = waves.sandbox.settings
    before = path.read_text()
    path.write_text(before + "\n[retention]\nwave_days = 30\n")
    yield
    path.write_text(before)


def test_without_the_section_the_asset_deletes_nothing_and_says_so(waves: Any) -> None:
    waves.run()
    before = count_planned(waves)
    assert retain(waves, dry_run=False).metadata["removals"].value == NO_LIMITS
    assert count_planned(waves) == before > 0


def test_a_dry_run_of_the_asset_lists_what_the_next_run_deletes(waves: Any, limits: Any) -> None:
    assert waves.run().success
    before = count_planned(waves)
    dry = retain(waves, dry_run=True)
    assert count_planned(waves) == before
    listed = read_column(dry, "to delete")
    done = retain(waves, dry_run=False)
    assert count_planned(waves) < before
    assert float(str(dry.metadata["MB of the event log"].value)) > 0
    assert read_column(done, "deleted") == listed
    assert int(listed["planned events of location_scores"]) >= len(waves.applications()) - 1
    assert waves.status()[0] == set(waves.applications())


def test_the_command_prints_a_dry_run_and_deletes_only_when_told_to(
    waves: Any, limits: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    assert waves.run().success
    before = count_planned(waves)
    settings = ["--settings", os.environ["PLATFORM_SETTINGS"]]
    assert main(["retention", *settings]) == 0
    assert "planned events of location_scores: would delete" in capsys.readouterr().out
    assert count_planned(waves) == before
    assert main(["retention", *settings, "--apply"]) == 0
    assert "planned events of location_scores: deleted" in capsys.readouterr().out
    assert count_planned(waves) < before
