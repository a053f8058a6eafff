"""A chunk that is too large costs a lost worker too much, and one that waits for a location delays all others."""

from collections.abc import Mapping

from credit_assets.waves.plans.chunks import Chunk, choose_chunk


def choose_all(rows: Mapping[str, int], most_rows: int = 10_000) -> list[tuple[str, ...]]:
    """All chunks of these locations, one after the other, if every location is ready."""
    left, chunks = dict(rows), list[tuple[str, ...]]()
    while left:
        chunks.append(choose_chunk(left, most_rows=most_rows).locations)
        for location in chunks[-1]:
            del left[location]
    return chunks


def test_chunks_have_few_locations_and_few_rows_and_each_location_once() -> None:
    rows = {f"{number:04d}": 10 for number in range(250)} | {"huge": 5_000, "after": 0}
    chunks = choose_all(rows, most_rows=900)
    assert [location for chunk in chunks for location in chunk] == list(rows)
    assert all(len(chunk) <= 100 for chunk in chunks)
    assert all(sum(rows[each] for each in chunk) <= 900 for chunk in chunks if chunk != ("huge",))
    assert ("huge",) in chunks
    assert choose_all({"only": 10**9}) == [("only",)]


def test_a_location_that_is_not_ready_is_passed_over_and_delays_no_other() -> None:
    rows = {"slow": 10, "a": 10, "b": 10, "c": 10}
    assert choose_chunk(rows, lambda name: name != "slow", most_locations=2) == Chunk(("a", "b"), is_full=True)
    assert choose_chunk(rows, lambda name: name == "c", most_locations=2) == Chunk(("c",), is_full=False)
    assert choose_chunk(rows, lambda _: False) == Chunk((), is_full=False)


def test_a_chunk_is_full_by_its_locations_or_by_its_rows() -> None:
    rows = {"a": 10, "b": 10}
    assert choose_chunk(rows, most_locations=2).is_full
    assert choose_chunk(rows, most_rows=20).is_full
    assert choose_chunk(rows, most_rows=15) == Chunk(("a",), is_full=True)
    assert not choose_chunk(rows).is_full
