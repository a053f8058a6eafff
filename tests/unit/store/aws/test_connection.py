"""An address, a CA or a proxy that means another thing here than to boto3 sends a model to the wrong place, or nowhere.

A fault of them that is repeated for three minutes, and then called "error sending request", costs an evening.
"""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from resources.store.aws import UNKNOWN_TO_BOTO3, find_access
from resources.store.object_store import StoreError
from resources.store.opening import open_store
from tests.support.aws import KEYS, AwsEnvironment
from tests.support.servers.s3 import serve, serve_s3

CLOSED = "http://127.0.0.1:9"
NO_PATIENCE = timedelta(seconds=1)


@pytest.fixture(scope="module")
def store() -> Iterator[str]:
    """The address of an S3 server."""
    with serve_s3() as variables:
        yield variables["AWS_ENDPOINT_URL"]


@pytest.mark.parametrize(("name", "instead"), UNKNOWN_TO_BOTO3.items())
def test_a_variable_that_boto3_does_not_know_is_refused_with_the_one_that_it_knows(name, instead, environment) -> None:
    said = environment.expect_refusal(f"{name} is not a variable of boto3", instead, **KEYS, **{name: "true"})
    assert "true" not in said


def find_config(environment: AwsEnvironment, bucket: str = "models", **variables: str) -> dict[str, Any]:
    environment.set(**KEYS, **variables)
    return find_access(bucket, "s3://models").client["config"]


def test_the_address_is_that_of_boto3(environment) -> None:
    assert find_config(environment) == {
        "endpoint": "https://models.s3.amazonaws.com",
        "virtual_hosted_style_request": True,
        "region": "us-east-1",
    }
    dotted = find_config(environment, "my.models", AWS_DEFAULT_REGION="eu-west-1")
    assert (dotted["endpoint"], dotted["virtual_hosted_style_request"]) == ("https://s3.eu-west-1.amazonaws.com", False)
    own = find_config(environment, AWS_ENDPOINT_URL="http://store:9000/s3")
    assert (own["endpoint"], own["virtual_hosted_style_request"]) == ("http://store:9000/s3", False)
    assert find_config(environment, AWS_ENDPOINT_URL_S3="http://s3:9000")["endpoint"] == "http://s3:9000"
    ignored = find_config(environment, AWS_IGNORE_CONFIGURED_ENDPOINT_URLS="true")
    assert ignored["endpoint"] == "https://models.s3.eu-west-1.amazonaws.com"


def test_the_other_addresses_of_aws_are_used_as_boto3_would(environment) -> None:
    other = {"AWS_USE_FIPS_ENDPOINT": "true", "AWS_USE_DUALSTACK_ENDPOINT": "true", "AWS_DEFAULT_REGION": "us-west-2"}
    assert find_config(environment, **other)["endpoint"] == "https://models.s3-fips.dualstack.us-west-2.amazonaws.com"


def test_a_profile_may_name_the_address_its_style_and_the_region(environment) -> None:
    environment.write(
        ".aws/config",
        "[profile here]\nservices = own\nregion = eu-north-1\ns3 =\n  addressing_style = virtual\n"
        "[services own]\ns3 =\n  endpoint_url = http://store:9000\n",
    )
    assert find_config(environment, AWS_PROFILE="here") == {
        "endpoint": "http://models.store:9000",
        "virtual_hosted_style_request": True,
        "region": "eu-north-1",
    }


def test_the_region_of_other_tools_counts_alone_and_may_not_contradict_that_of_boto3(environment) -> None:
    assert find_config(environment, AWS_REGION="eu-west-1")["region"] == "eu-west-1"
    assert find_config(environment, AWS_DEFAULT_REGION="eu-west-1")["region"] == "eu-west-1"
    environment.expect_refusal("AWS_REGION is eu-west-1", "AWS_DEFAULT_REGION", AWS_DEFAULT_REGION="us-west-2")


@pytest.mark.parametrize("name", ["AWS_CA_BUNDLE", "REQUESTS_CA_BUNDLE", "ca_bundle"])
def test_a_store_with_a_certificate_of_a_private_ca_is_reached_if_boto3_would(name, environment, ca) -> None:
    with serve_s3(ca.server(timedelta(days=1))) as variables:
        environment.expect_refusal("certificate", "UnknownIssuer", "AWS_CA_BUNDLE", **variables)
        if name == "ca_bundle":
            environment.write(".aws/config", f"[default]\nca_bundle = {ca.file}\n")
        else:
            environment.set(**{name: str(ca.file)})
        open_store(f"s3://{name.lower().replace('_', '-')}/prefix").create("key", b"bytes")


def test_a_certificate_that_has_ended_is_said_within_seconds(environment, ca) -> None:
    with serve_s3(ca.server(timedelta(days=-1))) as variables:
        environment.expect_refusal("certificate", "Expired", AWS_CA_BUNDLE=str(ca.file), **variables)


@pytest.mark.parametrize("name", ["AWS_CA_BUNDLE", "REQUESTS_CA_BUNDLE"])
def test_a_file_of_certificates_that_is_missing_or_holds_none_is_refused_by_its_variable(name, environment) -> None:
    environment.set(**KEYS)
    environment.expect_refusal(f"{name}: expected a file with certificates", "No such file", **{name: "/none.pem"})
    environment.expect_refusal(f"{name}: expected a file", **{name: environment.write("text", "no certificate")})
    broken = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"
    environment.expect_refusal(f"{name}: expected a file", **{name: environment.write("broken", broken)})


def test_a_proxy_is_used_for_a_store_that_no_proxy_does_not_name(environment, store) -> None:
    environment.set(**KEYS, AWS_ENDPOINT_URL_S3=CLOSED, HTTP_PROXY=store)
    open_store("s3://models/prefix").create("by-proxy", b"bytes")
    environment.set(NO_PROXY="store.invalid,127.0.0.1")
    with pytest.raises(StoreError, match="See that it answers"):
        open_store("s3://models/prefix", patience=NO_PATIENCE)


def test_no_proxy_is_used_for_a_store_that_no_proxy_names(environment, store) -> None:
    environment.set(**KEYS, AWS_ENDPOINT_URL_S3=store, HTTP_PROXY=CLOSED, ALL_PROXY=CLOSED)
    with pytest.raises(StoreError, match="See that it answers"):
        open_store("s3://models/prefix", patience=NO_PATIENCE)
    environment.set(NO_PROXY="127.0.0.1")
    open_store("s3://models/prefix").create("without-proxy", b"bytes")


def test_a_proxy_that_boto3_does_not_know_is_not_used(environment, store) -> None:
    environment.set(**KEYS, AWS_ENDPOINT_URL_S3=store, ALL_PROXY=CLOSED, HTTPS_PROXY=CLOSED)
    open_store("s3://models/prefix").create("not-this-proxy", b"bytes")


def test_a_proxy_of_another_kind_is_refused_by_its_variable_and_its_password_is_not_shown(environment) -> None:
    said = environment.expect_refusal("HTTPS_PROXY: expected http", **KEYS, HTTPS_PROXY="socks5://me:hunter2@proxy:1")
    assert "hunter2" not in said


def test_a_proxy_that_asks_for_a_password_is_said_within_seconds(environment) -> None:
    def refuse(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        start_response("407 Proxy Authentication Required", [])
        return []

    with serve(refuse) as proxy:
        said = environment.expect_refusal(
            "HTTPS_PROXY", "NO_PROXY", **KEYS, HTTPS_PROXY=proxy.replace("//", "//me:hunter2@")
        )
    assert "hunter2" not in said
