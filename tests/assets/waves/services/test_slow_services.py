"""A service that is slow, down or wrong costs its own locations their scores, and costs no other location anything."""

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import dagster as dg
import pytest
from aiohttp import web

from credit_assets.waves.outcomes import read_outcomes
from credit_assets.waves.plans.making import WAVE
from resources.services.calls import asking
from resources.services.database import Database, DatabaseError
from resources.store.artifacts import MANIFEST, find_artifact
from resources.store.opening import open_store
from tests.support.servers.slow_service import SlowService, answer_with, serve

INCOME = 50_000.0
GOOD = answer_with({"income": INCOME})


@pytest.fixture
def server(waves, monkeypatch) -> Iterator[SlowService]:
    """A service that knows the income of a location, and settings that name it."""
    monkeypatch.setattr(asking, "FIRST_PAUSE", 0.01)
    monkeypatch.setattr(asking, "RANDOM_PAUSE", 0.01)
    # The table lacks the column, so that only the service knows it.
    waves.sandbox.execute("ALTER TABLE applications DROP COLUMN income")
    path = waves.sandbox.settings
    before = path.read_text()
    with serve(GOOD) as served:
        declared = f'[[scoring.services]]\nname = "economy"\nurl = "{served.url}/{{location}}"\ncolumns = ["income"]\n'
        limits = "timeout_seconds = 20\ntries = 2\nopens_after = 5\ncloses_after_seconds = 0.2\n"
        path.write_text(before + declared + limits)
        yield served
    path.write_text(before)


def list_chunks(waves, root: str) -> list[list[str]]:
    """The locations of each committed chunk of a wave, in the order of their numbers."""
    store = open_store(f"file://{waves.sandbox.store}")
    places = [key.removesuffix(f"/{MANIFEST}") for key in store.list_keys(f"{WAVE}/{root}") if key.endswith(MANIFEST)]
    facts = [found.manifest.facts for place in places if (found := find_artifact(store, place))]
    chunks = sorted((each for each in facts if "chunk" in each), key=lambda each: each["chunk"])
    assert [each["chunk"] for each in chunks] == list(range(len(chunks)))
    return [[outcome.location for outcome in read_outcomes(each)] for each in chunks]


def read_page(waves) -> dict:
    return waves.instance.get_latest_materialization_event(dg.AssetKey(WAVE)).asset_materialization.metadata


def test_a_service_gives_a_feature_that_the_table_lacks_and_is_asked_once_for_each_location(waves, server) -> None:
    result = waves.run()
    assert result.success
    assert waves.scores() == waves.applications()
    assert server.asked == {f"/branch-{number:04}": 1 for number in range(1, 13)}


def test_the_value_of_a_service_is_what_the_model_scores_with(waves, server) -> None:
    assert waves.run().success
    low = dict(waves.sandbox.execute("SELECT application, probability FROM scores"))
    server.handle = answer_with({"income": 0})
    assert waves.run().success
    assert dict(waves.sandbox.execute("SELECT application, probability FROM scores")) != low


def test_a_slow_location_is_scored_after_all_others_and_delays_none(waves, server) -> None:
    recorded = list[int]()

    async def handle(request: web.Request) -> web.StreamResponse:
        while request.path == "/branch-0001" and len(recorded) < 11:
            await asyncio.sleep(0.1)
            rows = await asyncio.to_thread(waves.sandbox.execute, "SELECT DISTINCT location FROM scores")
            recorded[:] = [1 for _ in rows]
        return await GOOD(request)

    server.handle = handle
    result = waves.run()
    assert result.success
    assert len(recorded) == 11, "the slow location was answered before the others were scored"
    chunks = list_chunks(waves, result.run_id)
    assert [len(chunk) for chunk in chunks] == [11, 1]
    assert chunks[1] == ["branch-0001"]
    assert waves.status()[0] == set(waves.applications())


