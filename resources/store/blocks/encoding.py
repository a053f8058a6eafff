"""The bytes of a block: a line of JSON (`sha256`, `sizes`), then its items.

Belongs here: how items become bytes and come back. Does not belong here: where a block lies (`series`).
"""

import hashlib
import json
from collections.abc import Sequence

from resources.errors import PlatformError
from resources.store.written_once import compute_sha256


class BlockDamaged(PlatformError):
    """A block's bytes are not those that were committed."""


def encode_block(items: Sequence[bytes]) -> bytes:
    """The bytes of one block."""
    digest = hashlib.sha256()
    for item in items:
        digest.update(item)
    head = {"sha256": digest.hexdigest(), "sizes": [len(item) for item in items]}
    return b"".join([json.dumps(head).encode(), b"\n", *items])  # one copy: new memory takes longer than the digest


def decode_block(block: bytes) -> list[bytes]:
    """The items of a block.

    Raises:
        BlockDamaged: it was truncated or changed.
    """
    line, _, payload = block.partition(b"\n")
    try:
        head = json.loads(line)
        sizes, sha256 = list(map(int, head["sizes"])), head["sha256"]
    except (ValueError, TypeError, KeyError):
        raise BlockDamaged("its first line can't be read") from None
    if compute_sha256(payload) != sha256 or sum(sizes) != len(payload):
        raise BlockDamaged(f"expected {sum(sizes)} bytes with sha256 {str(sha256)[:12]}…, found {len(payload)} others")
    ends = [sum(sizes[: number + 1]) for number in range(len(sizes))]
    return [payload[end - size : end] for end, size in zip(ends, sizes, strict=True)]
