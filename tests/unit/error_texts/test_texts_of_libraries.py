"""A library that prints another text after an upgrade makes a broken request a full disk, or shows a borrower's row.

Each text comes from the library itself, and not from a copy of it.
"""

import errno
import io
from datetime import timedelta
from typing import Any

import obstore
import pyarrow as pa
import pyarrow.csv as pv
import pytest
from dagster_k8s.container_context import K8sContainerContext
from dagster_k8s.job import UserDefinedDagsterK8sConfig
from obstore.exceptions import BaseError
from obstore.store import LocalStore, S3Store

from resources.error_texts import (
    find_csv_column,
    find_mistrust,
    find_os_error,
    is_broken_request,
    is_forbidden_field,
    is_missing_bucket,
    shorten_store_error,
)
from tests.support.servers.certificates import PrivateCA
from tests.support.servers.s3 import serve_s3

NO_PATIENCE: Any = {"max_retries": 0, "retry_timeout": timedelta(seconds=1)}


def open_bucket(endpoint: str, bucket: str) -> S3Store:
    options: Any = {"allow_http": True}
    keys: Any = {
        "aws_access_key_id": "test",
        "aws_secret_access_key": "test",
        "region": "us-east-1",
        "endpoint": endpoint,
    }
    return S3Store(bucket, config=keys, client_options=options, retry_config=NO_PATIENCE)


def read_error(client: S3Store) -> str:
    with pytest.raises((BaseError, FileNotFoundError)) as caught:
        obstore.get(client, "key")
    return str(caught.value)


@pytest.fixture
def broken() -> str:
    """What obstore says when nobody answers."""
    return read_error(open_bucket("http://127.0.0.1:9", "models"))


@pytest.fixture
def bucket(s3_endpoint: str) -> str:
    """A bucket that exists."""
    import boto3

    boto3.client("s3", endpoint_url=s3_endpoint).create_bucket(Bucket="that-exists")
    return "that-exists"


def test_a_connection_that_broke_is_told_apart_from_an_answer(broken: str, s3_endpoint: str, bucket: str) -> None:
    assert is_broken_request(broken)
    assert not is_broken_request(read_error(open_bucket(s3_endpoint, bucket)))
    assert not is_missing_bucket(broken)


def test_a_certificate_that_is_not_accepted_is_told_apart_from_a_connection_that_broke(tmp_path, broken: str) -> None:
    with serve_s3(PrivateCA(tmp_path).server(timedelta(days=1))) as environment:
        text = read_error(open_bucket(environment["AWS_ENDPOINT_URL"], "models"))
    assert is_broken_request(text), "obstore names it: the function is of no use"
    assert "certificate" in str(find_mistrust(text))
    assert find_mistrust(broken) is None


def test_a_missing_bucket_is_told_apart_from_a_missing_object(s3_endpoint: str, bucket: str) -> None:
    assert is_missing_bucket(read_error(open_bucket(s3_endpoint, "nobody-made-it")))
    assert not is_missing_bucket(read_error(open_bucket(s3_endpoint, bucket)))


def test_the_number_of_an_error_of_the_operating_system_is_found() -> None:
    with pytest.raises(BaseError) as caught:
        obstore.put(LocalStore("/sys/kernel"), "made/object", b"", mode="create")
    assert find_os_error(str(caught.value)) in {errno.EACCES, errno.EPERM, errno.EROFS}
    assert find_os_error("an answer without a number") is None


def test_a_store_s_error_is_one_line_without_its_dump(broken: str) -> None:
    short = shorten_store_error(broken)
    assert "Debug source" in broken, "obstore prints no dump any more: the function is of no use"
    assert "Debug source" not in short
    assert "\n" not in short
    assert 0 < len(short) <= 400
    assert broken.startswith(short[:20])


def convert(csv: bytes) -> str:
    columns = {"age": pa.int64(), "income": pa.float64()}
    with pytest.raises(pa.ArrowInvalid) as caught:
        pv.read_csv(
            io.BytesIO(csv),
            read_options=pv.ReadOptions(column_names=list(columns)),
            convert_options=pv.ConvertOptions(column_types=columns),
        )
    return str(caught.value)


def test_the_column_of_a_value_that_can_t_be_converted_is_found() -> None:
    assert find_csv_column(convert(b"41,12.5\n41,12 Elm Street\n")) == 1
    assert find_csv_column(convert(b"12 Elm Street,12.5\n")) == 0
    assert find_csv_column(convert(b"41,12.5,1\n")) is None, "a row with too many values has no such column"


def test_a_field_that_the_instance_does_not_allow_is_told_apart_from_other_faults() -> None:
    config = UserDefinedDagsterK8sConfig(pod_spec_config={"host_network": True})
    allowed = {"container_config": {"resources": True}}
    with pytest.raises(Exception, match="allowed list") as caught:
        K8sContainerContext(run_k8s_config=config).validate_user_k8s_config_for_run(allowed, None)
    assert is_forbidden_field(caught.value)
    assert not is_forbidden_field(ValueError("another fault"))
