"""The static stretches of videos as sheets, from pictures that were taken before: no video is opened."""

from collections.abc import Sequence
from fnmatch import fnmatchcase
from fractions import Fraction
from itertools import islice

from cv_pipelines.catalog import Catalog
from cv_pipelines.errors import InputError
from cv_pipelines.images.contact_sheet import MAX_BYTES
from cv_pipelines.motion.artefacts.thumbnails import KIND, longest, picture_of, stretches_of
from cv_pipelines.reports.stretch_sheets import Tile, proof_sheet, static_sheet, stretch_caption
from cv_pipelines.storage.bundles import Bundle
from cv_pipelines.videos.archive import AT_ONCE, ArchivedVideo, list_archive

FILE_BYTES = 4 * 1024**2
"""Of a sheet in a file: far larger than one in the event log may be."""
MOST_COLUMNS = 24
"""Stretches of a video that a proof sheet shows: the longest ones. More would be too small to see."""


def contact_sheet_of(thumbnails: Bundle, max_bytes: int = MAX_BYTES) -> bytes:
    """The static stretches of one video, a JPEG.

    Args:
        thumbnails: of the kind `static_thumbnails`.
        max_bytes: of the JPEG.
    """
    return static_sheet(_tiles(thumbnails), thumbnails.facts["name"], max_bytes)


def proof_of(catalog: Catalog, videos: Sequence[ArchivedVideo], max_bytes: int = FILE_BYTES) -> bytes:
    """The static stretches of several videos side by side: each video a row, a JPEG.

    Args:
        catalog: where artefacts are.
        videos: in the order of the rows.
        max_bytes: of the JPEG.

    Raises:
        InputError: code `not_materialized`: of some video there are no pictures yet.
    """
    found = {video.key: catalog.current(KIND, video.key) for video in videos}
    missing = [video.key for video in videos if found[video.key] is None]
    if missing:
        names = ", ".join(missing[:5]) + (" …" if len(missing) > 5 else "")
        message = f"There are no pictures yet of {names}. Run the job analyse_motion on these videos."
        raise InputError("not_materialized", message)
    bundles = [(video.name, catalog.open(reference)) for video in videos if (reference := found[video.key])]
    return proof_sheet([(name, _tiles(bundle, MOST_COLUMNS)) for name, bundle in bundles], max_bytes=max_bytes)


def chosen_for_proof(catalog: Catalog, pattern: str, most: int) -> list[ArchivedVideo]:
    """Videos of the archive to set side by side: of those that have pictures, some that lie evenly over the time.

    Args:
        catalog: where artefacts are, and the archive.
        pattern: of file names, as a shell has it: `pier*`.
        most: how many.

    Returns:
        The oldest first, by when their files were changed.

    Raises:
        InputError: code `no_video`: there is none.
    """
    named = (video for video in list_archive(catalog.database) if fnmatchcase(video.name, pattern))
    found: list[ArchivedVideo] = []
    while batch := list(islice(named, AT_ONCE)):
        seen = catalog.currents(KIND, [video.key for video in batch])
        found += [video for video in batch if video.key in seen]
    if not found:
        message = f"No video '{pattern}' of the archive has pictures yet: run the job analyse_motion on some."
        raise InputError("no_video", message)
    found.sort(key=lambda video: (str(video.modified_at or video.added_at), video.key))
    count = min(most, len(found))
    return [found[round(place * (len(found) - 1) / max(1, count - 1))] for place in range(count)]


def _tiles(thumbnails: Bundle, most: int | None = None) -> list[Tile]:
    found = stretches_of(thumbnails)
    return [
        (picture_of(thumbnails, one), stretch_caption(Fraction(one.start), Fraction(one.end)))
        for one in longest(found, most or len(found))
    ]
