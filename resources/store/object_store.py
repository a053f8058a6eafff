"""One object store for `file:///…` and `s3://…`: create once, read, never overwrite.

Belongs here: bytes under keys, and errors that name the store. Does not belong here: opening a store (`opening`), and
what an object means (`artifacts`, `blocks`, `pointer`, `backups`).
"""

import errno
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

from resources.error_texts import find_os_error, is_broken_request, shorten_store_error
from resources.errors import PlatformError

SETTING = "PLATFORM_STORE"
FULL = {errno.ENOSPC, errno.EFBIG, errno.EDQUOT}
DENIED = {errno.EPERM, errno.EACCES, errno.EROFS}
ONE_REQUEST = 64 * 1024 * 1024
ONE_PIECE = 16 * 1024 * 1024


class StoreError(PlatformError):
    """The store could not carry out a request: names the store, the key and what to do."""


class RequestLost(StoreError):
    """The connection broke: nobody knows whether the store carried out the request."""


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
        """The object's URI, for people and tools."""
        return f"{self.uri}/{quote(key)}"

    @contextmanager
    def _errors(self, action: str) -> Iterator[None]:
        from obstore.exceptions import AlreadyExistsError, BaseError

        try:
            yield
        except AlreadyExistsError:
            raise ObjectExists(f"store {self.uri}: can't {action}: it exists already") from None
        except FileNotFoundError as error:
            raise ObjectMissing(f"store {self.uri}: can't {action}: {shorten_store_error(str(error))}") from None
        except (BaseError, OSError) as error:
            kind = RequestLost if is_broken_request(str(error)) else StoreError
            raise kind(
                f"store {self.uri}: can't {action}: {shorten_store_error(str(error))}. "
                f"{_find_remedy(error)}, or name another store in {SETTING}"
            ) from None


def _find_remedy(error: Exception) -> str:
    from obstore.exceptions import PermissionDeniedError, UnauthenticatedError

    number = getattr(error, "errno", None) or find_os_error(str(error))
    if number in FULL:
        return "Free space there"
    if number in DENIED or isinstance(error, PermissionDeniedError | UnauthenticatedError):
        return "Give this process the right to do that"
    return "See that it answers and is healthy"
