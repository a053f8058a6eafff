"""The circuit breaker of one service: it stops all calls while the service answers nobody.

pybreaker counts failures in a row and keeps the state. Here is what it lacks for calls at the same time: while the
circuit is open the others wait, and one call alone tries whether the service is back.

Belongs here: whether a call may be made now. Does not belong here: the call, and its repetition (`asking`).
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from resources.services.calls.service import NoAnswer, Service, ServiceDown

Result = TypeVar("Result")


class Breaker:
    """Lets calls to one service through. It belongs to one event loop.

    Closed: every call is made. After `opens_after` failures in a row it is open: calls wait. After
    `closes_after_seconds` one call is made. If it is answered, the others go on. If not, the service is down: every
    other call fails at once, and none is made any more.

    Args:
        service: what is called.
        pause: seconds between two looks whether it has been open for long enough.
    """

    def __init__(self, service: Service, pause: float = 0.2) -> None:
        import pybreaker

        self._service, self._pause = service, pause
        self._circuit = pybreaker.CircuitBreaker(
            fail_max=service.opens_after,
            reset_timeout=service.closes_after_seconds,
            # Whoever answers badly is not down.
            exclude=[lambda error: not isinstance(error, NoAnswer)],
            throw_new_error_on_trip=False,
            name=service.name,
        )
        self._trial = asyncio.Lock()
        self._cause = ""  # why the service is down, once it is

    async def call(self, make: Callable[[], Awaitable[Result]]) -> Result:
        """Makes a call as soon as it may be made.

        Args:
            make: makes the call once.

        Raises:
            NoAnswer: the service did not answer this call.
            ServiceDown: it answers nobody, and the call was not made.
            BadAnswer: as `make` raises it.
        """
        if not self._is_closed():
            async with self._trial:
                while not self._is_closed():
                    if made := await self._try_alone(make):
                        return made[0]
        with self._circuit.calling():
            return await make()

    def _is_closed(self) -> bool:
        import pybreaker

        return self._circuit.current_state == pybreaker.STATE_CLOSED

    async def _try_alone(self, make: Callable[[], Awaitable[Result]]) -> tuple[Result] | None:
        """Makes the one call that shows whether the service is back; None if it is too early for it."""
        import pybreaker

        if self._cause:
            raise self._describe_down()
        try:
            with self._circuit.calling():
                return (await make(),)
        except pybreaker.CircuitBreakerError:
            await asyncio.sleep(self._pause)
            return None
        except NoAnswer as error:
            self._cause = error.cause
            raise

    def _describe_down(self) -> ServiceDown:
        return ServiceDown(
            self._cause,
            f"calls were stopped: {self._service.opens_after} tries in a row had no answer, nor had one "
            f"{self._service.closes_after_seconds:g} s later",
        )
