"""From what a person names to the source that reads it."""

from pathlib import Path

from cv_pipelines.errors import InputError
from cv_pipelines.images.sources.archive import ArchiveSource, is_archive
from cv_pipelines.images.sources.folder import FolderSource
from cv_pipelines.images.sources.protocol import ImageSource
from cv_pipelines.images.sources.s3 import s3_source
from cv_pipelines.images.sources.sampling import parse_sampling
from cv_pipelines.images.sources.table import csv_source
from cv_pipelines.images.sources.video import VideoSource, is_video
from cv_pipelines.remote.locations import scheme_of
from cv_pipelines.settings import Settings, load_settings

TABLE_NAME = "labels.csv"


def open_source(location: str, settings: Settings | None = None) -> ImageSource:
    """Choose by what is there.

    Args:
        location: a folder (of class folders, or with a `labels.csv`), a .csv file, an archive, a video
            (`film.mp4#every=10`), or `s3://bucket/prefix`.
        settings: where archives are unpacked, and which addresses a table may name; default: those of
            the environment.

    Raises:
        InputError: nothing of the kind is there.
    """
    settings = settings or load_settings()
    if scheme_of(location) == "s3":
        return s3_source(location)
    if scheme_of(location):
        message = f"'{location}' cannot be listed. Write the addresses of its files into a CSV file, column 'uri'."
        raise InputError("no_source", message)
    path, options = _split_options(location)
    source = _local_source(path, options, settings)
    if source is None:
        message = (
            f"'{location}' is neither a folder nor a .csv file, an archive (.zip, .tar, .tar.gz) or a video. "
            "Name one of these, or s3://bucket/prefix."
        )
        raise InputError("no_source", message)
    if options and not isinstance(source, VideoSource):
        raise InputError("source_options", f"'#{options}' says which frames of a video, and '{path}' is none.")
    return source


def _local_source(path: Path, options: str, settings: Settings) -> ImageSource | None:
    if path.is_dir():
        table = path / TABLE_NAME
        return csv_source(table, settings.url_allow) if table.is_file() else FolderSource(path)
    if not path.is_file():
        return None
    if path.suffix.lower() == ".csv":
        return csv_source(path, settings.url_allow)
    if is_archive(path):
        return ArchiveSource(path, settings.cache / "archives")
    return VideoSource(path, parse_sampling(options)) if is_video(path) else None


def _split_options(location: str) -> tuple[Path, str]:
    """A path and what stands behind its `#`, unless a file really has such a name."""
    path, sign, options = location.rpartition("#")
    if not sign or Path(location).exists():
        return Path(location), ""
    return Path(path), options
