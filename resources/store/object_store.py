"""One object store for `file:///…` and `s3://…`: create once, read, never overwrite, delete what is not needed.

Belongs here: bytes under keys, and errors that name the store. Does not belong here: opening a store (`opening`), and
what an object means (`artifacts`, `blocks`, `pointer`, `backups`).
"""

import errno
from collections.abc import Collection, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

from resources.error_texts import find_mistrust, find_os_error, is_broken_request, shorten_store_error
from resources.errors import PlatformError

SETTING = "PLATFORM_STORE"
FULL = {errno.ENOSPC, errno.EFBIG, errno.EDQUOT}
DENIED = {errno.EPERM, errno.EACCES, errno.EROFS}
ONE_REQUEST = 64 * 1024 * 1024
ONE_PIECE = 16 * 1024 * 1024
RIGHT_TO_DELETE = (
    "Give this process the right to delete there (s3:DeleteObject), which only retention, backups and `.probe/` need"
)
# Requests to delete that wait for the store's answer at the same time.
DELETED_AT_ONCE = 8


class StoreError(PlatformError):
    """The store could not carry out a request: names the store, the key and what to do."""


class RequestLost(StoreError):
    """The connection broke: nobody knows whether the store carried out the request."""


class StoreNotTrusted(StoreError):
    """The certificate of the store was not accepted, or the proxy refuses this process. Repeating does not help."""


class ObjectMissing(StoreError):
    """No object lies under this key."""


class ObjectExists(StoreError):
    """Another writer created this key first; the object under it is untouched."""


@dataclass(frozen=True)
class StoredObject:
    """What a listing says of an object.

    Attributes:
        key: its key.
        bytes: its size.
        written_at: when it was written, by the clock of the store, with a time zone.
    """

    key: str
    bytes: int
    written_at: datetime


@dataclass(frozen=True)
class ObjectStore:
    """Objects that are created once and never overwritten.

    Args:
        uri: where they lie, `file:///folder` or `s3://bucket/prefix`.
        client: the opened obstore client.
        patience: for how long a write is repeated if its connection breaks.
    """

    uri: str
    client: Any
    patience: timedelta = timedelta(minutes=3)

    def create(self, key: str, data: bytes | Path) -> None:
        """Creates one object atomically: readers see all of it or nothing.

        A file above 64 MiB is uploaded in parts, which no store can do conditionally: its key must hold its digest, so
        that two writers at once write the same bytes.

        If the connection breaks, the write is repeated. If the first attempt had written the object, that is no error.

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

        # The client repeats every request that may be repeated blindly. A conditional write may not.
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
        return [each.key for each in self.list_objects(prefix)]

    def list_objects(self, prefix: str = "") -> list[StoredObject]:
        """Every object below a folder with its size and age, in the order of the keys.

        Raises:
            StoreError: the store can't be listed.
        """
        import obstore

        with self._errors("list its objects"):
            found = [
                StoredObject(each["path"], each["size"], each["last_modified"])
                for batch in obstore.list(self.client, prefix)
                for each in batch
            ]
        return sorted(found, key=lambda each: each.key)

    def delete(self, key: str) -> None:
        """Deletes one object; it is no error if there is none.

        Raises:
            StoreError: denied, or the store is away.
        """
        import obstore

        with self._errors(f"delete {key}", denied=RIGHT_TO_DELETE), suppress(FileNotFoundError):
            obstore.delete(self.client, key)

    def delete_all(self, keys: Collection[str]) -> None:
        """Deletes many objects, in no order; it is no error if some are not there.

        Each has a request of its own. The request of S3 for a thousand keys says of a denied one only that it failed.

        Raises:
            StoreError: as `delete`. Some of the objects may be deleted then.
        """
        with ThreadPoolExecutor(DELETED_AT_ONCE) as pool:
            deletions = [pool.submit(self.delete, key) for key in keys]
            try:
                for deletion in deletions:
                    deletion.result()
            except BaseException:
                pool.shutdown(cancel_futures=True)
                raise

    def _holds(self, key: str) -> bool:
        import obstore

        try:
            obstore.head(self.client, key)
        except FileNotFoundError:
            return False
        return True

    def location(self, key: str) -> str:
        """The object's URI, for people and tools."""
        return f"{self.uri}/{quote(key)}"

    @contextmanager
    def _errors(self, action: str, denied: str = "Give this process the right to do that") -> Iterator[None]:
        from obstore.exceptions import AlreadyExistsError, BaseError

        try:
            yield
        except AlreadyExistsError:
            raise ObjectExists(f"store {self.uri}: can't {action}: it exists already") from None
        except FileNotFoundError as error:
            raise ObjectMissing(f"store {self.uri}: can't {action}: {shorten_store_error(str(error))}") from None
        except (BaseError, OSError) as error:
            if mistrust := find_mistrust(str(error)):
                raise StoreNotTrusted(f"store {self.uri}: can't {action}: {mistrust}") from None
            kind = RequestLost if is_broken_request(str(error)) else StoreError
            raise kind(
                f"store {self.uri}: can't {action}: {shorten_store_error(str(error))}. "
                f"{_find_remedy(error, denied)}, or name another store in {SETTING}"
            ) from None


def _find_remedy(error: Exception, denied: str) -> str:
    from obstore.exceptions import PermissionDeniedError, UnauthenticatedError

    number = getattr(error, "errno", None) or find_os_error(str(error))
    if number in FULL:
        return "Free space there"
    if number in DENIED or isinstance(error, PermissionDeniedError | UnauthenticatedError):
        return denied
    return "See that it answers and is healthy"
