"""A client of a model registry that speaks MLflow's REST API: it registers which artifact is the promoted one.

One version of the registered model stands for one artifact. The client looks for the version by its source before it
makes one, and sets the alias `champion` last. So a second registration changes nothing, and one after a failure
finishes what the first began.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from resources.errors import PlatformError
from resources.services.http import open_session

if TYPE_CHECKING:
    from requests import Session

SETTING, ALIAS = "MLFLOW_TRACKING_URI", "champion"
API = "/api/2.0/mlflow"
TIMEOUTS = (2, 10)  # seconds to connect, seconds without an answer
GREATEST_PAGE = 1_000
LONGEST_MESSAGE = 300  # characters of what the server answers


class RegistryError(PlatformError):
    """The registry was not updated: says why, without its address, which may hold a password."""


@dataclass(frozen=True)
class Registry:
    """A registry and how to log in to it.

    Args:
        url: of the server, http(s); None: there is no registry.
        token: lets us in, in the place of user and password.
        user: lets us in, with the password.
        password: of the user.
    """

    url: str | None = None
    token: str | None = field(default=None, repr=False)
    user: str | None = None
    password: str | None = field(default=None, repr=False)

    def register(self, name: str, source: str, tags: Mapping[str, str]) -> str:
        """Makes the artifact at `source` the champion of a registered model; makes model and version if needed.

        Args:
            name: of the registered model.
            source: URI of the artifact. MLflow refuses `file:///…` unless its server allows it.
            tags: of the version if it is new.

        Returns:
            The version's number.

        Raises:
            RegistryError: no registry, no connection, no answer within 10 s, or a refusal.
        """
        if not (self.url or "").startswith(("http://", "https://")):
            raise RegistryError(f"{SETTING}: expected http://… or https://…")
        with open_session(repeats=2) as session:
            if self.token:
                session.headers["Authorization"] = f"Bearer {self.token}"
            elif self.user:
                session.auth = (self.user, self.password or "")
            self._call(session, "POST", "/registered-models/create", "RESOURCE_ALREADY_EXISTS", json={"name": name})
            query = {"filter": f"name='{name}'", "max_results": GREATEST_PAGE}
            known = self._call(session, "GET", "/model-versions/search", params=query).get("model_versions", [])
            versions = [each["version"] for each in known if each["source"] == source]
            if not versions:
                pairs = [{"key": key, "value": value} for key, value in tags.items()]
                new = {"name": name, "source": source, "tags": pairs}
                answer = self._call(session, "POST", "/model-versions/create", json=new)
                versions = [answer["model_version"]["version"]]
            alias = {"name": name, "alias": ALIAS, "version": versions[0]}
            self._call(session, "POST", "/registered-models/alias", json=alias)
        return str(versions[0])

    def _call(self, session: "Session", method: str, path: str, *accepted: str, **content: Any) -> dict[str, Any]:
        """One request. `accepted` are error codes of MLflow that are no error here."""
        import requests

        address = str(self.url).rstrip("/") + API + path
        try:
            answer = session.request(method, address, timeout=TIMEOUTS, allow_redirects=False, **content)
            body = answer.json()
        except (requests.RequestException, ValueError) as error:
            raise RegistryError(f"the registry was not updated ({type(error).__name__}): check {SETTING}") from None
        if answer.status_code != 200 and body.get("error_code") not in accepted:
            raise RegistryError(
                f"the registry refused {path} ({answer.status_code} {body.get('error_code')}: "
                f"{str(body.get('message'))[:LONGEST_MESSAGE]}): check {SETTING}, its credentials, and that its server "
                "takes sources of this kind"
            )
        return body
