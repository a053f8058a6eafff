"""A store that other tools of AWS reach and this platform does not, or reaches as somebody else, stops a release."""

import json
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from resources.store.aws import find_access
from resources.store.opening import open_store
from tests.support.aws import KEYS, AwsEnvironment
from tests.support.servers.identities import TOKEN, give_credentials
from tests.support.servers.s3 import serve


@pytest.fixture(scope="module")
def servers() -> Iterator[tuple[str, str, list[str]]]:
    """An S3 server, one that gives out credentials, and the access keys of the requests that reached the store."""
    from moto.moto_server.werkzeug_app import create_backend_app

    store, keys = create_backend_app("s3"), []

    def record(environ: dict[str, Any], start_response: Any) -> Any:
        keys.append(environ.get("HTTP_AUTHORIZATION", "").partition("Credential=")[2].partition("/")[0])
        return store(environ, start_response)

    with ExitStack() as stack:
        yield stack.enter_context(serve(record)), stack.enter_context(serve(give_credentials)), keys


def use_profile(environment: AwsEnvironment, identities: str) -> str:
    file = environment.write("shared", "[other]\naws_access_key_id = OTHER\naws_secret_access_key = secret\n")
    environment.set(AWS_SHARED_CREDENTIALS_FILE=file, AWS_PROFILE="other")
    return "OTHER"


def use_process(environment: AwsEnvironment, identities: str) -> str:
    keys = json.dumps({"Version": 1, "AccessKeyId": "PROCESS", "SecretAccessKey": "secret"})
    script = environment.write("print.py", f"print({keys!r})")
    environment.write(".aws/config", f"[default]\ncredential_process = {sys.executable} {script}\n")
    return "PROCESS"


def use_login(environment: AwsEnvironment, identities: str) -> str:
    environment.log_in(datetime.now(UTC) + timedelta(hours=1))
    environment.set(AWS_PROFILE="desk", AWS_ENDPOINT_URL_SSO=identities)
    return "LOGIN"


def use_web_identity(environment: AwsEnvironment, identities: str) -> str:
    environment.set(
        AWS_WEB_IDENTITY_TOKEN_FILE=environment.write("token", "a token"),
        AWS_ROLE_ARN="arn:aws:iam::123456789012:role/run",
        AWS_ENDPOINT_URL_STS=identities,
        AWS_DEFAULT_REGION="us-east-1",
    )
    return "ASSUMEROLEWITHWEBIDENTITY"


def use_other_role(environment: AwsEnvironment, identities: str) -> str:
    role = "role_arn = arn:aws:iam::123456789012:role/run\nsource_profile = keys\nregion = us-east-1"
    keys = "aws_access_key_id = SOURCE\naws_secret_access_key = secret"
    environment.write(".aws/config", f"[profile other]\n{role}\n[profile keys]\n{keys}\n")
    environment.set(AWS_PROFILE="other", AWS_ENDPOINT_URL_STS=identities)
    return "ASSUMEROLE"


def use_pod_identity(environment: AwsEnvironment, identities: str) -> str:
    environment.set(
        AWS_CONTAINER_CREDENTIALS_FULL_URI=f"{identities}/pod",
        AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE=environment.write("pod-token", TOKEN),
    )
    return "POD"


def use_machine(environment: AwsEnvironment, identities: str) -> str:
    environment.set(AWS_EC2_METADATA_DISABLED="false", AWS_EC2_METADATA_SERVICE_ENDPOINT=identities)
    return "MACHINE"


@pytest.mark.parametrize(
    "use",
    [use_profile, use_process, use_login, use_web_identity, use_other_role, use_pod_identity, use_machine],
)
def test_the_store_is_asked_as_whom_boto3_would_be(use, environment, servers) -> None:
    store, identities, keys = servers
    expected = use(environment, identities)
    environment.set(AWS_ENDPOINT_URL_S3=store)
    keys.clear()
    open_store("s3://of-somebody/prefix").create(use.__name__, b"bytes")
    assert len(keys) > 3
    assert set(keys) == {expected}


def test_keys_of_the_environment_come_before_a_profile_as_in_boto3(environment, servers) -> None:
    store, identities, keys = servers
    use_profile(environment, identities)
    environment.set(AWS_ENDPOINT_URL_S3=store, **KEYS)
    keys.clear()
    open_store("s3://of-somebody/prefix")
    assert set(keys) == {"KEY"}


def test_credentials_are_asked_for_again_before_botocore_lets_them_end(environment, servers) -> None:
    use_machine(environment, servers[1])
    given = find_access("models", "s3://models").client["credential_provider"]()
    assert given["access_key_id"] == "MACHINE"
    # botocore hands out what is valid for ten minutes at least.
    assert datetime.now(UTC) < given["expires_at"] < datetime.now(UTC) + timedelta(minutes=10)


def test_a_profile_that_is_missing_is_refused_by_its_variable(environment) -> None:
    environment.expect_refusal("config profile (nobody) could not be found", "AWS_PROFILE", AWS_PROFILE="nobody")


def test_a_login_that_has_expired_is_refused_at_once(environment, servers) -> None:
    environment.log_in(datetime.now(UTC) - timedelta(hours=1))
    environment.expect_refusal("expired", "AWS_PROFILE", AWS_PROFILE="desk", AWS_ENDPOINT_URL_SSO=servers[1])


def test_a_pod_whose_token_is_missing_or_refused_is_told_which_variables_it_has(environment, servers) -> None:
    role = "arn:aws:iam::123456789012:role/run"
    environment.expect_refusal("AWS_WEB_IDENTITY_TOKEN_FILE", AWS_WEB_IDENTITY_TOKEN_FILE="/none", AWS_ROLE_ARN=role)
    environment.unset("AWS_WEB_IDENTITY_TOKEN_FILE")
    use_pod_identity(environment, servers[1])
    said = environment.expect_refusal(
        "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE="/none"
    )
    assert "AWS_WEB_IDENTITY_TOKEN_FILE" not in said


def test_nobody_is_refused_and_told_how_to_be_somebody(environment) -> None:
    environment.expect_refusal("boto3 finds no credentials", "AWS_PROFILE", "AWS_ACCESS_KEY_ID")


def test_half_a_key_is_refused_and_the_half_that_is_there_is_not_shown(environment) -> None:
    said = environment.expect_refusal("AWS_SECRET_ACCESS_KEY", AWS_ACCESS_KEY_ID="AKIA-of-a-person")
    assert "AKIA-of-a-person" not in said
