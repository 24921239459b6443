"""Videos of the archive, as people name them."""

from sqlalchemy import Engine

from cv_pipelines.catalog import Catalog
from cv_pipelines.errors import InputError
from cv_pipelines.storage.bundles import Bundle
from cv_pipelines.videos.archive import ArchivedVideo, find_video_of_archive, is_video_key
from cv_pipelines.videos.video import find_video


def named_video(database: Engine, name: str) -> ArchivedVideo:
    """The video of a key, or of an address as people write it.

    Raises:
        InputError: the archive has none of this name.
    """
    return find_video_of_archive(database, name if is_video_key(name) else find_video(name).address)


def made_of(catalog: Catalog, asset: str, video: ArchivedVideo) -> Bundle:
    """What an asset has made of a video.

    Raises:
        InputError: nothing yet.
    """
    reference = catalog.current(asset, video.key)
    if reference is None:
        why = f": it is in quarantine. {video.problem}" if video.is_quarantined else " yet: inject it, or wait."
        raise InputError("not_materialized", f"'{video.address}' has no {asset}{why}")
    return catalog.open(reference)
