"""A wrong formula prices every loan wrongly, and a rate out of its bounds may be against the law."""

import pytest

from credit_assets.pricing.rate import compute_rate, measure_step
from credit_assets.settings.pricing import Pricing


@pytest.mark.parametrize(
    ("mean_probability", "rate"),
    [
        (0.1, 0.04 + 0.1 * 0.5),  # nothing clipped
        (0.02, 0.05),  # exactly the minimum
        (0.0, 0.05),  # below the minimum
        (0.52, 0.3),  # exactly the maximum
        (1.0, 0.3),  # above the maximum
    ],
)
def test_a_rate_covers_base_rate_and_expected_loss_within_its_bounds(
    pricing: Pricing, mean_probability: float, rate: float
) -> None:
    assert compute_rate(pricing, mean_probability) == pytest.approx(rate, abs=1e-12)


def test_riskier_segments_never_get_a_lower_rate(pricing: Pricing) -> None:
    rates = [compute_rate(pricing, number / 1000) for number in range(1001)]
    assert rates == sorted(rates)
    assert (rates[0], rates[-1]) == (0.05, 0.3)


def test_a_loss_given_default_of_none_leaves_the_base_rate(pricing: Pricing) -> None:
    lossless = pricing.model_copy(update={"loss_given_default": 0.0, "base_rate": 0.06})
    assert compute_rate(lossless, 0.9) == 0.06


@pytest.mark.parametrize("garbage", [-0.001, 1.001, float("nan"), float("inf")])
def test_what_is_no_probability_is_refused(pricing: Pricing, garbage: float) -> None:
    with pytest.raises(ValueError, match="expected a number from 0 to 1"):
        compute_rate(pricing, garbage)


def test_a_step_is_the_same_up_and_down_and_knows_no_error_of_binary_fractions() -> None:
    assert measure_step(0.13, 0.11) == measure_step(0.11, 0.13) == 0.02
    assert measure_step(0.13, 0.13) == 0
