"""How a model is made in many items, so that a training can keep some of them: the interface that `Blocks` has.

Belongs here: the interface, and its form without a store. Does not belong here: what an item is (`forest`, `boosting`).
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Protocol

# `make(numbers)` makes the items of the numbers, which follow each other. It takes a number when it can begin with it.
Make = Callable[[Iterator[int]], Iterable[bytes]]
# `make(numbers, earlier)` is given the items before the first number, too.
MakeNext = Callable[[Iterator[int], Sequence[bytes]], Iterable[bytes]]
# `grow(total, make)` returns items 0 … total - 1, in order.
Grow = Callable[[int, Make], list[bytes]]


class Growth(Protocol):
    """What makes the items of a model, and may have some of them already."""

    def grow(self, total: int, make: Make) -> list[bytes]:
        """All items, each of which can be made without the others."""
        ...

    def chain(self, total: int, make: MakeNext) -> list[bytes]:
        """All items, each of which is made from those before it, which `make` gets as its second argument."""
        ...


class AtOnce:
    """Makes all items in one call, and keeps none."""

    def grow(self, total: int, make: Make) -> list[bytes]:
        """All items."""
        return [*make(iter(range(total)))]

    def chain(self, total: int, make: MakeNext) -> list[bytes]:
        """All items."""
        return [*make(iter(range(total)), [])]
