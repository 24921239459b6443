"""Where uploaded files are kept: below `uploads/` in the object store, as the source of their data set.

They are a folder of a disk, or a prefix of a bucket, that the usual sources read. A file appears whole or not at
all, and is never replaced: another one of the same name gets a name of its own.
"""

import errno
import hashlib
import os
import shutil
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import cast
from uuid import uuid4

from cv_pipelines.errors import CvError, InputError
from cv_pipelines.images.datasets import Dataset, add_dataset, find_dataset, require_name
from cv_pipelines.storage.local import LocalStore
from cv_pipelines.storage.protocol import ObjectStore
from cv_pipelines.storage.s3 import S3Store
from cv_pipelines.storage.s3_client import s3_client, s3_errors, status_of
from cv_pipelines.web.platform import Platform
from cv_pipelines.web.uploading.names import numbered

PREFIX = "uploads/"
_THERE = (409, 412)
"""Statuses of a bucket that has an object of this name, or gets one just now."""


@dataclass(frozen=True)
class Uploads:
    """The uploaded files of a data set, whose name has been looked at."""

    store: LocalStore | S3Store
    dataset: str

    @property
    def location(self) -> str:
        """The source of the data set."""
        if isinstance(self.store, S3Store):
            return f"{self.store}{self._key('')}".rstrip("/")
        return str(self._folder)

    def add(self, name: str, path: Path) -> tuple[str, bool]:
        """Take a file in.

        Args:
            name: of `clean_name`.
            path: the file; whoever made it deletes it, and writes nothing more into it.

        Returns:
            The name that it has now, and whether it is new: the same file twice is one.

        Raises:
            InputError: code `upload_name`: what stands in its way is no file.
        """
        if self._put(name, path):
            return name, True
        if self._same(name, path):
            return name, False
        other = numbered(name, _digest_of(path))
        if self._put(other, path):
            return other, True
        if self._same(other, path):
            return other, False
        raise InputError("upload_name", f"'{name}' is not taken: a folder is called so, or a file as its folder.")

    def used(self) -> tuple[int, int]:
        """How many files there are, and how many bytes."""
        sizes = [one.size for one in self.store.objects(self._key(""))]
        return len(sizes), sum(sizes)

    def prepare(self) -> None:
        """Let the source be there before its first file is."""
        if isinstance(self.store, LocalStore):
            self._folder.mkdir(parents=True, exist_ok=True)

    @property
    def _folder(self) -> Path:
        return cast("LocalStore", self.store).root / PREFIX / self.dataset  # where it is asked for, it is one

    def _key(self, name: str) -> str:
        return f"{PREFIX}{self.dataset}/{name}"

    def _put(self, name: str, path: Path) -> bool:
        """Take a file in under a name that nothing has; False where something has."""
        if isinstance(self.store, S3Store):
            return _put_object(self.store, self._key(name), path)
        try:
            _link(path, self._folder / name)
        except (FileExistsError, NotADirectoryError):
            return False
        return True

    def _same(self, name: str, path: Path) -> bool:
        """Whether what has a name is this very file."""
        try:
            with self.store.open(self._key(name)) as there:
                return hashlib.file_digest(there, "sha256").hexdigest() == _digest_of(path)  # type: ignore[arg-type]
        except (OSError, CvError):
            return False


def open_uploads(platform: Platform, name: str) -> Uploads:
    """The uploads of a data set that is there, or can be.

    Raises:
        InputError: code `dataset_name`, or `not_uploaded`: the data set was made otherwise.
    """
    require_name(name)
    uploads = Uploads(_known(platform.catalog.store), name)
    try:
        there = find_dataset(platform.database, name)
    except InputError:
        return uploads
    if not is_uploaded(platform, there):
        message = (
            f"'{name}' was not made by uploading: its images come from a place of their own. Take another name."
        )
        raise InputError("not_uploaded", message)
    return uploads


def is_uploaded(platform: Platform, dataset: Dataset) -> bool:
    """Whether a data set was made by uploading."""
    return dataset.source == Uploads(_known(platform.catalog.store), dataset.name).location


def name_uploads(platform: Platform, uploads: Uploads) -> None:
    """Let the uploads be a data set, where they are none yet.

    Raises:
        InputError: code `dataset_exists`: just now somebody has given another one this name.
    """
    try:
        find_dataset(platform.database, uploads.dataset)
    except InputError:
        uploads.prepare()
        add_dataset(platform.database, uploads.dataset, uploads.location)


def _known(store: ObjectStore) -> LocalStore | S3Store:
    if isinstance(store, LocalStore | S3Store):
        return store
    raise TypeError(type(store))


def _link(path: Path, target: Path) -> None:
    """Give a file a second name, at once and only where nothing has it; a file of another disk is copied first."""
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.link(path, target)
    except OSError as error:
        if error.errno not in (errno.EXDEV, errno.EPERM, errno.ENOTSUP):
            raise
        hidden = target.with_name(f".{uuid4().hex}.partial")
        try:
            shutil.copyfile(path, hidden)
            os.link(hidden, target)
        finally:
            with suppress(OSError):
                hidden.unlink()


def _put_object(store: S3Store, key: str, path: Path) -> bool:
    try:
        with path.open("rb") as file:
            s3_client().put_object(Bucket=store.bucket, Key=store.prefix + key, Body=file, IfNoneMatch="*")
    except s3_errors() as error:
        if status_of(error) in _THERE:
            return False
        with store.told(key):
            raise
    return True


def _digest_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