def test_a_service_that_is_down_for_the_whole_wave_fails_all_with_one_cause_and_soon(waves, server) -> None:
    async def refuse(_: web.Request) -> web.Response:
        return web.Response(status=500)

    server.handle = refuse
    result = waves.run()
    assert not result.success
    assert "12 of 12 locations failed" in waves.find_reason(result)
    page = read_page(waves)
    (cause,) = page["failures by cause"].value.records
    assert cause.data["cause"] == "service economy: status 500"
    assert len(page["failed locations"].value.records) == 12
    assert waves.scores() == {}
    (check,) = result.get_asset_check_evaluations()
    assert not check.passed
    server.handle = GOOD
    assert waves.run("rescore").success
    assert waves.scores() == waves.applications()


def test_garbage_for_some_locations_fails_these_and_quotes_nothing(waves, server) -> None:
    async def handle(request: web.Request) -> web.StreamResponse:
        if request.path in ("/branch-0002", "/branch-0007"):
            return web.Response(text=json.dumps({"income": "Jane Doe"}))
        return await GOOD(request)

    server.handle = handle
    assert not waves.run().success
    assert waves.status()[1] == {"branch-0002", "branch-0007"}
    assert len(waves.scores()) == 10
    rows = [row.data for row in read_page(waves)["failed locations"].value.records]
    assert {row["cause"] for row in rows} == {"service economy: an answer that can't be used"}
    assert not any("Jane" in row["what happened"] for row in rows)
    text = Path(urlsplit(rows[0]["log"]).path).read_text()
    assert "service economy was called, try 1: answered" in text
    assert "Jane" not in text


def test_a_wave_without_its_token_names_the_variable_and_scores_nothing(waves, server, monkeypatch) -> None:
    path = waves.sandbox.settings
    path.write_text(path.read_text() + 'token_variable = "ECONOMY_TOKEN"\n')
    monkeypatch.delenv("ECONOMY_TOKEN", raising=False)
    assert "ECONOMY_TOKEN is not set" in waves.find_reason(waves.run())
    assert not server.asked
    monkeypatch.setenv("ECONOMY_TOKEN", "a-token")
    assert waves.run().success
    assert server.headers["Authorization"] == "Bearer a-token"


class DiesWithItsFirstChunk(Database):
    """The worker dies after it has committed the first chunk, and before it writes the scores."""

    _opened: int = 0

    def connect(self) -> Any:
        self._opened += 1
        if self._opened == 2:  # the first one makes the table
            raise DatabaseError("the worker has died")
        return super().connect()


@pytest.fixture
def died(waves, server) -> str:
    """Id of a wave that has committed the locations that were ready, and has waited for two others."""

    async def handle(request: web.Request) -> web.StreamResponse:
        if request.path in ("/branch-0003", "/branch-0004"):
            await asyncio.sleep(60)
        return await GOOD(request)

    server.handle = handle
    url = waves.sandbox.environment["PLATFORM_DATABASE_URL"]
    first = waves.run(resources={"scores_database": DiesWithItsFirstChunk(url=url)})
    assert "the worker has died" in waves.find_reason(first)
    assert [len(chunk) for chunk in list_chunks(waves, first.run_id)] == [10]
    server.asked.clear()
    server.handle = GOOD
    return first.run_id


def test_a_retry_adopts_the_chunks_that_are_committed_and_asks_only_about_the_rest(waves, server, died) -> None:
    retry = waves.retry(died)
    assert retry.success
    assert server.asked == {"/branch-0003": 1, "/branch-0004": 1}
    assert [len(chunk) for chunk in list_chunks(waves, died)] == [10, 2]
    assert waves.scores() == waves.applications()
    assert len(waves.recorded(retry.run_id)) == 12


def test_of_two_attempts_that_make_one_chunk_the_committed_one_stands_and_the_rest_follows(waves, server, died) -> None:
    (manifest,) = Path(waves.sandbox.store).glob(f"wave/{died}/*/{MANIFEST}")
    away = manifest.with_name("away#")
    manifest.rename(away)

    async def commit_meanwhile(request: web.Request) -> web.StreamResponse:
        """The first attempt was not dead: it commits its chunk while the retry waits for answers."""
        if away.exists():
            away.rename(manifest)
        return await GOOD(request)

    server.handle = commit_meanwhile
    assert waves.retry(died).success
    assert len(server.asked) == 12
    assert list_chunks(waves, died)[1] == ["branch-0003", "branch-0004"]
    assert [len(chunk) for chunk in list_chunks(waves, died)] == [10, 2]
    assert waves.scores() == waves.applications()
