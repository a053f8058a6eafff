"""Chunks: the next of the locations that are left. A chunk is chosen when it is made, and not when the wave is planned.

So a location that is not ready yet delays no other: a later chunk takes it. Of a committed chunk, the outcomes say
which locations it has.

Belongs here: which locations are scored together. Does not belong here: what makes a location ready.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

# A chunk of so many rows is scored in well under a second, and a lost worker costs one chunk.
MOST_LOCATIONS, MOST_ROWS = 100, 10_000


@dataclass(frozen=True)
class Chunk:
    """Locations that are scored together.

    Attributes:
        locations: their names, in the order of the plan; empty if none was ready.
        is_full: whether one more location that is ready would be too much.
    """

    locations: tuple[str, ...]
    is_full: bool


def choose_chunk(
    left: Mapping[str, int],
    is_ready: Callable[[str], bool] = lambda _: True,
    most_locations: int = MOST_LOCATIONS,
    most_rows: int = MOST_ROWS,
) -> Chunk:
    """The next locations that are ready, as many as a chunk may have. A greater location is a chunk of its own.

    Args:
        left: open applications of each location that no chunk has yet, in the order of the plan.
        is_ready: whether a location can be scored now.
        most_locations: of one chunk.
        most_rows: of one chunk, unless one location has more.
    """
    chosen: list[str] = []
    total = 0
    for location, count in left.items():
        if not is_ready(location):
            continue
        if chosen and (len(chosen) == most_locations or total + count > most_rows):
            return Chunk(tuple(chosen), is_full=True)
        chosen.append(location)
        total += count
    return Chunk(tuple(chosen), is_full=len(chosen) >= most_locations or total >= most_rows)
