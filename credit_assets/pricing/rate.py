"""The formula of a rate, and how far a rate may move at once.

Belongs here: arithmetic on rates. Does not belong here: which scores count (`segments`).
"""

from credit_assets.settings.pricing import Pricing

# Rates have so many digits, which is a hundredth of a basis point. Sums of the same scores in another order give the
# same rate then.
DIGITS = 6


def compute_rate(pricing: Pricing, mean_probability: float) -> float:
    """The rate that covers the expected loss, within the bounds of the settings.

    Expected loss, as a share of a loan, is the probability of a default times the loss given default (Basel Framework,
    CRE31). The loss of many loans is the mean over them. So the rate is

        base_rate + mean_probability * loss_given_default

    and never below `minimum_rate` or above `maximum_rate`. It is for the time in which the target counts a default: a
    year if the model predicts defaults within a year.

    Args:
        pricing: the formula's constants and bounds.
        mean_probability: the mean probability of a default, 0 to 1.

    Returns:
        A share, rounded to six digits.

    Raises:
        ValueError: `mean_probability` is no probability.
    """
    if not 0 <= mean_probability <= 1:
        raise ValueError(f"mean_probability is {mean_probability}; expected a number from 0 to 1")
    rate = pricing.base_rate + mean_probability * pricing.loss_given_default
    return round(min(max(rate, pricing.minimum_rate), pricing.maximum_rate), DIGITS)


def measure_step(rate: float, published: float) -> float:
    """How far a rate is from the published one, as a difference of shares, with the digits that rates have."""
    return round(abs(rate - published), DIGITS)


def format_rate(rate: float) -> str:
    """A rate, or a step, for people: in percent, with two digits."""
    return f"{rate * 100:.2f} %"
