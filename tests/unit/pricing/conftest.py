"""Fixtures of pricing: settings with round numbers."""

import pytest

from credit_assets.settings.pricing import Pricing
from tests.support.settings import make_pricing


@pytest.fixture
def pricing() -> Pricing:
    return make_pricing(minimum_scores=10, maximum_age_hours=7)
