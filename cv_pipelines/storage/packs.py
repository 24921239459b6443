"""Packs: many images in one object, each found by the pack's key, its offset and its length.

A small object costs a disk more than its bytes do, and an object store a request; some MiB in one
cost next to nothing. A pack is its contents one after the other, then an index (SHA-256, offset and
length of each), then the number of entries and a mark: what is in it can be told without a manifest.
"""

import hashlib
import struct
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from cv_pipelines.errors import InfrastructureError, InternalError
from cv_pipelines.storage.protocol import ObjectStore, StoredObject

FULL = 16 * 1024**2
"""Bytes from which on a pack takes no more."""
PREFIX = "packs/"
_ENTRY = struct.Struct("<32sQQ")
_END = struct.Struct("<Q8s")
_MARK = b"cv-pack1"


class Place(NamedTuple):
    """Where packed bytes are."""

    key: str
    offset: int
    length: int

    def __str__(self) -> str:
        return f"{self.key}@{self.offset}+{self.length}"


@dataclass
class Pack:
    """A pack that is being filled."""

    _parts: list[bytes] = field(default_factory=list)
    _index: list[bytes] = field(default_factory=list)
    size: int = 0

    def add(self, data: bytes, digest: str) -> tuple[int, int]:
        """Put bytes at the end, named by their SHA-256 (hex); returns offset and length."""
        place = (self.size, len(data))
        self._parts.append(data)
        self._index.append(_ENTRY.pack(bytes.fromhex(digest), *place))
        self.size += len(data)
        return place

    def put(self, store: ObjectStore) -> str:
        """Store the pack under the key of its content; returns the key."""
        data = b"".join([*self._parts, *self._index, _END.pack(len(self._index), _MARK)])
        digest = hashlib.sha256(data).hexdigest()
        key = f"{PREFIX}{digest[:2]}/{digest}"
        store.put(key, data)
        return key


def place_of(uri: str) -> Place:
    """Read what `str(Place)` has written."""
    key, at, place = uri.partition("@")
    offset, plus, length = place.partition("+")
    if not (at and plus):
        raise InternalError("pack_uri", f"'{uri}' is not the place of packed bytes.")
    return Place(key, int(offset), int(length))


def read_packed(store: ObjectStore, uri: str) -> bytes:
    """The bytes at a place; a URI without one is a whole object, as before there were packs.

    Raises:
        InfrastructureError: the pack is not there, or too short.
    """
    if "@" not in uri:
        return store.get(uri)
    return store.read(*place_of(uri))


def contents(store: ObjectStore, pack: StoredObject) -> Iterator[tuple[str, Place]]:
    """What is in a pack: SHA-256 (hex) and place of each, from its index alone.

    Raises:
        InfrastructureError: code `bad_pack`: it was cut off, or is none.
    """
    index = _index(pack.key, pack.size, lambda offset, length: store.read(pack.key, offset, length))
    for digest, offset, length in _ENTRY.iter_unpack(index):
        yield digest.hex(), Place(pack.key, offset, length)


def is_erased(data: bytes) -> bool:
    """Say whether these are what `erase` has left of an image: no format that we take begins with a zero."""
    return data.startswith(b"\0")


def erase(store: ObjectStore, key: str, places: Iterable[Place]) -> int:
    """Overwrite places in a pack with zeros and strike them from its index; what is beside them stays where it is.

    The pack keeps its key and gets shorter: no later `put` takes it for the pack that it was, and
    then names bytes that are gone. Erasing twice changes nothing. Two at once on one pack must take
    turns: each would write back what the other has erased.

    Returns:
        How many bytes were overwritten.

    Raises:
        InfrastructureError: code `not_erased`: the store still gives them out.
    """
    gone = {(offset, length) for _, offset, length in places}
    data = bytearray(store.get(key))
    index = _index(key, len(data), lambda offset, length: data[offset : offset + length])
    content, erased = data[: -len(index) - _END.size], 0
    for offset, length in gone:
        if any(content[offset : offset + length]):
            content[offset : offset + length] = bytes(length)
            erased += length
    entries = [_ENTRY.pack(*entry) for entry in _ENTRY.iter_unpack(index) if entry[1:] not in gone]
    left = bytes(content) + b"".join([*entries, _END.pack(len(entries), _MARK)])
    if left != data:
        store.replace(key, left)
    if any(any(store.read(key, offset, length)) for offset, length in gone):
        message = f"The store still gives out bytes of '{key}' that were overwritten. Run the command again."
        raise InfrastructureError("not_erased", message)
    return erased


def _index(key: str, size: int, read: Callable[[int, int], bytes | bytearray]) -> bytes | bytearray:
    """The index of a pack of `size` bytes, of which `read` gives any range."""
    if size >= _END.size:
        count, mark = _END.unpack(read(size - _END.size, _END.size))
        start = size - _END.size - count * _ENTRY.size
        if mark == _MARK and start >= 0:
            return read(start, count * _ENTRY.size)
    raise InfrastructureError("bad_pack", f"The object '{key}' of the store is no pack, or was cut off.")
