"""One object store for `file:///…` and `s3://…`: create once, read, never overwrite.

What belongs here: bytes under keys, and errors that name the store. What an object means is the business of
`artifacts`, which deletes nothing, and of `backups`, which keeps the newest.
"""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote, urlsplit

from resources.errors import PlatformError

SETTING = "PLATFORM_STORE"
ONE_REQUEST = 64 * 1024 * 1024
ONE_PIECE = 16 * 1024 * 1024


class StoreError(PlatformError):
    """The store could not do what was asked: it names the store, the key and what to do."""


class RequestLost(StoreError):
    """The connection broke: whether the store did what was asked is not known."""


class ObjectMissing(StoreError):
    """No object lies under this key."""


class ObjectExists(StoreError):
    """Another writer created this key first; the object under it is untouched."""


@dataclass(frozen=True)
class ObjectStore:
    """Objects that are created once and never overwritten.

    Args:
        uri: where they lie, `file:///folder` or `s3://bucket/prefix`.
        client: the opened obstore client.
        patience: how long a write is repeated whose connection broke.
    """

    uri: str
    client: Any
    patience: timedelta = timedelta(minutes=3)

    def create(self, key: str, data: bytes | Path) -> None:
        """Creates one object atomically: readers see all of it or nothing.

        A file above 64 MiB goes up in parts, which no store can do conditionally: its key must hold its digest, so that
        two writers at once write the same bytes.

        A write whose connection broke is repeated, and is no error if it turns out to have been done.

        Raises:
            ObjectExists: the key is taken (`If-None-Match: *` on S3, a hard link on a file system).
            StoreError: the store is full, read-only, denied or away.
        """
        import tenacity

        lost = False

        def create_or_find_ours() -> None:
            nonlocal lost
            try:
                self._create(key, data)
            except RequestLost:
                lost = True
                raise
            except ObjectExists:
                if not lost or self.read(key) != (data.read_bytes() if isinstance(data, Path) else data):
                    raise

        # The client repeats what can be repeated blindly, which a conditional write is not.
        tenacity.Retrying(
            retry=tenacity.retry_if_exception_type(RequestLost),
            stop=tenacity.stop_after_delay(self.patience),
            wait=tenacity.wait_random_exponential(multiplier=0.2, max=5),
            reraise=True,
        )(create_or_find_ours)

    def _create(self, key: str, data: bytes | Path) -> None:
        import obstore

        with self._errors(f"create {key}"):
            if isinstance(data, Path) and data.stat().st_size > ONE_REQUEST:
                if self._holds(key):
                    raise ObjectExists(f"store {self.uri}: can't create {key}: it exists already")
                obstore.put(self.client, key, data)
            else:
                obstore.put(self.client, key, data, mode="create")

    def read(self, key: str) -> bytes:
        """Reads one object whole.

        Raises:
            ObjectMissing: there is none.
            StoreError: the store can't be read.
        """
        import obstore

        with self._errors(f"read {key}"):
            return bytes(obstore.get(self.client, key).bytes())

    def pieces(self, key: str) -> Iterator[bytes]:
        """Reads one object of any size, 16 MiB at a time: a request for more might not end within its 30 s.

        Raises:
            ObjectMissing, StoreError: as `read`.
        """
        import obstore

        with self._errors(f"read {key}"):
            size = obstore.head(self.client, key)["size"]
            for start in range(0, size, ONE_PIECE):
                yield bytes(obstore.get_range(self.client, key, start=start, end=min(start + ONE_PIECE, size)))

    def list_keys(self, prefix: str = "") -> list[str]:
        """Every key of the store below a folder, sorted.

        Raises:
            StoreError: the store can't be listed.
        """
        import obstore

        with self._errors("list its objects"):
            return sorted(each["path"] for batch in obstore.list(self.client, prefix) for each in batch)

    def delete(self, key: str) -> None:
        """Deletes one object; it is no error if there is none.

        Raises:
            StoreError: denied, or the store is away.
        """
        import obstore

        with self._errors(f"delete {key}"), suppress(FileNotFoundError):
            obstore.delete(self.client, key)

    def _holds(self, key: str) -> bool:
        import obstore

        try:
            obstore.head(self.client, key)
        except FileNotFoundError:
            return False
        return True

    def location(self, key: str) -> str:
        """The URI that people and tools find the object under."""
        return f"{self.uri}/{quote(key)}"

    @contextmanager
    def _errors(self, action: str) -> Iterator[None]:
        from obstore.exceptions import AlreadyExistsError, BaseError

        try:
            yield
        except AlreadyExistsError:
            raise ObjectExists(f"store {self.uri}: can't {action}: it exists already") from None
        except FileNotFoundError as error:
            raise ObjectMissing(f"store {self.uri}: can't {action}: {_first_line(error)}") from None
        except (BaseError, OSError) as error:
            kind = RequestLost if "error sending request" in str(error) else StoreError
            raise kind(
                f"store {self.uri}: can't {action}: {_first_line(error)}. "
                f"Make it writable, free space there, or name another store in {SETTING}"
            ) from None


def open_store(uri: str, *, patience: timedelta = timedelta(minutes=3)) -> ObjectStore:
    """Opens the store, makes its folder or bucket if it is missing, and proves that it keeps the first of two writers.

    Args:
        uri: `file:///absolute/folder`, or `s3://bucket/prefix` (credentials, region and `AWS_ENDPOINT_URL` from the
            environment, as the AWS tools read them).
        patience: how long a request to S3 is repeated with back-off while the store doesn't answer.

    Raises:
        StoreError: the URI is of another kind, or the store is neither there nor ours to make, or not writable, or
            ignores conditional writes (SeaweedFS 3.96 did, see docs/decisions/0002-object-store.md).
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
    import os

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
        if "NoSuchBucket" in str(error):
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


def _first_line(error: BaseException) -> str:
    """Obstore's errors go on with a dump of their source and of the server's answer."""
    return " ".join(str(error).split("\n\nDebug source", maxsplit=1)[0].split())[:400]
