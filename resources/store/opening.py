"""Opening an object store, a folder or an S3 bucket: to write, which makes and proves it, or only to read.

Belongs here: URIs, buckets, and the proof of conditional writes. Does not belong here: how AWS's tools would reach a
bucket (`aws`), and reading and writing objects (`object_store`).
"""

import uuid
from datetime import timedelta
from pathlib import Path
from urllib.parse import unquote, urlsplit

from resources.error_texts import is_missing_bucket
from resources.store.aws import Access, find_access
from resources.store.object_store import (
    SETTING,
    ObjectExists,
    ObjectMissing,
    ObjectStore,
    StoreError,
    StoreNotTrusted,
)


def open_store(uri: str, *, patience: timedelta = timedelta(minutes=3)) -> ObjectStore:
    """Opens the store, makes its folder or bucket if it is missing, and proves that the first of two writers wins.

    Args:
        uri: `file:///absolute/folder`, or `s3://bucket/prefix`, reached as boto3 would reach it.
        patience: for how long a request to S3 is repeated, with back-off, while the store doesn't answer.

    Raises:
        StoreError: the URI is of another kind, or the store is missing and can't be made, is not writable, or ignores
            conditional writes (SeaweedFS 3.96 did, see docs/decisions/store/0002-object-store.md).
    """
    place = _parse(uri)
    if isinstance(place, Path):
        _make_folder(place)
        store = _open_folder(place)
    else:
        access = find_access(place[0], uri)
        store = _open_bucket(access, *place, patience)
        if _is_bucket_missing(access, *place, store):
            _make_bucket(access, place[0])
    _prove_conditional_writes(store)
    return store


def open_store_for_reading(uri: str, *, patience: timedelta = timedelta(minutes=3)) -> ObjectStore:
    """Opens the store for a program that only looks: it makes and writes nothing, so it needs no right to.

    Args:
        uri, patience: as for `open_store`.

    Raises:
        StoreError: the URI is of another kind, or the store is not there.
    """
    place = _parse(uri)
    if isinstance(place, Path):
        if not place.is_dir():
            raise _not_there(place.as_uri())
        return _open_folder(place)
    access = find_access(place[0], uri)
    store = _open_bucket(access, *place, patience)
    if _is_bucket_missing(access, *place, store):
        raise _not_there(store.uri)
    return store


def _not_there(uri: str) -> StoreError:
    return StoreError(f"store {uri}: it is not there. The first run makes it; or name another in {SETTING}")


def _parse(uri: str) -> Path | tuple[str, str]:
    """The folder that a URI names, or the bucket and the prefix."""
    if not uri:
        raise StoreError(f"{SETTING} is not set: expected file:///absolute/folder or s3://bucket/prefix")
    parts = urlsplit(uri)
    if parts.scheme == "file" and not parts.netloc and parts.path.startswith("/"):
        return Path(unquote(parts.path))
    if parts.scheme == "s3" and parts.netloc:
        return parts.netloc, parts.path.strip("/")
    raise StoreError(f"{SETTING}={uri!r}: expected file:///absolute/folder or s3://bucket/prefix")


def _make_folder(folder: Path) -> None:
    uri = folder.as_uri()
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except FileExistsError:
        raise StoreError(f"store {uri}: it is a file. Name a folder in {SETTING}") from None
    except OSError as error:
        raise StoreError(
            f"store {uri}: it is not there and can't be made: {error}. Name a folder that can be made in {SETTING}"
        ) from None


def _open_folder(folder: Path) -> ObjectStore:
    from obstore.store import LocalStore

    return ObjectStore(folder.as_uri(), LocalStore(folder))


def _open_bucket(access: Access, bucket: str, prefix: str, patience: timedelta) -> ObjectStore:
    from obstore.store import S3Store

    client = S3Store(
        bucket,
        prefix=prefix or None,
        retry_config={"max_retries": 100 if patience else 0, "retry_timeout": patience},
        **access.client,
    )
    return ObjectStore(f"s3://{bucket}/{prefix}".rstrip("/"), client, patience)


def _is_bucket_missing(access: Access, bucket: str, prefix: str, store: ObjectStore) -> bool:
    """Asks the store for the first time, and at first without patience: no time mends a certificate."""
    try:
        return _says_bucket_missing(_open_bucket(access, bucket, prefix, timedelta()))
    except StoreNotTrusted:
        raise
    except StoreError:
        return _says_bucket_missing(store)


def _says_bucket_missing(store: ObjectStore) -> bool:
    try:
        store.read(".bucket-exists")
    except ObjectMissing as error:
        return is_missing_bucket(str(error))
    return False


def _make_bucket(access: Access, bucket: str) -> None:
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        client = access.session.create_client("s3")
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
