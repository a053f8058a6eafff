"""An S3 server of the tests' own: moto, on a free port of this machine.

One application for S3 alone: moto's own server looks up, for every request, which of its 170 services is meant.
"""

import logging
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def serve(application: Any, tls: ssl.SSLContext | None = None) -> Iterator[str]:
    """Runs a WSGI application on a free port; its address."""
    from werkzeug.serving import make_server

    # A line for every request would be captured, and formatted, by every test.
    logging.getLogger("werkzeug").setLevel(logging.CRITICAL)
    server = make_server("127.0.0.1", 0, application, threaded=True, ssl_context=tls)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    yield f"{'https' if tls else 'http'}://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@contextmanager
def serve_s3(tls: ssl.SSLContext | None = None) -> Iterator[dict[str, str]]:
    """Runs the server; the environment variables that name it, as they would name a real one."""
    from moto.moto_server.werkzeug_app import create_backend_app

    with serve(create_backend_app("s3"), tls) as address:
        yield {
            "AWS_ENDPOINT_URL": address,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_REGION": "us-east-1",
            "AWS_DEFAULT_REGION": "us-east-1",
        }
