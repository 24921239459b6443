"""Videos of a folder, a prefix of a bucket, or a list of addresses; found one after the other."""

import os
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path

from cv_pipelines.errors import InputError
from cv_pipelines.remote.facts import file_stamp
from cv_pipelines.remote.locations import absolute_path, scheme_of
from cv_pipelines.remote.s3_objects import SCHEME, split_uri
from cv_pipelines.storage.s3_client import s3_client, s3_errors, to_cv_error
from cv_pipelines.videos.video import VIDEOS

LISTS = {".txt", ".csv"}


@dataclass(frozen=True)
class ListedVideo:
    """A video as a listing tells of it.

    Attributes:
        address: as find_video takes it.
        name: below what was listed, with `/`; an address of a list is its own name.
        size: in bytes; None: not known without asking its server.
        modified: None: as size.
        stamp: as `Video.look()` gives it; empty: as size.
    """

    address: str
    name: str
    size: int | None = None
    modified: datetime | None = None
    stamp: str = ""


def list_videos(source: str) -> Iterator[ListedVideo]:
    """Find videos.

    Args:
        source: a folder (with those below it; links are not followed, names that start with a dot are left out), a
            single video, `s3://bucket/prefix`, or a .txt or .csv file with an address at the start of each line.

    Raises:
        InputError: code `no_source`: there is nothing of the kind.
        InfrastructureError: code `s3`: the server does not answer now.
    """
    if scheme_of(source) == "s3":
        yield from _objects(source)
    elif scheme_of(source) in ("http", "https"):
        yield ListedVideo(source, source)
    else:
        yield from _local(absolute_path(source.removeprefix("file://")), source)


def changed_within(videos: Iterable[ListedVideo], age: timedelta, now: datetime) -> Iterator[ListedVideo]:
    """Those that changed at most so long ago; of whom nobody knows when, stay.

    Args:
        videos: in any order, which is kept.
        age: how long ago.
        now: with a time zone.
    """
    return (video for video in videos if video.modified is None or now - video.modified <= age)


def first(videos: Iterable[ListedVideo], count: int | None) -> Iterator[ListedVideo]:
    """At most so many; no more are looked for. None: all."""
    return islice(videos, count)


def is_video_name(name: str) -> bool:
    """Whether a file's name is that of a video, and not hidden."""
    base = name.rpartition("/")[2]
    return not base.startswith(".") and os.path.splitext(base)[1].lower() in VIDEOS  # noqa: PTH122 - of any system


def _local(path: Path, source: str) -> Iterator[ListedVideo]:
    try:
        if path.is_dir():
            yield from _folder(str(path), "")
        elif path.suffix.lower() in LISTS and path.is_file():
            yield from _addresses(path)
        elif path.is_file():
            yield _listed(path.stat(), str(path), path.name)
        else:
            message = f"There is no folder, video or list of addresses at '{source}'."
            raise InputError("no_source", message)
    except PermissionError as error:
        raise InputError("no_source", f"'{error.filename}' cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise InputError("no_source", f"The list '{source}' is not UTF-8: save it as that.") from error


def _folder(folder: str, prefix: str) -> Iterator[ListedVideo]:
    """By name, folders among the files, so that the order is the same each time; what has gone is left out."""
    for entry in _entries(folder):
        name = prefix + entry.name
        if entry.is_dir(follow_symlinks=False) and not entry.name.startswith("."):
            yield from _folder(entry.path, f"{name}/")
        elif is_video_name(entry.name) and entry.is_file():
            with suppress(FileNotFoundError):
                yield _listed(entry.stat(), entry.path, name)


def _entries(folder: str) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as found:
            return sorted(found, key=lambda entry: entry.name)
    except FileNotFoundError:
        return []


def _listed(status: os.stat_result, address: str, name: str) -> ListedVideo:
    modified = datetime.fromtimestamp(status.st_mtime, UTC)
    return ListedVideo(address, name, status.st_size, modified, file_stamp(status))


def _addresses(path: Path) -> Iterator[ListedVideo]:
    """Of each line what stands before the first comma; paths are relative to the list; `#` begins a comment."""
    with path.open(encoding="utf-8-sig") as file:
        for line in file:
            address = line.partition(",")[0].strip().strip('"')
            if not address or address.startswith("#") or address.lower() in ("uri", "url", "address", "path"):
                continue
            yield ListedVideo(address if scheme_of(address) else str(path.parent / address), address)


def _objects(source: str) -> Iterator[ListedVideo]:
    bucket, prefix = split_uri(source)
    if not bucket:
        raise InputError("no_source", f"'{source}' names no bucket: write s3://bucket/prefix.")
    if prefix and not is_video_name(prefix):
        prefix = f"{prefix.rstrip('/')}/"
    try:
        for page in s3_client().get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
            for found in page.get("Contents", []):
                key, size = found["Key"], found["Size"]
                if is_video_name(key):
                    name = key.removeprefix(prefix) or key.rpartition("/")[2]
                    stamp = f"{found['ETag']}:{size}"
                    yield ListedVideo(f"{SCHEME}{bucket}/{key}", name, size, found["LastModified"], stamp)
    except s3_errors() as error:
        raise to_cv_error(error, f"'{source}'") from error
