"""A model registry that speaks MLflow's REST API, told which artifact is the promoted one; no client of its own needed.

One version of the registered model stands for one artifact, whatever happened to it since: it is looked for by its
source before it is made. The alias `champion` is set to it last. So telling twice changes nothing, and telling again
after a failure finishes what was begun.
"""

import os
from collections.abc import Mapping
from typing import Any

SETTING, ALIAS = "MLFLOW_TRACKING_URI", "champion"
API = "/api/2.0/mlflow"
TIMEOUTS = (2, 10)  # seconds to connect, seconds without an answer
GREATEST_PAGE = 1_000
MOST = 300  # characters of what it says


class RegistryError(Exception):
    """The registry was not told: says why, without its address, which may hold a password."""


def tell(uri: str, name: str, source: str, tags: Mapping[str, str]) -> str:
    """Makes the artifact at `source` the champion of a registered model; makes model and version if they are not there.

    Args:
        uri: of the server, http(s); MLFLOW_TRACKING_TOKEN, or MLFLOW_TRACKING_USERNAME and …_PASSWORD, let us in.
        source: URI of the artifact. MLflow refuses `file:///…` unless its server allows it.
        tags: of the version if it is new.

    Returns:
        The version's number.

    Raises:
        RegistryError: no connection, no answer within 10 s, or a refusal.
    """
    import requests

    if not uri.startswith(("http://", "https://")):
        raise RegistryError(f"{SETTING}: expected http://… or https://…, found another kind")
    with requests.Session() as session:
        if token := os.environ.get("MLFLOW_TRACKING_TOKEN"):
            session.headers["Authorization"] = f"Bearer {token}"
        elif user := os.environ.get("MLFLOW_TRACKING_USERNAME"):
            session.auth = (user, os.environ.get("MLFLOW_TRACKING_PASSWORD", ""))

        def ask(method: str, path: str, *fine: str, **given: Any) -> dict[str, Any]:
            try:
                answer = session.request(
                    method, uri.rstrip("/") + API + path, timeout=TIMEOUTS, allow_redirects=False, **given
                )
                body = answer.json()
            except (requests.RequestException, ValueError) as error:
                raise RegistryError(f"the registry was not told ({type(error).__name__}): check {SETTING}") from None
            if answer.status_code != 200 and body.get("error_code") not in fine:
                raise RegistryError(
                    f"the registry refused {path} ({answer.status_code} {body.get('error_code')}: "
                    f"{str(body.get('message'))[:MOST]}): check {SETTING}, its credentials, and that its server takes "
                    "sources of this kind"
                )
            return body

        ask("POST", "/registered-models/create", "RESOURCE_ALREADY_EXISTS", json={"name": name})
        query = {"filter": f"name='{name}'", "max_results": GREATEST_PAGE}
        known = ask("GET", "/model-versions/search", params=query).get("model_versions", [])
        versions = [each["version"] for each in known if each["source"] == source]
        if not versions:
            new = {
                "name": name,
                "source": source,
                "tags": [{"key": key, "value": value} for key, value in tags.items()],
            }
            versions = [ask("POST", "/model-versions/create", json=new)["model_version"]["version"]]
        aliased = {"name": name, "alias": ALIAS, "version": versions[0]}
        ask("POST", "/registered-models/alias", json=aliased)
        return str(versions[0])
