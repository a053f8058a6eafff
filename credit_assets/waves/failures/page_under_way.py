"""When the page of a wave under way is shown: soon after a failure, and not after each one.

Belongs here: the moments. Does not belong here: what the page says (`credit_assets.waves.page`).
"""

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from credit_assets.waves.outcomes import Outcome, list_failed

# How often the page of a wave under way is written, at most.
PAGE_SECONDS = 2.0


@dataclass
class PageUnderWay:
    """Shows the page if a failure is not on it yet.

    Attributes:
        show: writes the page.
        clock: seconds.
    """

    show: Callable[[Sequence[Outcome]], None]
    clock: Callable[[], float] = time.monotonic
    _shown_failures: int = 0
    _shown_at: float = -math.inf

    def show_if_due(self, outcomes: Sequence[Outcome]) -> None:
        """Shows these outcomes if one has failed since the page was shown, and that is not too short ago.

        It is called after every chunk, and again and again while nothing happens.
        """
        failures = len(list_failed(outcomes))
        if failures > self._shown_failures and self.clock() - self._shown_at >= PAGE_SECONDS:
            self.show(outcomes)
            self._shown_failures, self._shown_at = failures, self.clock()
