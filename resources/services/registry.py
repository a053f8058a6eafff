"""A client of a model registry that speaks MLflow's REST API. It registers artifacts, and marks the promoted one.

One version of the registered model stands for one artifact. The client looks for the version by its source before it
makes one, and it sets the alias `champion` last. So a second registration changes nothing, and a registration after a
failure finishes the one that failed.

Belongs here: requests to the registry, and its answers. Does not belong here: which artifacts are registered, and when.
"""

from collections.abc import Mapping, Sequence
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
class Version:
    """A version of a registered model.

    Args:
        source: URI of the artifact. MLflow refuses `file:///…` unless its server allows it.
        tags: set when the version is made.
        description: what the registry's pages say of it.
    """

    source: str
    tags: Mapping[str, str]
    description: str = ""


@dataclass(frozen=True)
class Registry:
    """A registry and how to log in to it.

    Args:
        url: address of the server, http(s); None if there is no registry.
        token: logs in, instead of user and password.
        user: logs in, together with the password.
        password: of the user.
    """

    url: str | None = None
    token: str | None = field(default=None, repr=False)
    user: str | None = None
    password: str | None = field(default=None, repr=False)

    def register(self, name: str, versions: Sequence[Version]) -> str:
        """Makes each version that a registered model lacks, in this order, and sets the alias to the last one.

        It makes the model if there is none. A version is recognized by its source.

        Args:
            name: of the registered model.
            versions: at least one, the oldest first; a source may occur twice.

        Returns:
            The number of the version that has the alias.

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
            numbers = self._list_versions(session, name)
            for version in versions:
                if version.source not in numbers:
                    pairs = [{"key": key, "value": value} for key, value in version.tags.items()]
                    new = {"name": name, "source": version.source, "tags": pairs, "description": version.description}
                    answer = self._call(session, "POST", "/model-versions/create", json=new)
                    numbers[version.source] = answer["model_version"]["version"]
            champion = numbers[versions[-1].source]
            alias = {"name": name, "alias": ALIAS, "version": champion}
            self._call(session, "POST", "/registered-models/alias", json=alias)
        return str(champion)

    def _list_versions(self, session: "Session", name: str) -> dict[str, str]:
        """The number of each version, by its source.

        If two versions have one source, it is the number of the newer one, which the server lists first.
        """
        numbers: dict[str, str] = {}
        query: dict[str, Any] = {"filter": f"name='{name}'", "max_results": GREATEST_PAGE}
        while True:
            page = self._call(session, "GET", "/model-versions/search", params=query)
            for each in page.get("model_versions", []):
                numbers.setdefault(each["source"], each["version"])
            if not (token := page.get("next_page_token")):
                return numbers
            query["page_token"] = token

    def _call(self, session: "Session", method: str, path: str, *accepted: str, **content: Any) -> dict[str, Any]:
        """Sends one request. `accepted` are error codes of MLflow that count as success here."""
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
