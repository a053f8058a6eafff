"""A registry that is updated twice, half or never serves another model than the promoted one."""

import json
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from credit_assets.promoted_model import update_registry
from credit_assets.promotion.rule import Decision, promote
from resources.services.registry import Registry, RegistryError
from resources.store.object_store import ObjectStore

NAME, SOURCE, TAGS = "credit-default-credit-loans", "s3://bucket/model.joblib", {"root_run": "root"}


class Server:
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
def registry() -> Server:
    return Server()


@pytest.fixture
def uri(registry: Server) -> Iterator[str]:
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


def test_the_promoted_artifact_is_a_version_and_the_champion(registry: Server, uri: str) -> None:
    assert Registry(uri).register(NAME, SOURCE, TAGS) == "1"
    assert registry.models == {NAME}
    assert registry.aliases == {"champion": "1"}
    assert registry.versions[0]["source"] == SOURCE
    assert registry.versions[0]["tags"] == [{"key": "root_run", "value": "root"}]


def test_registering_twice_changes_nothing_and_a_rollback_makes_no_second_version(registry: Server, uri: str) -> None:
    Registry(uri).register(NAME, SOURCE, TAGS)
    Registry(uri).register(NAME, "s3://bucket/newer.joblib", TAGS)
    assert registry.aliases == {"champion": "2"}
    assert Registry(uri).register(NAME, SOURCE, TAGS) == "1"
    assert Registry(uri).register(NAME, SOURCE, TAGS) == "1"
    assert registry.aliases == {"champion": "1"}
    assert len(registry.versions) == 2


@pytest.mark.parametrize(
    "path",
    ["/registered-models/create", "/model-versions/search", "/model-versions/create", "/registered-models/alias"],
)
def test_what_broke_half_way_is_finished_by_registering_again(registry: Server, uri: str, path: str) -> None:
    registry.broken = {path}
    with pytest.raises(RegistryError, match=rf"the registry refused {path} \(500 INTERNAL_ERROR: it broke\)"):
        Registry(uri).register(NAME, SOURCE, TAGS)
    assert registry.aliases == {}
    registry.broken = set()
    assert Registry(uri).register(NAME, SOURCE, TAGS) == "1"
    assert len(registry.versions) == 1
    assert registry.aliases == {"champion": "1"}


def test_credentials_are_sent_and_never_said(registry: Server, uri: str) -> None:
    by_password = Registry(uri, user="ada", password="secret")
    by_password.register(NAME, SOURCE, TAGS)
    assert str(registry.authorization).startswith("Basic ")
    by_token = replace(by_password, token="token")
    by_token.register(NAME, SOURCE, TAGS)
    assert registry.authorization == "Bearer token"
    assert "secret" not in repr(by_token)
    with pytest.raises(RegistryError) as refused:
        Registry("http://ada:secret@127.0.0.1:1").register(NAME, SOURCE, TAGS)
    assert "ConnectionError" in str(refused.value)
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize("store_uri", ["s3"], indirect=True)
def test_a_registry_that_is_away_costs_no_promotion_and_is_updated_by_the_next_run(
    store: ObjectStore, commit_set: Any, registry: Server, uri: str
) -> None:
    assert update_registry(Registry(uri), store, pytest.fail) == "nothing is promoted yet"
    position = promote(store, commit_set("root"), Decision("rule", "run", "run")).position
    assert position
    warnings: list[str] = []
    assert update_registry(Registry(), store, warnings.append) == "none (MLFLOW_TRACKING_URI)"
    assert not warnings
    outcome = update_registry(Registry("http://127.0.0.1:1"), store, warnings.append)
    assert outcome.startswith("not updated: the registry was not updated (ConnectionError)")
    assert "is not in the registry" in warnings[0]
    assert not registry.versions
    assert update_registry(Registry(uri), store, warnings.append) == "version 1 is its champion"
    assert registry.models == {"credit-default-credit-loans"}
    assert registry.versions[0]["source"] == store.location(position.value["set"]["trained_model"]["key"])
    assert len(warnings) == 1
