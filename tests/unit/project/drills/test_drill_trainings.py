"""A drill whose training the platform refuses fails for a reason that it does not test, hours into a sitting."""

import pytest
from pydantic import ValidationError

from credit_assets.model.pipeline import TrainingConfig
from tests.drills.support.platform import MOST_TREES
from tests.drills.workers.test_out_of_memory import HUNGRY


def test_the_most_trees_of_a_drill_are_as_many_as_a_training_may_have_and_no_fewer() -> None:
    assert TrainingConfig(n_estimators=MOST_TREES).n_estimators == MOST_TREES
    with pytest.raises(ValidationError, match="n_estimators"):
        TrainingConfig(n_estimators=MOST_TREES + 1)


def test_the_drill_that_runs_out_of_memory_has_a_config_that_is_not_refused() -> None:
    config = HUNGRY["ops"]["training"]["config"]
    assert TrainingConfig(**config).model_dump().items() >= config.items()
