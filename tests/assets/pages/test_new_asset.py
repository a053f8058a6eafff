"""An example that does not run teaches a newcomer that documentation is not to be believed."""

from collections.abc import Iterator
from types import ModuleType
from typing import Any

import dagster as dg
import pandas as pd
import pytest

from credit_assets.loan_dataset import loan_dataset
from credit_assets.settings.file import SettingsFile
from resources.services.database import Database
from resources.store.checkpoints import Artifact, Checkpoints
from resources.store.io_manager import CheckpointIOManager
from tests.support.pages import ROOT, code_blocks, module_of
from tests.support.sandbox import Sandbox


@pytest.fixture
def example() -> Iterator[ModuleType]:
    """The new asset with its check, as the page shows it."""
    (code,) = code_blocks(ROOT / "docs" / "new-asset.md", "python")
    with module_of("example", code) as module:
        yield module


def materialize(sandbox: Sandbox, asset: dg.AssetsDefinition, **more: Any) -> dg.ExecuteInProcessResult:
    """Materializes one asset, which reads what the good run committed."""
    checkpoints = Checkpoints(store_uri=sandbox.store.as_uri())
    resources = {
        "settings": SettingsFile(path=str(sandbox.settings)),
        "database": Database(url="unused"),
        "checkpoints": checkpoints,
        "checkpoint_io": CheckpointIOManager(checkpoints=checkpoints),
    }
    with sandbox.entered():
        return dg.materialize(
            [loan_dataset, asset], selection=[asset], instance=sandbox.instance, resources=resources, **more
        )


def test_the_new_asset_commits_its_result_with_its_check(sandbox, good_run, example) -> None:
    result = materialize(sandbox, example.default_rate)
    report: Artifact = result.output_for_node("default_rate")
    assert report.value.data == {"rate": 0.25}, "every fourth loan of the sandbox defaulted"
    (check,) = result.get_asset_check_evaluations()
    assert check.passed
    assert check.check_name in example.CHECKS
    assert list(sandbox.store.glob("default_rate/*/*/manifest.json"))


def test_a_check_of_the_new_asset_that_fails_keeps_it_from_being_committed(sandbox, good_run, example) -> None:
    before = list(sandbox.store.glob("default_rate/*/*/manifest.json"))
    example.select_outcomes = lambda loans, settings: pd.Series([0])
    result = materialize(sandbox, example.default_rate, raise_on_error=False)
    assert not result.success
    (check,) = result.get_asset_check_evaluations()
    assert not check.passed
    assert not result.get_asset_materialization_events()
    assert list(sandbox.store.glob("default_rate/*/*/manifest.json")) == before
