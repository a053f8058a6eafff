"""A headless Chromium, and how long a page takes in it: until its content is there, and until all data is loaded.

It is driven by Chromium's own protocol, DevTools, over one WebSocket.

Belongs here: a browser, a page, and the requests of a page. Does not belong here: which pages are opened.
"""

import base64
import json
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench.timing.children import BenchError

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
OPTIONS = ("--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--window-size=1600,1000")
# Nothing was loaded for so many seconds: the page is complete.
QUIET = 0.7
# Runs in the page before its own code. It notes when the content is there for the first time, in ms since the start.
WATCH = """(() => { const look = setInterval(() => { try { if (%s) {
  window.benchShown = performance.now(); clearInterval(look); } } catch (error) {} }, 20); })()"""


@dataclass
class Request:
    """One request of a page; times are seconds on the browser's clock.

    Attributes:
        name: the GraphQL operation, or the path.
        began: when it was sent.
        ended: when its last byte was there; None until then.
        size: bytes that were received, compressed if they were.
    """

    name: str
    began: float
    ended: float | None = None
    size: int = 0

    @property
    def seconds(self) -> float:
        """How long it took; 0 until it has ended."""
        return (self.ended or self.began) - self.began

    @property
    def is_query(self) -> bool:
        """Whether it asks for data. Of a script that a background thread loads, nobody says when it ends."""
        return not self.name.startswith("/")


@dataclass(frozen=True)
class PageLoad:
    """How one page was loaded.

    Attributes:
        shown: seconds from the start of the navigation until the content was there.
        quiet: seconds until the last request had ended.
        requests: all of them, in their order.
        picture: as PNG.
    """

    shown: float
    quiet: float
    requests: list[Request]
    picture: bytes

    @property
    def queries(self) -> list[Request]:
        """Those that asked the webserver for data, the slowest first."""
        return sorted((each for each in self.requests if each.is_query), key=lambda each: -each.seconds)


@contextmanager
def open_browser() -> Iterator["Browser"]:
    """Starts Chromium with an empty profile, and ends it afterwards.

    Raises:
        BenchError: there is no Chromium, or it does not start.
    """
    from websockets.sync.client import connect

    program = next(filter(None, map(shutil.which, NAMES)), None)
    if program is None:
        raise BenchError(f"no browser: the pages are timed in Chromium. Install one of {', '.join(NAMES)}")
    with tempfile.TemporaryDirectory() as profile, tempfile.TemporaryFile("w+") as output:
        command = [program, *OPTIONS, f"--user-data-dir={profile}", "--remote-debugging-port=0", "about:blank"]
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT)
        try:
            address = wait_for_address(Path(profile, "DevToolsActivePort"), process)
            with connect(address, max_size=None, open_timeout=30) as socket:
                yield Browser(socket)
        except BenchError as error:
            output.seek(0)
            raise BenchError("\n".join([str(error), *output.read().splitlines()[-5:]])) from None
        finally:
            process.terminate()
            process.wait(30)


def wait_for_address(file: Path, process: subprocess.Popen, patience: float = 60) -> str:
    """The address of the browser's WebSocket, which it writes to a file when it listens.

    Raises:
        BenchError: the browser has ended, or writes none in time.
    """
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline and process.poll() is None:
        lines = file.read_text().splitlines() if file.exists() else []
        if len(lines) == 2:
            return f"ws://127.0.0.1:{lines[0]}{lines[1]}"
        time.sleep(0.05)
    raise BenchError(f"{process.args[0]} does not start")  # pyright: ignore[reportIndexIssue] a list, given above


@dataclass
class Browser:
    """One tab of a browser.

    Attributes:
        socket: a WebSocket to it.
    """

    socket: Any
    _sent: int = 0
    _session: str | None = None
    _requests: dict[str, Request] = field(default_factory=dict)

    def visit(self, address: str, content: str, patience: float = 60) -> PageLoad:
        """Opens a page in a new tab and waits until it is complete. What was loaded before may come from its cache.

        Args:
            address: of the page.
            content: JavaScript that is true as soon as the page shows what it is opened for.
            patience: seconds.

        Raises:
            BenchError: the content does not appear in time.
        """
        target = self._call("Target.createTarget", url="about:blank")["targetId"]
        self._session = self._call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        try:
            for domain in ("Page", "Network", "Runtime"):
                self._call(f"{domain}.enable")
            self._requests = {}
            self._call("Page.addScriptToEvaluateOnNewDocument", source=WATCH % content)
            self._call("Page.navigate", url=address)
            shown = self._wait(address, patience)
            picture = base64.b64decode(self._call("Page.captureScreenshot", format="png")["data"])
        finally:
            self._session = None
            self._call("Target.closeTarget", targetId=target)
        requests = list(self._requests.values())
        began = min(each.began for each in requests)
        quiet = max(each.ended or each.began for each in requests) - began
        return PageLoad(shown, max(shown, quiet), requests, picture)

    def _wait(self, address: str, patience: float) -> float:
        """Waits until the content was there and nothing has been loaded for a while; returns seconds until content."""
        deadline, quiet_since = time.monotonic() + patience, time.monotonic()
        shown = None
        while time.monotonic() < deadline:
            if self._receive(0.1) or any(each.is_query and each.ended is None for each in self._requests.values()):
                quiet_since = time.monotonic()
                continue
            if time.monotonic() - quiet_since < QUIET:
                continue
            shown = self._call("Runtime.evaluate", expression="window.benchShown")["result"].get("value")
            if shown is not None:
                return shown / 1000
        raise BenchError(f"{address} does not show its content after {patience:.0f} s")

    def _call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Calls a method of the protocol, and follows the events that come before its answer.

        Raises:
            BenchError: the browser refuses.
        """
        self._sent += 1
        message: dict[str, Any] = {"id": self._sent, "method": method, "params": parameters}
        self.socket.send(json.dumps(message | ({"sessionId": self._session} if self._session else {})))
        while True:
            answer = json.loads(self.socket.recv(60))
            if answer.get("id") == self._sent:
                if "error" in answer:
                    raise BenchError(f"Chromium refuses {method}: {answer['error']['message']}")
                return answer["result"]
            self._follow(answer)

    def _receive(self, seconds: float) -> bool:
        """Waits for an event; returns whether it was one of a request."""
        try:
            return self._follow(json.loads(self.socket.recv(seconds)))
        except TimeoutError:
            return False

    def _follow(self, event: Mapping[str, Any]) -> bool:
        """Keeps what an event says about a request, and returns whether it does."""
        method, values = event.get("method", ""), event.get("params", {})
        if method == "Network.requestWillBeSent":
            name = name_request(values["request"]["url"], values["request"].get("postData", ""))
            self._requests[values["requestId"]] = Request(name, values["timestamp"])
            return True
        request = self._requests.get(values.get("requestId", ""))
        if request and method in ("Network.loadingFinished", "Network.loadingFailed"):
            request.ended = values["timestamp"]
            request.size = int(values.get("encodedDataLength", 0))
            return True
        return False


def name_request(url: str, body: str) -> str:
    """The GraphQL operation of a request, or the path of its URL."""
    operation = re.search(r'"operationName":"(\w+)"', body)
    return operation[1] if operation else "/" + re.sub(r"^(\w+://[^/]*/|data:)", "", url).partition("?")[0][:80]
