"""How boto3 would reach a bucket: its address, region, credentials, certificates and proxy, for a client of obstore.

botocore decides all of it, so that profiles, SSO, the identities of pods and machines, private CAs and proxies mean the
same here as to other tools of AWS. What can't mean the same is refused at once, by the name of its variable.

Belongs here: what botocore says about a bucket. Does not belong here: buckets that are missing (`opening`), and
requests (`object_store`).
"""

import logging
import os
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import urlsplit

from resources.store.object_store import StoreError

if TYPE_CHECKING:
    from botocore.session import Session

# Variables that obstore reads and boto3 does not, each with what says the same to both.
UNKNOWN_TO_BOTO3 = {
    "AWS_ALLOW_INVALID_CERTIFICATES": "AWS_CA_BUNDLE, which names the CA to trust",
    "AWS_ENDPOINT": "AWS_ENDPOINT_URL_S3",
    "AWS_METADATA_ENDPOINT": "AWS_EC2_METADATA_SERVICE_ENDPOINT",
    "AWS_PROXY_URL": "HTTPS_PROXY, and NO_PROXY for what needs none",
    "AWS_ROOT_CERTIFICATE": "AWS_CA_BUNDLE, which names the CA to trust",
    "AWS_SKIP_SIGNATURE": "credentials, because a store is never anonymous",
    "AWS_STS_ENDPOINT": "AWS_ENDPOINT_URL_STS",
    "AWS_TOKEN": "AWS_SESSION_TOKEN",
    "AWS_VIRTUAL_HOSTED_STYLE_REQUEST": "addressing_style in the section s3 of a profile",
}
# Variables that decide who this process is, in the order in which botocore looks at them.
IDENTITY = (
    "AWS_ACCESS_KEY_ID",
    "AWS_PROFILE",
    "AWS_DEFAULT_PROFILE",
    "AWS_CONFIG_FILE",
    "AWS_SHARED_CREDENTIALS_FILE",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_ROLE_ARN",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
    "AWS_EC2_METADATA_SERVICE_ENDPOINT",
)
# botocore hands out credentials that stay valid for 10 minutes at least, and renews them before. Half of that is left
# to a request that is repeated.
ASKED_AGAIN = timedelta(minutes=5)
# A service that gives out credentials and is not there is tried five times.
CONNECT_SECONDS = 5


@dataclass(frozen=True)
class Access:
    """How to reach one bucket.

    Attributes:
        session: of botocore, with its region.
        client: arguments of obstore's `S3Store`, without its retries. The address of a proxy may hold a password.
    """

    session: "Session"
    client: Mapping[str, Any] = field(repr=False)


def find_access(bucket: str, uri: str) -> Access:
    """Finds out how boto3 would reach a bucket. It asks only services that give out credentials.

    Args:
        bucket: its name.
        uri: of the store, for errors.

    Raises:
        StoreError: boto3 could not reach it either, or obstore can't in the same way. It names the variable.
    """
    import botocore.session
    from botocore.config import Config

    _refuse_other_names(uri)
    with _errors(uri, _identity()):
        session = botocore.session.get_session()
        session.set_default_client_config(Config(connect_timeout=CONNECT_SECONDS))
        _set_region(session, uri)
    with _errors(uri, "AWS_ENDPOINT_URL_S3, AWS_ENDPOINT_URL, AWS_DEFAULT_REGION and the profile (AWS_PROFILE)"):
        url, region = _resolve(session, bucket)
    virtual = not url.endswith(f"/{bucket}")
    provider = _find_credentials(session, uri)
    return Access(
        session,
        {
            "config": {
                "endpoint": url.rstrip("/") if virtual else url.removesuffix(f"/{bucket}"),
                "virtual_hosted_style_request": virtual,
                "region": region,
            },
            "client_options": {
                "allow_http": url.startswith("http://"),
                "root_certificate": _read_certificates(session, uri),
                **_proxy(url, uri),
            },
            "credential_provider": provider,
        },
    )


def _refuse_other_names(uri: str) -> None:
    for name, instead in UNKNOWN_TO_BOTO3.items():
        if os.environ.get(name):
            raise StoreError(f"store {uri}: {name} is not a variable of boto3. Unset it, and use {instead}")


