"""From the files of a source to facts or reasons; what a worker process does."""

import hashlib
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from functools import partial

import numpy as np

from cv_pipelines.errors import InputError, ResourceError
from cv_pipelines.images.decode import Pixels, decode_opened
from cv_pipelines.images.header import MAX_PIXELS, MOST_PIXELS, SCALABLE, Header, open_image, read_header
from cv_pipelines.images.manifest import FACTS
from cv_pipelines.images.sources.ahead import map_ahead
from cv_pipelines.images.sources.protocol import ImageSource, SourceItem
from cv_pipelines.images.statistics import SIDE, image_statistics, perceptual_hashes, thumbnail
from cv_pipelines.storage.packs import FULL, Pack, Place
from cv_pipelines.storage.protocol import ObjectStore
from cv_pipelines.workers import time_limit

UNREADABLE = "unreadable"
"""Code of a file that could not be had or decoded for want of something that may be there next time."""
FORGOTTEN = "forgotten"
"""Code of a file whose image a person has had deleted."""
FORGOTTEN_REASON = "this image was deleted for good on somebody's request; delete it from the source, too"
_MEASURED_AT_ONCE = 16
"""Thumbnails whose numbers are worked out together: as many as fit into a core's cache."""
DECODE_SECONDS = 60
"""After that a decoder is taken to hang, and its process is ended."""

Columns = dict[str, list[object]]
"""A table as lists: making one of Arrow's would cost each worker the import of pandas."""
_Facts = dict[str, object]
_Read = bytes | OSError


@dataclass(frozen=True)
class Inspector:
    """What is done to files; crosses process borders.

    Attributes:
        source: where they are read.
        store: where the good ones go.
        accepted: paths of files that a person wants in spite of their size in pixels.
        forgotten: ids of images that must not come back.
    """

    source: ImageSource
    store: ObjectStore
    accepted: frozenset[str] = frozenset()
    forgotten: frozenset[str] = frozenset()

    def __call__(self, items: Sequence[SourceItem]) -> Columns:
        """Read, check, decode and store files; a bad one does not stop its neighbours.

        Returns:
            The columns of FACTS, one entry per item, in their order.
        """
        batch = _Batch(self.store)
        reads = map_ahead(partial(_read, self.source), items, self.source.threads)
        for item, read in zip(items, reads, strict=True):
            batch.add(item, read, *self._inspect(item, read))
        return batch.columns()

    def _inspect(self, item: SourceItem, read: _Read) -> tuple[_Facts, Pixels | None]:
        """Facts of a file and its thumbnail, or why there are none."""
        if isinstance(read, OSError):
            return _refusal(UNREADABLE, f"cannot be read: {read.strerror or read}"), None
        try:
            with time_limit(DECODE_SECONDS):
                header, pixels = _decode(read, MOST_PIXELS if item.path in self.accepted else MAX_PIXELS)
        except InputError as error:
            return _refusal(error.code, error.user_message), None
        except ResourceError as error:
            return _refusal(UNREADABLE, error.user_message), None
        image_id = hashlib.sha256(read).hexdigest()
        if image_id in self.forgotten:
            return _refusal(FORGOTTEN, FORGOTTEN_REASON), None
        facts = {"code": "", "reason": "", "image_id": image_id, "bytes": len(read), **vars(header)}
        if header.format not in SCALABLE:  # the others have fewer pixels here than in the file
            facts |= {"height": pixels.shape[0], "width": pixels.shape[1]}
        return facts, thumbnail(pixels)


def crashed(item: SourceItem) -> Columns:
    """The row of a file at which a worker died."""
    reason = "the decoder's process died on this file, or did not come to an end"
    row = {"location": item.location, "stamp": item.stamp, **_refusal("decoder_crashed", reason)}
    return _columns([row])


@dataclass
class _Batch:
    """Rows of files, and the packs that their bytes go to."""

    store: ObjectStore
    rows: list[_Facts] = field(default_factory=list)
    thumbnails: list[Pixels] = field(default_factory=list)
    pack: Pack = field(default_factory=Pack)
    places: dict[str, tuple[int, int]] = field(default_factory=dict)
    uris: dict[str, str] = field(default_factory=dict)

    def add(self, item: SourceItem, data: _Read, facts: _Facts, small: Pixels | None) -> None:
        """Add a file; equal bytes are packed once, those of a bad file not at all."""
        self.rows.append({"location": item.location, "stamp": item.stamp, **facts})
        if small is None or isinstance(data, OSError):
            return
        self.thumbnails.append(small)
        image = str(facts["image_id"])
        if image not in self.places and image not in self.uris:
            self.places[image] = self.pack.add(data, image)
        if self.pack.size >= FULL:
            self._put_pack()

    def columns(self) -> Columns:
        """Everything added; the packs are in the store."""
        self._put_pack()
        good = [row for row in self.rows if not row["code"]]
        for start in range(0, len(good), _MEASURED_AT_ONCE):
            some = slice(start, start + _MEASURED_AT_ONCE)
            _measure(good[some], np.stack(self.thumbnails[some]))
        for row in good:
            row["uri"] = self.uris[str(row["image_id"])]
        return _columns(self.rows)

    def _put_pack(self) -> None:
        if self.places:
            key = self.pack.put(self.store)
            self.uris |= {image: str(Place(key, *place)) for image, place in self.places.items()}
            self.pack, self.places = Pack(), {}


def _measure(rows: Sequence[_Facts], thumbnails: Pixels) -> None:
    """Enter into the rows of images what their thumbnails show."""
    numbers = {name: values.tolist() for name, values in image_statistics(thumbnails).items()}
    columns = {"perceptual_hash": perceptual_hashes(thumbnails), **numbers}
    for place, row in enumerate(rows):
        row |= {name: values[place] for name, values in columns.items()}


def _columns(rows: Sequence[_Facts]) -> Columns:
    return {name: [row.get(name) for row in rows] for name in FACTS.names}


def _decode(data: bytes, most_pixels: int) -> tuple[Header, Pixels]:
    """Header and pixels; those of a JPEG as small as thumbnails allow.

    A JPEG at a fraction of its size costs half: every bit of it is still read, so that a damaged one
    is found, and only the transform back to pixels is cut short.
    """
    image = open_image(data)
    return read_header(image, most_pixels), decode_opened(image, at_least=SIDE)


def _refusal(code: str, reason: str) -> _Facts:
    return {"code": code, "reason": reason}


def _read(source: ImageSource, item: SourceItem) -> _Read:
    """Read a file; where that is decoding, too (a video), it may hang: over a network the client has limits."""
    try:
        with time_limit(DECODE_SECONDS) if source.threads == 1 else nullcontext():
            return source.read(item)
    except OSError as error:
        return error
    except ValueError as error:  # what a library thinks of an odd name or address
        return OSError(str(error))
