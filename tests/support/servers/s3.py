"""An S3 server of the tests' own: moto, on a free port of this machine.

One application for S3 alone: moto's own server looks up, for every request, which of its 170 services is meant.
"""

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def serve_s3() -> Iterator[dict[str, str]]:
    """Runs the server; the environment variables that name it, as they would name a real one."""
    from moto.moto_server.werkzeug_app import create_backend_app
    from werkzeug.serving import make_server

    # A line for every request would be captured, and formatted, by every test.
    logging.getLogger("werkzeug").setLevel(logging.WARNING)
    server = make_server("127.0.0.1", 0, create_backend_app("s3"), threaded=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    yield {
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{server.server_port}",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_REGION": "us-east-1",
        "AWS_DEFAULT_REGION": "us-east-1",
    }
    server.shutdown()
    thread.join()
    server.server_close()
