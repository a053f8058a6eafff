"""The network of the pods as a watcher of leases sees it, and the clock of that watcher."""

from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any

from resources.launching.reach import Reach


@dataclass
class Clock:
    """A clock that a test moves."""

    now: float = 100.0

    def __call__(self) -> float:
        return self.now


@dataclass
class Pods:
    """The network of the pods: which addresses answer, and whether the witness does.

    A call has ended when it was begun, unless `is_slow`: then with `end_calls`.
    """

    answering: set[str] = field(default_factory=set)
    has_witness: bool = True
    is_slow: bool = False
    called: list[str] = field(default_factory=list)
    _under_way: list[Any] = field(default_factory=list)

    def knock(self, host: str, seconds: float) -> bool:
        self.called.append(host)
        return host in self.answering

    def start(self, call: Any) -> Future[Any]:
        answer = Future[Any]()
        self._under_way.append(lambda: answer.set_result(call()))
        if not self.is_slow:
            self.end_calls()
        return answer

    def end_calls(self) -> None:
        while self._under_way:
            self._under_way.pop()()

    def reach(self, clock: Clock) -> Reach:
        return Reach(self.knock, lambda: self.has_witness, self.start, clock=clock)