def _set_region(session: "Session", uri: str) -> None:
    """boto3 alone does not know AWS_REGION: it counts where boto3 has no region, and may not contradict it."""
    ours, theirs = os.environ.get("AWS_REGION"), session.get_config_variable("region")
    if ours and theirs and ours != theirs:
        raise StoreError(
            f"store {uri}: AWS_REGION is {ours}, and the region of boto3 (AWS_DEFAULT_REGION, or that of the profile) "
            f"is {theirs}. Unset one, or set both to the region of the bucket"
        )
    if ours:
        session.set_config_variable("region", ours)


def _resolve(session: "Session", bucket: str) -> tuple[str, str]:
    """The URL to which boto3 would send a request about the bucket, and the region that it would sign with."""
    from botocore import UNSIGNED
    from botocore.awsrequest import AWSResponse
    from botocore.config import Config

    found = list[str]()

    def answer(params: Mapping[str, Any], **_: object) -> tuple[AWSResponse, dict[str, Any]]:
        found.append(params["url"])
        return AWSResponse(None, 200, {}, None), {}

    # A handler that answers keeps the request here.
    client = session.create_client("s3", config=Config(signature_version=UNSIGNED))
    client.meta.events.register("before-call.s3.HeadBucket", answer)
    client.head_bucket(Bucket=bucket)
    return found[0], client.meta.region_name


def _find_credentials(session: "Session", uri: str) -> object:
    """Gets credentials once, so that an expired login is an error now, and not in the middle of a training."""
    from obstore.auth.boto3 import Boto3CredentialProvider

    with _errors(uri, _identity()):
        if session.get_credentials() is None:
            raise StoreError(
                f"store {uri}: boto3 finds no credentials. Set AWS_PROFILE, or AWS_ACCESS_KEY_ID and "
                "AWS_SECRET_ACCESS_KEY, or give this pod or machine an identity"
            )
        provider = Boto3CredentialProvider(session, ttl=ASKED_AGAIN)
        provider()
        return provider


def _read_certificates(session: "Session", uri: str) -> bytes:
    """The CAs that boto3 trusts. obstore adds them to those of the machine."""
    from botocore.httpsession import get_cert_path

    given = session.get_config_variable("ca_bundle")
    name = "AWS_CA_BUNDLE" if os.environ.get("AWS_CA_BUNDLE") else "ca_bundle of the profile (AWS_PROFILE)"
    if given is None and (given := os.environ.get("REQUESTS_CA_BUNDLE")) is not None:
        name = "REQUESTS_CA_BUNDLE"
    if given is None:
        return Path(get_cert_path(True)).read_bytes()
    try:
        ssl.create_default_context(cafile=given)
        return Path(given).read_bytes()
    except OSError as error:
        raise StoreError(f"store {uri}: {name}: expected a file with certificates (PEM): {error}") from None


def _proxy(url: str, uri: str) -> dict[str, str]:
    """The proxy that boto3 would use for this address, or obstore's way to say that there is none.

    obstore would read the variables too, by rules of its own about NO_PROXY and ALL_PROXY. A proxy that is given keeps
    it from that, even one that is excluded for the only host that there is.
    """
    from botocore.httpsession import ProxyConfiguration
    from botocore.utils import get_environ_proxies

    parts = urlsplit(url)
    proxy = ProxyConfiguration(get_environ_proxies(url)).proxy_url_for(url)
    if not proxy:
        return {"proxy_url": "http://no-proxy.invalid", "proxy_excludes": cast("str", parts.hostname)}
    if proxy.count("://") > 1 or not urlsplit(proxy).hostname:
        name = f"{parts.scheme}_proxy".upper()
        raise StoreError(f"store {uri}: {name}: expected http://host:port or https://host:port, as boto3 takes it")
    return {"proxy_url": proxy}


def _identity() -> str:
    return ", ".join(name for name in IDENTITY if os.environ.get(name)) or "AWS_PROFILE (not set: `default`)"


@contextmanager
def _errors(uri: str, names: str) -> Iterator[None]:
    from botocore.exceptions import BotoCoreError, ClientError

    log = logging.getLogger("botocore.credentials")
    try:
        # It would print the traceback of what is said in one line here.
        log.disabled = True
        yield
    except (BotoCoreError, ClientError, OSError, ValueError) as error:
        reason = " ".join(str(error).split())[:400]
        raise StoreError(f"store {uri}: {reason}. It follows from {names}") from None
    finally:
        log.disabled = False
