"""A drill whose training the platform refuses fails for a reason that it does not test, hours into a sitting."""

import importlib
from types import ModuleType

import pytest

from credit_assets.model.pipeline import TrainingConfig
from tests.drills.workers.test_out_of_memory import HUNGRY
from tests.support.pages import ROOT

DRILLS = ROOT / "tests" / "drills"
MODULES = [
    importlib.import_module(".".join(path.relative_to(ROOT).with_suffix("").parts))
    for path in sorted(DRILLS.rglob("*.py"))
    if "TREES" in path.read_text()
]


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.__name__)
def test_a_drill_trains_as_many_trees_as_a_training_may_have(module: ModuleType) -> None:
    assert TrainingConfig(n_estimators=module.TREES).n_estimators == module.TREES


def test_the_drill_that_runs_out_of_memory_has_a_config_that_is_not_refused() -> None:
    config = HUNGRY["ops"]["training"]["config"]
    assert TrainingConfig(**config).model_dump().items() >= config.items()
