"""Opening an object store: a folder or an S3 bucket, made if it is missing, and proven before anything is computed.

Belongs here: URIs, credentials, buckets, and the proof of conditional writes. Does not belong here: reading and writing
objects (`object_store`).
"""

import os
import uuid
from datetime import timedelta
from pathlib import Path
from urllib.parse import unquote, urlsplit

from resources.error_texts import is_missing_bucket
from resources.store.object_store import SETTING, ObjectExists, ObjectMissing, ObjectStore, StoreError


def open_store(uri: str, *, patience: timedelta = timedelta(minutes=3)) -> ObjectStore:
    """Opens the store, makes its folder or bucket if it is missing, and proves that the first of two writers wins.

    Args:
        uri: `file:///absolute/folder`, or `s3://bucket/prefix` (credentials, region and `AWS_ENDPOINT_URL` from the
            environment, as the AWS tools read them).
        patience: for how long a request to S3 is repeated, with back-off, while the store doesn't answer.

    Raises:
        StoreError: the URI is of another kind, or the store is missing and can't be made, is not writable, or ignores
            conditional writes (SeaweedFS 3.96 did, see docs/decisions/store/0002-object-store.md).
    """
    if not uri:
        raise StoreError(f"{SETTING} is not set: expected file:///absolute/folder or s3://bucket/prefix")
    parts = urlsplit(uri)
    if parts.scheme == "file" and not parts.netloc and parts.path.startswith("/"):
        store = _open_folder(Path(unquote(parts.path)))
    elif parts.scheme == "s3" and parts.netloc:
        store = _open_bucket(parts.netloc, parts.path.strip("/"), patience)
    else:
        raise StoreError(f"{SETTING}={uri!r}: expected file:///absolute/folder or s3://bucket/prefix")
    _prove_conditional_writes(store)
    return store


def _open_folder(folder: Path) -> ObjectStore:
    from obstore.store import LocalStore

    uri = folder.as_uri()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        return ObjectStore(uri, LocalStore(folder))
    except OSError as error:
        raise StoreError(
            f"store {uri}: it is not there and can't be made: {error}. Name a folder that can be made in {SETTING}"
        ) from None


def _open_bucket(bucket: str, prefix: str, patience: timedelta) -> ObjectStore:
    from obstore.store import S3Store

    endpoint = os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL")
    client = S3Store(
        bucket,
        prefix=prefix or None,
        config={"endpoint": endpoint} if endpoint else None,
        client_options={"allow_http": bool(endpoint and endpoint.startswith("http://"))},
        retry_config={"max_retries": 100, "retry_timeout": patience},
    )
    store = ObjectStore(f"s3://{bucket}/{prefix}".rstrip("/"), client, patience)
    try:
        store.read(".bucket-exists")
    except ObjectMissing as error:
        if is_missing_bucket(str(error)):
            _make_bucket(bucket, endpoint)
    return store


def _make_bucket(bucket: str, endpoint: str | None) -> None:
    import boto3
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        client = boto3.client("s3", endpoint_url=endpoint)
        region = client.meta.region_name
        elsewhere = {} if region == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": region}}
        client.create_bucket(Bucket=bucket, **elsewhere)
    except (BotoCoreError, ClientError) as error:
        if getattr(error, "response", {}).get("Error", {}).get("Code") == "BucketAlreadyOwnedByYou":
            return
        raise StoreError(
            f"store s3://{bucket}: it is not there and can't be made: {error}. "
            f"Make the bucket, allow s3:CreateBucket, or name another in {SETTING}"
        ) from None


def _prove_conditional_writes(store: ObjectStore) -> None:
    key = f".probe/{uuid.uuid4().hex}"
    store.create(key, b"first")
    try:
        store.create(key, b"second")
    except ObjectExists:
        return
    finally:
        store.delete(key)
    raise StoreError(
        f"store {store.uri}: it let a second writer overwrite an object that was created with `If-None-Match: *`. "
        "Checkpoints rely on that; use a store with conditional writes"
    )
