"""A server of a few calls of MLflow's REST API, for tests of what the registry gets to know."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, urlsplit


class Server:
    """The models, versions and aliases of a registry.

    Args:
        broken: paths that answer 500.
        page: how many versions one answer lists.
    """

    def __init__(self) -> None:
        self.models: set[str] = set()
        self.versions: list[dict[str, Any]] = []
        self.aliases: dict[str, str] = {}
        self.broken: set[str] = set()
        self.page = 1_000
        self.authorization: str | None = None

    @property
    def sources(self) -> list[str]:
        """Of all versions, the oldest first."""
        return [each["source"] for each in reversed(self.versions)]

    def answer(self, path: str, given: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        if path in self.broken:
            return 500, {"error_code": "INTERNAL_ERROR", "message": "it broke"}
        if path == "/registered-models/create":
            known = given["name"] in self.models
            self.models.add(given["name"])
            return (400, {"error_code": "RESOURCE_ALREADY_EXISTS"}) if known else (200, {})
        if path == "/model-versions/search":
            return self._search(given)
        if path == "/model-versions/create":
            if given["source"].startswith("file:"):
                return 400, {"error_code": "INVALID_PARAMETER_VALUE"}
            self.versions.insert(0, given | {"version": str(len(self.versions) + 1)})
            return 200, {"model_version": self.versions[0]}
        assert path == "/registered-models/alias"
        self.aliases[given["alias"]] = given["version"]
        return 200, {}

    def _search(self, given: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        own = [each for each in self.versions if given["filter"] == f"name='{each['name']}'"]
        start = int(given.get("page_token", 0))
        end = start + self.page
        more = {"next_page_token": str(end)} if end < len(own) else {}
        return 200, {"model_versions": own[start:end], **more} if own else {}


@contextmanager
def serve(registry: Server) -> Iterator[str]:
    """Serves it on a free port of this machine; yields its URI."""

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
    try:
        yield f"http://127.0.0.1:{server.server_port}/"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
