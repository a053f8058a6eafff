"""Fixtures of pricing: settings with round numbers."""

import pytest

from credit_assets.settings.pricing import Pricing


@pytest.fixture
def pricing() -> Pricing:
    return Pricing(
        segment="segment",
        prices="prices",
        base_rate=0.04,
        loss_given_default=0.5,
        minimum_rate=0.05,
        maximum_rate=0.3,
        maximum_step=0.02,
        minimum_scores=10,
        maximum_age_hours=7,
    )
