"""Files that are not used: why, and what a person can do."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

import pyarrow as pa
import pyarrow.compute as pc

from cv_pipelines.catalog import Catalog
from cv_pipelines.errors import InputError
from cv_pipelines.images.contact_sheet import captioned_sheet
from cv_pipelines.images.decode import decode_image
from cv_pipelines.images.inspection import FORGOTTEN, UNREADABLE
from cv_pipelines.images.tabulation import CONFLICT
from cv_pipelines.storage.bundles import Bundle
from cv_pipelines.storage.packs import read_packed

_RETRY = "mend the file and sync; or, after an update of the program, --retry"
ADVICE = {
    CONFLICT: "keep it in one class, or --accept the file whose class is right",
    "too_many_pixels": "scale it down, or --accept it (up to four times the limit)",
    "empty": "copy it again, then sync",
    "not_an_image": "delete it, or convert it to a format of the list",
    "no_pixels": _RETRY,
    "undecodable": _RETRY,
    "decoder_crashed": _RETRY,
    UNREADABLE: "see to it that it can be read: it is tried again at every sync",
    "unusable": "see the reason, then sync",
    FORGOTTEN: "delete it from the source",
}
"""What to do, by the code of the reason."""
ACCEPTABLE = (CONFLICT, "too_many_pixels")
"""Codes that a person may overrule; of any other file there are no pixels to be had."""
_ID_LENGTH = 10
_TILES = 12


@dataclass(frozen=True)
class QuarantinedFile:
    """A file that is not used; `id` follows from its path, `image_id` is there where it can be seen."""

    id: str
    path: str
    code: str
    reason: str
    advice: str
    image_id: str | None


def quarantined_files(catalog: Catalog, dataset: str, limit: int | None = None) -> list[QuarantinedFile]:
    """The files of a data set's present version that are not used, by path.

    Raises:
        InputError: the data set was never ingested.
    """
    return files_of(catalog.open(catalog.require("image_manifest", dataset)), limit)


def files_of(manifest: Bundle, limit: int | None = None) -> list[QuarantinedFile]:
    """The files of a version that are not used, by path."""
    return [_file(**row) for row in manifest.table("quarantine").slice(0, limit).to_pylist()]


def quarantine_sheet(manifest: Bundle, files: Sequence[QuarantinedFile]) -> bytes:
    """A preview of files that are not used: what can be seen of them, their names and the reasons."""
    uris = _uris(manifest, [one.image_id for one in files if one.image_id])
    tiles = []
    for one in files[:_TILES]:
        uri = uris.get(one.image_id) if one.image_id else None
        pixels = decode_image(read_packed(manifest.store, uri), at_least=128) if uri else None
        tiles.append((pixels, f"{PurePosixPath(one.path).name}: {one.reason}"))
    return captioned_sheet(tiles)


def find_acceptable(catalog: Catalog, dataset: str, file_id: str) -> QuarantinedFile:
    """The file that a person means to accept.

    Raises:
        InputError: there is none of this id, or nothing can be made of it.
    """
    matching = [one for one in quarantined_files(catalog, dataset) if one.id == file_id]
    if len(matching) > 1:
        message = f"'{matching[0].path}' is listed more than once: mend the table that names it, then sync."
        raise InputError("listed_twice", message)
    found = matching[0] if matching else None
    if found is None:
        message = f"'{dataset}' has no file {file_id} in quarantine: 'cv-pipelines dataset quarantine {dataset}'."
        raise InputError("no_quarantined_file", message)
    if found.code not in ACCEPTABLE:
        message = f"'{found.path}' cannot be accepted: {found.reason}. What to do: {found.advice}."
        raise InputError("not_acceptable", message)
    return found


def quarantine_id(path: str) -> str:
    """A short name for a file: the start of its path's SHA-256."""
    return hashlib.sha256(path.encode()).hexdigest()[:_ID_LENGTH]


def _uris(manifest: Bundle, image_ids: list[str]) -> dict[str, str]:
    """Where images are that were read and are not used."""
    if not image_ids:
        return {}
    facts = manifest.table("files", ["image_id", "uri"])
    wanted = facts.filter(pc.is_in(facts["image_id"], pa.array(image_ids, pa.string())))
    return dict(zip(wanted["image_id"].to_pylist(), wanted["uri"].to_pylist(), strict=True))


def _file(path: str, code: str, reason: str, image_id: str | None = None) -> QuarantinedFile:
    advice = ADVICE.get(code, "see the reason, then sync")
    return QuarantinedFile(quarantine_id(path), path, code, reason, advice, image_id)
