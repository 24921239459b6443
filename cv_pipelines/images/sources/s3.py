"""Objects below a prefix of a bucket, on any server that speaks S3."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, ClassVar

from cv_pipelines.errors import InputError
from cv_pipelines.images.sources.files import MAX_BYTES, name_problem, size_problem
from cv_pipelines.images.sources.layout import SPLIT_NAMES, are_splits, is_wanted, placement
from cv_pipelines.images.sources.protocol import SourceItem
from cv_pipelines.remote.s3_objects import SCHEME, read_object, split_uri
from cv_pipelines.storage.s3_client import s3_client, s3_errors, to_cv_error

if TYPE_CHECKING:
    from types_boto3_s3.type_defs import ListObjectsV2OutputTypeDef, ObjectTypeDef


@dataclass(frozen=True)
class S3Source:
    """`s3://bucket/prefix/class/…/file`, with the layout of a folder.

    Attributes:
        bucket: its name.
        prefix: ends in `/`, or is empty.
    """

    bucket: str
    prefix: str
    threads: ClassVar[int] = 16

    @property
    def uri(self) -> str:
        """How people write it."""
        return f"{SCHEME}{self.bucket}/{self.prefix}"

    def items(self) -> Iterator[SourceItem]:
        """See ImageSource."""
        has_splits = cache(self._has_splits)  # a question to the server, asked where the answer matters
        empty = True
        for page in self._pages():
            for found in page.get("Contents", []):
                folders, name = self._parts(found["Key"])
                if name and all(map(is_wanted, [*folders, name])):
                    empty = False
                    split = bool(folders) and folders[0].lower() in SPLIT_NAMES and has_splits()
                    yield self._item(found, folders, split)
        if empty:
            message = (
                f"There is no file below '{self.uri}'. Name a bucket and a prefix (a folder) that holds images."
            )
            raise InputError("no_objects", message)

    def read(self, item: SourceItem) -> bytes:
        """See ImageSource."""
        return read_object(item.location, item.stamp, MAX_BYTES)

    def _item(self, found: "ObjectTypeDef", folders: list[str], has_splits: bool) -> SourceItem:
        key, size, place = found["Key"], found["Size"], placement(folders, has_splits)
        return SourceItem(
            key.removeprefix(self.prefix),
            f"{SCHEME}{self.bucket}/{key}",
            place.label,
            place.split,
            place.group,
            f"{found['ETag']}:{size}",
            size_problem(size) or name_problem(key),
            size,
        )

    def _parts(self, key: str) -> tuple[list[str], str]:
        """Folders and name; consoles make objects without a name as a sign of an empty folder."""
        *folders, name = key.removeprefix(self.prefix).split("/")
        return [folder for folder in folders if folder], name

    def _has_splits(self) -> bool:
        folders = (found["Prefix"] for page in self._pages("/") for found in page.get("CommonPrefixes", []))
        names = [folder.removeprefix(self.prefix).rstrip("/") for folder in folders]
        return are_splits([name for name in names if name and is_wanted(name)])

    def _pages(self, delimiter: str = "") -> Iterator["ListObjectsV2OutputTypeDef"]:
        """A listing, a thousand objects at a time."""
        try:
            pages = s3_client().get_paginator("list_objects_v2")
            yield from pages.paginate(Bucket=self.bucket, Prefix=self.prefix, Delimiter=delimiter)
        except s3_errors() as error:
            raise to_cv_error(error, f"'{self.uri}'") from error


def s3_source(uri: str) -> S3Source:
    """The source that a URI names.

    Raises:
        InputError: it names no bucket.
    """
    bucket, prefix = split_uri(uri)
    if not bucket:
        raise InputError("s3_uri", f"'{uri}' names no bucket: write s3://bucket/prefix.")
    return S3Source(bucket, prefix and prefix.rstrip("/") + "/")
