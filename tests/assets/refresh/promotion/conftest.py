"""Promotion by hand, as a fixture."""

from typing import Any

import dagster as dg
import pytest

from credit_assets.definitions import build_defs
from resources.deployment import Deployment
from tests.assets.refresh.promotion.support import ByHand


@pytest.fixture
def by_hand(refresh: Any, instance: dg.DagsterInstance) -> ByHand:
    """The job that a person starts in the UI."""

    def promote(chosen: str) -> dg.ExecuteInProcessResult:
        config = {"chosen": chosen, "who": "Ada", "why": "the newer one is wrong about Mondays"}
        return (
            build_defs(Deployment.from_environment())
            .resolve_job_def("promote_by_hand")
            .execute_in_process(
                instance=instance, run_config={"ops": {"promotion_by_hand": {"config": config}}}, raise_on_error=False
            )
        )

    return promote
