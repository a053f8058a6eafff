"""The services that give out AWS credentials, as one server: to pods, to machines, and to people who logged in.

Each has an access key of its own, so that the request to the store tells which of them was asked.
"""

import json
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

TOKEN = "a token of this pod"
STS = """<{0}Response xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><{0}Result><Credentials>
<AccessKeyId>{1}</AccessKeyId><SecretAccessKey>secret</SecretAccessKey><SessionToken>session</SessionToken>
<Expiration>{2}</Expiration></Credentials></{0}Result></{0}Response>"""


def give_credentials(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """A WSGI application. A path that none of the services has, or a pod without its token, gets 403."""
    until = (datetime.now(UTC) + timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    given = {"SecretAccessKey": "secret", "Token": "session", "Expiration": until}
    path, method = environ["PATH_INFO"], environ["REQUEST_METHOD"]
    answer = None
    if path == "/pod" and environ.get("HTTP_AUTHORIZATION") == TOKEN:
        answer = json.dumps({"AccessKeyId": "POD", **given})
    elif path == "/latest/api/token" and method == "PUT":
        answer = "a token of this machine"
    elif path == "/latest/meta-data/iam/security-credentials/":
        answer = "role"
    elif path == "/latest/meta-data/iam/security-credentials/role":
        answer = json.dumps({"Code": "Success", "AccessKeyId": "MACHINE", **given})
    elif path == "/federation/credentials" and "role_name=clerk" in environ["QUERY_STRING"]:
        keys = {"accessKeyId": "LOGIN", "secretAccessKey": "secret", "sessionToken": "session"}
        answer = json.dumps({"roleCredentials": {**keys, "expiration": 4_000_000_000_000}})
    elif path == "/" and method == "POST":
        action = environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"])).decode().split("Action=")[1].split("&")[0]
        answer = STS.format(action, action.upper(), until)
    start_response("200 OK" if answer else "403 Forbidden", [("Content-Type", "text/plain")])
    return [(answer or "nobody").encode()]
