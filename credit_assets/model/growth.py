"""How a model is made in many items, so that a training can keep some of them: the interface that `Blocks` has.

Belongs here: the interface, and its form without a store. Does not belong here: what an item is (`forest`, `boosting`).
"""

from collections.abc import Callable, Sequence
from typing import Protocol

# `grow(total, make)` returns items 0 … total - 1, in order; `make(start, stop)` makes items start … stop - 1.
Make = Callable[[int, int], list[bytes]]
Grow = Callable[[int, Make], list[bytes]]


class Growth(Protocol):
    """What makes the items of a model, and may have some of them already."""

    def grow(self, total: int, make: Make) -> list[bytes]:
        """All items, each of which can be made without the others."""
        ...

    def chain(self, total: int, make: Callable[[int, int, Sequence[bytes]], list[bytes]]) -> list[bytes]:
        """All items, each of which is made from those before it, which `make` gets as its third argument."""
        ...


class AtOnce:
    """Makes all items in one call, and keeps none."""

    def grow(self, total: int, make: Make) -> list[bytes]:
        """All items."""
        return make(0, total)

    def chain(self, total: int, make: Callable[[int, int, Sequence[bytes]], list[bytes]]) -> list[bytes]:
        """All items."""
        return make(0, total, [])
