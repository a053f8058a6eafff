"""The sections `scoring.services`: an outside service that knows a feature of a whole location.

Belongs here: how a service is named and called. Does not belong here: the calls (`resources.services.calls`), and what
a wave does with an answer (`credit_assets.waves.services`).
"""

from typing import Annotated
from urllib.parse import urlsplit

from pydantic import Field, StringConstraints, field_validator

from credit_assets.settings.columns import Strict
from credit_assets.settings.names import Name
from resources.environment import PREFIX

# Stands in the URL for the name of the location.
PLACEHOLDER = "{location}"


class ScoringService(Strict):
    """A service that is asked once for each location of a wave.

    Attributes:
        name: for people; failures are counted under it.
        url: http or https, with `{location}` once in its path or its query.
        columns: the features that it answers, so that the table of applications need not have them.
        timeout_seconds: of one try.
        tries: how often it is asked about one location at most.
        at_once: calls at the same time, at most.
        opens_after: so many tries without an answer, one after the other, stop all calls.
        closes_after_seconds: after so long one call tries whether it answers again.
        token_variable: the environment variable with the bearer token that it expects. None: it expects none.
    """

    name: Name
    url: str
    columns: Annotated[tuple[Name, ...], Field(min_length=1)]
    timeout_seconds: Annotated[float, Field(gt=0, le=300)] = 10
    tries: Annotated[int, Field(ge=1, le=10)] = 3
    at_once: Annotated[int, Field(ge=1, le=2_000)] = 500
    opens_after: Annotated[int, Field(ge=1)] = 20
    closes_after_seconds: Annotated[float, Field(ge=0, le=600)] = 30
    token_variable: Annotated[str, StringConstraints(pattern=r"^[A-Z_][A-Z0-9_]{0,62}$")] | None = None

    @field_validator("url")
    @classmethod
    def _names_the_location_once(cls, url: str) -> str:
        # The URL is not shown, because a person may have written a password into it.
        expected = f"expected http:// or https://, a host, and {PLACEHOLDER} once in the path or in the query"
        try:
            parts = urlsplit(url)
            is_address = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
        except ValueError:
            raise ValueError(f"it is no URL; {expected}") from None
        if not is_address or not url.isascii() or not url.isprintable() or " " in url:
            raise ValueError(f"it is no URL; {expected}")
        if "@" in parts.netloc:
            raise ValueError("it has a user or a password; name the variable of a token in token_variable instead")
        if url.count(PLACEHOLDER) != 1 or PLACEHOLDER not in parts.path + parts.query:
            raise ValueError(f"it names no location, or names it twice; {expected}")
        return url

    @field_validator("token_variable")
    @classmethod
    def _is_no_variable_of_the_platform(cls, name: str | None) -> str | None:
        if name and name.startswith(PREFIX):
            raise ValueError(f"names that begin with {PREFIX} are the platform's own; choose another one")
        return name
