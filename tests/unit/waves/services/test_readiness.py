"""A chunk that waits for one slow answer delays 99 locations, and one that waits for nothing is a chunk of one."""

import asyncio
import json
import time
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pytest
from aiohttp import web

from credit_assets.settings.file import Settings, load_settings
from credit_assets.waves.services.readiness import Readiness, open_readiness
from resources.services.calls import asking
from tests.support.servers.slow_service import SlowService, answer_with, serve
from tests.support.settings import LOANS_SETTINGS

ROWS = {f"l{number:03d}": 1 for number in range(150)}


@pytest.fixture
def server() -> Iterator[SlowService]:
    with serve(answer_with({"income": 5, "age": 30})) as served:
        yield served


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch) -> None:
    monkeypatch.setattr(asking, "FIRST_PAUSE", 0.01)
    monkeypatch.setattr(asking, "RANDOM_PAUSE", 0.01)


def declare(tmp_path: Path, server: SlowService, more: str = "tries = 1") -> Settings:
    path = tmp_path / "settings.toml"
    service = f'[[scoring.services]]\nname = "economy"\nurl = "{server.url}/{{location}}"\n{more}\n'
    path.write_text(LOANS_SETTINGS.read_text() + service + 'columns = ["income", "age"]\n')
    return load_settings(path)


def choose_all(readiness: Readiness) -> list[tuple[str, ...]]:
    left, chunks = dict(ROWS), list[tuple[str, ...]]()
    while left:
        chunks.append(readiness.choose_next(left).locations)
        for location in chunks[-1]:
            del left[location]
    return chunks


def test_without_a_service_every_location_is_ready_and_rows_stay_as_they_are() -> None:
    rows = pa.table({"location": ["a"], "id": [1]})
    with open_readiness(load_settings(LOANS_SETTINGS)) as readiness:
        assert [len(chunk) for chunk in choose_all(readiness)] == [100, 50]
        assert readiness.complete(rows) is rows


def test_the_next_chunk_is_foreseen_without_services_and_never_with_one(server, tmp_path) -> None:
    rows = dict(ROWS)
    with open_readiness(load_settings(LOANS_SETTINGS)) as readiness:
        first = readiness.choose_next(rows).locations
        foreseen = readiness.foresee_next(rows, first).locations
        assert foreseen == tuple(name for name in rows if name not in first)
        assert readiness.foresee_next(rows, list(rows)).locations == ()
    with open_readiness(declare(tmp_path, server)) as readiness:
        assert readiness.foresee_next(rows, ()).locations == (), "nobody knows which answer comes next"


def test_a_slow_location_is_passed_over_and_comes_last(server, tmp_path) -> None:
    released = asyncio.Event()

    async def handle(request: web.Request) -> web.Response:
        if request.path == "/l000":
            await released.wait()
        return web.Response(text=json.dumps({"income": 5, "age": 30}))

    server.handle = handle
    waits = list[float]()
    with open_readiness(declare(tmp_path, server), lambda: waits.append(time.monotonic())) as readiness:
        left = dict(ROWS)
        for expected in (100, 49):
            chunk = readiness.choose_next(left)
            assert len(chunk.locations) == expected
            assert "l000" not in chunk.locations
            for location in chunk.locations:
                del left[location]
        assert list(left) == ["l000"]
        server.loop.call_soon_threadsafe(released.set)
        assert readiness.choose_next(left).locations == ("l000",)
        assert not readiness.failed
    assert waits, "nobody could show the page while the chunk waited"
    assert server.asked == dict.fromkeys((f"/{name}" for name in ROWS), 1)


def test_locations_whose_service_fails_are_ready_with_one_cause_and_their_own_message(server, tmp_path) -> None:
    async def handle(request: web.Request) -> web.Response:
        values = {"income": -1, "age": 30} if request.path < "/l010" else {"income": 5, "age": 30}
        return web.Response(text=json.dumps(values))

    server.handle = handle
    with open_readiness(declare(tmp_path, server)) as readiness:
        assert sorted(name for chunk in choose_all(readiness) for name in chunk) == list(ROWS)
        assert sorted(readiness.failed) == [f"l{number:03d}" for number in range(10)]
        assert {each.cause for each in readiness.failed.values()} == {"service economy: an answer that can't be used"}
        assert "income is not as declared" in readiness.failed["l000"].message


def test_rows_get_the_values_of_their_location_in_the_order_of_the_features(server, tmp_path) -> None:
    async def handle(request: web.Request) -> web.Response:
        return web.Response(text=json.dumps({"income": int(request.path[2:]), "age": 30}))

    server.handle = handle
    rows = pa.table(
        {"location": ["l002", "l002", "l149"], "id": [1, 2, 3], "loan_amount": [1.0, 2.0, 3.0]}
        | {"credit_score": [500, 600, 700], "loan_term": [1, 2, 3]}
    )
    settings = declare(tmp_path, server)
    with open_readiness(settings) as readiness:
        choose_all(readiness)
        complete = readiness.complete(rows)
        assert readiness.complete(rows.slice(0, 0)).num_rows == 0
    assert complete.column_names == ["location", "id", *settings.features]
    assert complete.column("income").to_pylist() == [2.0, 2.0, 149.0]
    assert complete.schema.field("income").type == pa.float64()
    assert complete.schema.field("age").type == pa.int64()


def test_a_null_that_is_allowed_is_a_missing_value_of_each_row_of_the_location(server, tmp_path) -> None:
    async def handle(request: web.Request) -> web.Response:
        return web.Response(text=json.dumps({"income": 1.5, "age": None if request.path == "/l002" else 30}))

    server.handle = handle
    strict = declare(tmp_path, server)
    allowed = strict.features["age"].model_copy(update={"missing": "allowed"})
    rows = pa.table(
        {"location": ["l002", "l149", "l002"], "id": [1, 2, 3], "loan_amount": [1.0, 2.0, 3.0]}
        | {"credit_score": [500, 600, 700], "loan_term": [1, 2, 3]}
    )
    with open_readiness(strict.model_copy(update={"features": {**strict.features, "age": allowed}})) as readiness:
        choose_all(readiness)
        assert readiness.failed == {}
        assert readiness.complete(rows).column("age").to_pylist() == [None, 30, None]
    with open_readiness(strict) as readiness:
        choose_all(readiness)
        assert set(readiness.failed) == {"l002"}


def test_a_name_that_would_lead_to_another_address_is_not_asked_for(server, tmp_path) -> None:
    with open_readiness(declare(tmp_path, server)) as readiness:
        assert set(readiness.choose_next({"..": 1, "a": 1}).locations) == {"..", "a"}
        assert readiness.failed[".."].cause == "services: a name that can't stand in an address"
    assert set(server.asked) == {"/a"}
