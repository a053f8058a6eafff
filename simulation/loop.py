"""The only clock of a world, and the processes that live by it.

A process has threads. Each is a greenlet, so that the platform's code runs as it is: it calls, and the call returns
later. No two threads run at once, so a seed decides everything.

Belongs here: time, death, freezing, and signals. Does not belong here: what a process does.
"""

import heapq
import random
from collections.abc import Callable
from itertools import count
from typing import Any

from greenlet import getcurrent, greenlet

Act = Callable[[], Any]


class Died(BaseException):
    """Ends the threads of a process that has died. The platform's code never catches it."""


class Loop:
    """What happens next, in the order of time.

    Attributes:
        now: seconds since the world began.
        chance: the only source of chance.
        current: the thread that runs; None: the world itself acts.
        timeline: what happened: seconds, who, what.
    """

    def __init__(self, seed: int) -> None:
        self.now, self.chance = 0.0, random.Random(seed)  # noqa: S311
        self.current: Thread | None = None
        self.timeline: list[tuple[float, str, str]] = []
        self.is_over = False
        self._coming: list[tuple[float, int, Act]] = []
        self._order = count()

    def after(self, seconds: float, act: Act) -> None:
        """Lets something happen after so many seconds."""
        heapq.heappush(self._coming, (self.now + max(seconds, 0.0), next(self._order), act))

    def run(self, until: float) -> None:
        """Lets everything happen until then, or until the world is over."""
        while self._coming and not self.is_over and self._coming[0][0] <= until:
            self.now, _, act = heapq.heappop(self._coming)
            act()

    def note(self, who: str, what: str) -> None:
        """Adds a line to the timeline, which ends with the world."""
        if not self.is_over:
            self.timeline.append((self.now, who, what))

    def spring_trap(self) -> None:
        """Lets the fault strike that waits for the next write of the current process."""
        if self.current and (trap := self.current.process.trap):
            self.current.process.trap = None
            trap()
            self.sleep(1e-6)

    def sleep(self, seconds: float) -> None:
        """Lets the current thread wait."""
        if self.current is None:
            return
        thread, wake = self.current, self.current.begin_wait()
        self.after(seconds, lambda: thread.resume(wake, None))
        thread.wait()


class Process:
    """A process of the world.

    Attributes:
        is_dead: whether it has ended, by itself or not.
        frozen_until: it does nothing until then. What it has sent before arrives.
        on_end: called once, when it has ended.
        trap: a fault that strikes right before its next write.
    """

    def __init__(self, loop: Loop, name: str, on_end: Act = lambda: None) -> None:
        self.loop, self.name, self.on_end = loop, name, on_end
        self.is_dead, self.frozen_until = False, 0.0
        self.trap: Act | None = None
        self._alarm: float | None = None
        self._threads: list[Thread] = []

    def start(self, body: Act) -> "Thread":
        """Starts a thread. The process ends when its first thread has returned."""
        thread = Thread(self, body, is_first=not self._threads)
        self._threads.append(thread)
        self.loop.after(0, lambda: thread.resume(thread.waits, None))
        return thread

    def freeze(self, seconds: float) -> None:
        """Stops it for so many seconds."""
        self.frozen_until = max(self.frozen_until, self.loop.now + seconds)

    def set_alarm(self, seconds: float) -> None:
        """As `resources.supervision.leader.set_alarm`: the kernel ends the process after so many seconds."""
        self._alarm = self.loop.now + seconds
        self.loop.after(seconds, self.end_at_alarm)

    def end_at_alarm(self) -> bool:
        """Ends a process whose alarm is due, unless it is frozen: then it ends before its next instruction."""
        is_due = self._alarm is not None and self.loop.now >= self._alarm and not self.is_dead
        if is_due and self.loop.now >= self.frozen_until:
            self.loop.note(self.name, "its alarm ends it")
            self.end()
        return is_due

    def end(self) -> None:
        """Ends the process at once. Nothing that it would have done happens any more."""
        if self.is_dead:
            return
        self.is_dead = True
        for thread in self._threads:
            thread.end()
        self.on_end()


class Thread:
    """A thread: it runs until it waits, and goes on when what it waits for is there.

    Attributes:
        waits: how often it has waited.
        is_asking: whether it waits for the answer to a request.
    """

    _error: BaseException | None

    def __init__(self, process: Process, body: Act, is_first: bool) -> None:
        self.process, self.loop, self.waits = process, process.loop, 0
        self.is_asking, self._error = False, None
        self._body, self._is_first, self._greenlet = body, is_first, greenlet(self._live)

    def begin_wait(self) -> int:
        """The number of a new wait; an answer to an older one is not heard any more."""
        if self.process.is_dead:
            raise Died
        self.waits += 1
        return self.waits

    def wait(self) -> Any:
        """Lets others act; returns, or raises, what `resume` is given."""
        answer = self._greenlet.parent.switch()  # pyright: ignore[reportOptionalMemberAccess]
        if self.process.is_dead:
            raise Died
        self.is_asking = False
        if error := self._error:
            self._error = None
            raise error
        if isinstance(answer, BaseException):
            raise answer
        return answer

    def resume(self, wait: int, answer: Any) -> None:
        """Goes on after a wait, unless the thread has gone on already. A frozen process goes on when it is thawed."""
        process = self.process
        if process.is_dead or wait != self.waits or self._greenlet.dead:
            return
        if self.loop.now < process.frozen_until:
            self.loop.after(process.frozen_until - self.loop.now, lambda: self.resume(wait, answer))
        elif not process.end_at_alarm():
            self._switch(answer)

    def interrupt(self, error: BaseException) -> None:
        """Raises an error in the thread: at once if it sleeps, else when its request is answered, as a signal does."""
        self._error = error
        if not self.is_asking:
            wait = self.waits
            self.loop.after(0, lambda: self.resume(wait, None))

    def end(self) -> None:
        """Ends the thread of a process that is dead."""
        if self._greenlet and getcurrent() is not self._greenlet:
            self._switch(None)

    def _switch(self, answer: Any) -> None:
        before, self.loop.current = self.loop.current, self
        self._greenlet.parent = getcurrent()
        try:
            self._greenlet.switch(answer)
        finally:
            self.loop.current = before

    def _live(self, _: Any) -> None:
        try:
            self._body()
        except Died:
            return
        if self._is_first:
            self.process.end()
