"""An outside service: how it is called, and what becomes of one call.

Belongs here: values, and the errors of a call. Does not belong here: the calls themselves (`asking`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from resources.errors import PlatformError

Value = TypeVar("Value")


@dataclass(frozen=True)
class Service:
    """How a service is called.

    Attributes:
        name: for people.
        timeout_seconds: of one try, from the connection to the last byte.
        tries: how often one thing is asked at most.
        at_once: calls at the same time, at most.
        opens_after: so many tries without an answer, one after the other, stop all calls.
        closes_after_seconds: after so long a single call tries whether the service answers again.
        headers: of every request; they may hold a secret.
    """

    name: str
    timeout_seconds: float = 10
    tries: int = 3
    at_once: int = 500
    opens_after: int = 20
    closes_after_seconds: float = 30
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)


class CallError(PlatformError):
    """A call without a usable answer. Its message never quotes the answer.

    Args:
        cause: the kind of failure, the same for all calls that fail alike.
        message: what happened, for people.
    """

    def __init__(self, cause: str, message: str) -> None:
        super().__init__(message)
        self.cause = cause


class NoAnswer(CallError):
    """The service did not answer, or says that it can't now. The same call may succeed later."""


class BadAnswer(CallError):
    """The service has answered, and the answer can't be used. The same call would get the same answer."""


class ServiceDown(CallError):
    """The call was not made, because the service does not answer anybody."""


@dataclass(frozen=True)
class Try:
    """One request.

    Attributes:
        began: Unix time.
        seconds: how long it took.
        result: what came of it, for people.
    """

    began: float
    seconds: float
    result: str


@dataclass(frozen=True)
class Reply(Generic[Value]):
    """What became of one call.

    Attributes:
        service: name of the service.
        key: what it was asked about.
        value: what the answer says; None if there is no usable one.
        cause: if there is none, the kind of failure; else empty.
        message: if there is none, what happened.
        tries: every request, in order.
    """

    service: str
    key: str
    value: Value | None = None
    cause: str = ""
    message: str = ""
    tries: Sequence[Try] = ()

    @property
    def seconds(self) -> float:
        """From the first request to the end of the last one."""
        return self.tries[-1].began + self.tries[-1].seconds - self.tries[0].began if self.tries else 0.0
