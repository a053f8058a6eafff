"""A registry that is told twice, half or never serves another model than the promoted one."""

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from credit_assets.promoted_model import told
from credit_assets.promotion.rule import Decision, promote
from resources.services.registry import RegistryError, tell
from resources.store.object_store import ObjectStore

NAME, SOURCE, TAGS = "credit-default-credit-loans", "s3://bucket/model.joblib", {"root_run": "root"}


class Registry:
    """As much of MLflow's REST API as is asked; `broken` are paths that answer 500."""

    def __init__(self) -> None:
        self.models: set[str] = set()
        self.versions: list[dict[str, Any]] = []
        self.aliases: dict[str, str] = {}
        self.broken: set[str] = set()
        self.authorization: str | None = None

    def answer(self, path: str, given: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        if path in self.broken:
            return 500, {"error_code": "INTERNAL_ERROR", "message": "it broke"}
        if path == "/registered-models/create":
            known = given["name"] in self.models
            self.models.add(given["name"])
            return (400, {"error_code": "RESOURCE_ALREADY_EXISTS"}) if known else (200, {})
        if path == "/model-versions/search":
            assert given["filter"] == f"name='{NAME}'"
            return 200, {"model_versions": self.versions} if self.versions else {}
        if path == "/model-versions/create":
            if given["source"].startswith("file:"):
                return 400, {"error_code": "INVALID_PARAMETER_VALUE"}
            self.versions.insert(0, given | {"version": str(len(self.versions) + 1)})
            return 200, {"model_version": self.versions[0]}
        assert path == "/registered-models/alias"
        self.aliases[given["alias"]] = given["version"]
        return 200, {}


@pytest.fixture
def registry() -> Registry:
    return Registry()


@pytest.fixture
def uri(registry: Registry) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.reply(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))

        def do_GET(self) -> None:
            self.reply({name: values[0] for name, values in parse_qs(urlsplit(self.path).query).items()})

        def reply(self, given: dict[str, Any]) -> None:
            registry.authorization = self.headers.get("Authorization")
            path = urlsplit(self.path).path
            assert path.startswith("/api/2.0/mlflow/")
            status, body = registry.answer(path.removeprefix("/api/2.0/mlflow"), given)
            data = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    thread.join()
    server.server_close()


def test_the_promoted_artifact_is_a_version_and_the_champion(registry: Registry, uri: str) -> None:
    assert tell(uri, NAME, SOURCE, TAGS) == "1"
    assert registry.models == {NAME}
    assert registry.aliases == {"champion": "1"}
    assert registry.versions[0]["source"] == SOURCE
    assert registry.versions[0]["tags"] == [{"key": "root_run", "value": "root"}]


def test_telling_twice_changes_nothing_and_a_rollback_makes_no_second_version(registry: Registry, uri: str) -> None:
    tell(uri, NAME, SOURCE, TAGS)
    tell(uri, NAME, "s3://bucket/newer.joblib", TAGS)
    assert registry.aliases == {"champion": "2"}
    assert tell(uri, NAME, SOURCE, TAGS) == "1"
    assert tell(uri, NAME, SOURCE, TAGS) == "1"
    assert registry.aliases == {"champion": "1"}
    assert len(registry.versions) == 2


@pytest.mark.parametrize(
    "path",
    ["/registered-models/create", "/model-versions/search", "/model-versions/create", "/registered-models/alias"],
)
def test_what_broke_half_way_is_finished_by_telling_again(registry: Registry, uri: str, path: str) -> None:
    registry.broken = {path}
    with pytest.raises(RegistryError, match=rf"the registry refused {path} \(500 INTERNAL_ERROR: it broke\)"):
        tell(uri, NAME, SOURCE, TAGS)
    assert registry.aliases == {}
    registry.broken = set()
    assert tell(uri, NAME, SOURCE, TAGS) == "1"
    assert len(registry.versions) == 1
    assert registry.aliases == {"champion": "1"}


def test_credentials_are_sent_and_never_said(registry: Registry, uri: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_USERNAME", "ada")
    monkeypatch.setenv("MLFLOW_TRACKING_PASSWORD", "secret")
    tell(uri, NAME, SOURCE, TAGS)
    assert str(registry.authorization).startswith("Basic ")
    monkeypatch.setenv("MLFLOW_TRACKING_TOKEN", "token")
    tell(uri, NAME, SOURCE, TAGS)
    assert registry.authorization == "Bearer token"
    with pytest.raises(RegistryError) as refused:
        tell("http://ada:secret@127.0.0.1:1", NAME, SOURCE, TAGS)
    assert "ConnectionError" in str(refused.value)
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize("store_uri", ["s3"], indirect=True)
def test_a_registry_that_is_away_costs_no_promotion_and_is_told_by_the_next_run(
    store: ObjectStore, commit_set: Any, registry: Registry, uri: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
    assert told(store, pytest.fail) == "nothing to tell"
    position = promote(store, commit_set("root"), Decision("rule", "run", "run")).position
    assert position
    said: list[str] = []
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    assert told(store, said.append) == "none (MLFLOW_TRACKING_URI)"
    assert not said
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:1")
    assert told(store, said.append).startswith("not told: the registry was not told (ConnectionError)")
    assert "is not in the registry" in said[0]
    assert not registry.versions
    monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
    assert told(store, said.append) == "version 1 is its champion"
    assert registry.models == {"credit-default-credit-loans"}
    assert registry.versions[0]["source"] == store.location(position.value["set"]["trained_model"]["key"])
    assert len(said) == 1
