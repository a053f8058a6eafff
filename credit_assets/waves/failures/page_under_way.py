"""When the page of a wave under way is shown: soon after a failure, and every half minute. Failures share a page.

Belongs here: the moments. Does not belong here: what the page says (`credit_assets.waves.page`).
"""

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from credit_assets.waves.outcomes import Outcome, list_failed

# Seconds between two pages of a wave under way: after a failure, and while nothing fails. They are few, because
# Dagster's page of an asset loads all of a week.
FAILURE_SECONDS, PROGRESS_SECONDS = 2.0, 30.0


@dataclass
class PageUnderWay:
    """Shows the page if a failure is not on it yet, or if it is old.

    Attributes:
        show: writes the page.
        clock: seconds.
    """

    show: Callable[[Sequence[Outcome]], None]
    clock: Callable[[], float] = time.monotonic
    _shown_failures: int = 0
    _shown_at: float = -math.inf
    _began_at: float = field(init=False)

    def __post_init__(self) -> None:
        self._began_at = self.clock()

    def show_if_due(self, outcomes: Sequence[Outcome]) -> None:
        """Shows these outcomes if one has failed since the page was shown, or if the page was shown long ago.

        It is called after every chunk, and again and again while nothing happens.
        """
        failures, now = len(list_failed(outcomes)), self.clock()
        is_new = failures > self._shown_failures and now - self._shown_at >= FAILURE_SECONDS
        if is_new or now - max(self._shown_at, self._began_at) >= PROGRESS_SECONDS:
            self.show(outcomes)
            self._shown_failures, self._shown_at = failures, self.clock()
