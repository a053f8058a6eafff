"""A service that is reached over a network: what happens to a request, and to its answer.

Belongs here: delays, losses, stalls and cut wires. Does not belong here: what the service does with a request.
"""

from collections.abc import Callable
from typing import Any

from simulation.loop import Loop

# Seconds. A request takes a moment, and one in so many takes long.
USUAL, SLOW, SLOW_SHARE = 0.004, 1.5, 0.01
# Seconds after which a request into a cut wire fails, unless its sender has another limit (`tcp_user_timeout`).
LOST_AFTER = 3.0


class Service:
    """A service.

    Attributes:
        down_until: it refuses requests until then.
        stalled_until: it keeps requests until then, and carries them out after that, in no order.
        lossy_until: until then the connection of one request in five breaks, before or after it was carried out.
        cut: the names of the processes that can't reach it, and until when.
    """

    def __init__(self, loop: Loop, name: str, error: Callable[[str], Exception]) -> None:
        self.loop, self.name, self._error = loop, name, error
        self.down_until = self.stalled_until = self.lossy_until = 0.0
        self.cut: dict[str, float] = {}

    def ask(self, act: Callable[[], Any], patience: float | None = None, *, lost_after: float = LOST_AFTER) -> Any:
        """Carries out a request of the current thread, and returns what it returns. At once if the world asks.

        Args:
            act: what the service does, in one instant.
            patience: seconds after which the thread waits no longer. The request may be carried out later.
            lost_after: seconds after which a request into a cut wire fails.

        Raises:
            Exception: what `act` raises, or the error of a service that does not answer.
        """
        thread, loop = self.loop.current, self.loop
        if thread is None:
            return act()
        wait, now, chance = thread.begin_wait(), loop.now, loop.chance.random
        thread.is_asking = True
        delay = chance() * SLOW if chance() < SLOW_SHARE else (0.5 + chance()) * USUAL
        fate = chance() if now < self.lossy_until else 1.0
        if now < self.down_until:
            loop.after(delay, lambda: thread.resume(wait, self._error(f"{self.name} refuses connections")))
        elif now < self.cut.get(thread.process.name, 0) or fate < 0.1:
            loop.after(lost_after, lambda: thread.resume(wait, self._error(f"{self.name} can't be reached")))
        else:
            # Whoever was stopped works off at once what has arrived meanwhile.
            waits = max(delay, self.stalled_until - now + chance() * 0.001)

            def arrive() -> None:
                answer = self._carry_out(act, fate)
                loop.after(delay, lambda: thread.resume(wait, answer))

            loop.after(waits, arrive)
        if patience is not None:
            loop.after(patience, lambda: thread.resume(wait, self._error(f"{self.name} does not answer in time")))
        return thread.wait()

    def _carry_out(self, act: Callable[[], Any], fate: float) -> Any:
        if self.loop.now < self.down_until:
            return self._error(f"{self.name} went down")
        try:
            answer = act()
        except Exception as error:  # noqa: BLE001 - whatever it is, it is the answer
            return error
        return self._error(f"the connection to {self.name} broke") if fate < 0.2 else answer
