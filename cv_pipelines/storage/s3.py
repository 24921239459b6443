"""The object store of many machines: a bucket of S3, or of any server that speaks it."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO
from urllib.parse import urlsplit

from tenacity import retry, retry_if_exception, stop_after_attempt, wait_random

from cv_pipelines.errors import CvError
from cv_pipelines.storage.keys import missing_object, require_key, short_object
from cv_pipelines.storage.protocol import REFRESH, StoredObject
from cv_pipelines.storage.s3_client import code_of, s3_client, s3_errors, status_of, to_cv_error
from cv_pipelines.storage.s3_file import open_ranges

if TYPE_CHECKING:
    from types_boto3_s3.type_defs import HeadObjectOutputTypeDef

_BROKEN_OFF = {"IncompleteReadError", "ResponseStreamingError"}
_NOT_FOUND, _NO_SUCH_RANGE = 404, 416


@cache
def open_s3(bucket: str, prefix: str) -> "S3Store":
    """Open a store and look into it; once per process.

    Raises:
        InputError: there is no such bucket, or it is not for these credentials.
        InfrastructureError: the server does not answer.
    """
    store = S3Store(bucket, prefix)
    with store.told():
        s3_client().list_objects_v2(Bucket=bucket, Prefix=prefix, MaxKeys=1)
    return store


def create_bucket(url: str) -> bool:
    """Make the bucket of a URL `s3://bucket/prefix`; False where it is there already.

    Raises:
        InputError: it belongs to somebody else, or may not be made with these credentials.
        InfrastructureError: the server does not answer.
    """
    bucket = urlsplit(url).netloc
    with S3Store(bucket, "").told():
        buckets = s3_client().list_buckets()["Buckets"]
        if any(one["Name"] == bucket for one in buckets):
            return False
        s3_client().create_bucket(Bucket=bucket)
    return True


@dataclass(frozen=True)
class S3Store:
    """Objects below a prefix (empty, or ending in `/`) of a bucket. Threads may share it."""

    bucket: str
    prefix: str

    def put(self, key: str, data: bytes) -> None:
        """See ObjectStore."""
        if self._lacks(key, len(data)):
            self.replace(key, data)

    def replace(self, key: str, data: bytes) -> None:
        """See ObjectStore."""
        with self.told(key):
            s3_client().put_object(**self._at(key), Body=data)

    def put_file(self, key: str, path: Path) -> None:
        """See ObjectStore."""
        if self._lacks(key, path.stat().st_size):
            with path.open("rb") as file, self.told(key):
                s3_client().upload_fileobj(file, **self._at(key))

    def get(self, key: str) -> bytes:
        """See ObjectStore."""
        with self.told(key):
            return _download(**self._at(key))

    def read(self, key: str, offset: int, length: int) -> bytes:
        """See ObjectStore."""
        return self._range(key, offset, length)

    def open(self, key: str) -> BinaryIO:
        """See ObjectStore. Of an object that is replaced meanwhile nothing more can be read."""
        head = self._require(key)
        fetch = partial(self._range, key, IfMatch=head["ETag"])
        return open_ranges(fetch, head["ContentLength"])

    def exists(self, key: str) -> bool:
        """See ObjectStore."""
        return self._head(key) is not None

    def objects(self, prefix: str) -> Iterator[StoredObject]:
        """See ObjectStore."""
        pages = s3_client().get_paginator("list_objects_v2")
        with self.told(prefix):
            for page in pages.paginate(Bucket=self.bucket, Prefix=self.prefix + prefix):
                for entry in page.get("Contents", ()):
                    key = entry["Key"].removeprefix(self.prefix)
                    yield StoredObject(key, entry["Size"], entry["LastModified"])

    def delete(self, key: str) -> None:
        """See ObjectStore."""
        with self.told(key):
            s3_client().delete_object(**self._at(key))

    def leftovers(self) -> Iterator[StoredObject]:
        """See ObjectStore. A bucket shows no object before it is whole."""
        return iter(())

    def flush(self) -> None:
        """See ObjectStore. The server answers when an object is safe."""

    def __str__(self) -> str:
        return f"s3://{self.bucket}/{self.prefix}"

    @contextmanager
    def told(self, key: str = "") -> Iterator[None]:
        """Turn the errors of requests about an object into ours."""
        try:
            yield
        except s3_errors() as error:
            raise self._error(error, key) from error

    def _error(self, error: Exception, key: str) -> CvError:
        if status_of(error) == _NOT_FOUND and code_of(error) != "NoSuchBucket":
            return missing_object(key, str(self))
        if status_of(error) == _NO_SUCH_RANGE:
            return short_object(key, str(error))
        return to_cv_error(error, f"The object store {self}{key} (CV_STORE_URL)")

    def _at(self, key: str) -> dict[str, Any]:
        return {"Bucket": self.bucket, "Key": self.prefix + require_key(key)}

    def _head(self, key: str) -> "HeadObjectOutputTypeDef | None":
        try:
            with self.told(key):
                return s3_client().head_object(**self._at(key))
        except CvError as error:
            if error.code == "missing_object":
                return None
            raise

    def _lacks(self, key: str, size: int) -> bool:
        """Say whether an object has to be written; an old one has, for nothing else renews its age."""
        head = self._head(key)
        if head is None or head["ContentLength"] != size:
            return True
        return head["LastModified"] < datetime.now(UTC) - REFRESH

    def _require(self, key: str) -> "HeadObjectOutputTypeDef":
        head = self._head(key)
        if head is None:
            raise missing_object(key, str(self))
        return head

    def _range(self, key: str, offset: int, length: int, **conditions: str) -> bytes:
        if not length:  # no range is empty
            self._require(key)
            return b""
        with self.told(key):
            data = _download(**self._at(key), Range=f"bytes={offset}-{offset + length - 1}", **conditions)
        if len(data) != length:
            raise short_object(key, f"{len(data)} of {length} bytes at {offset}")
        return data


@retry(
    retry=retry_if_exception(lambda error: type(error).__name__ in _BROKEN_OFF),
    stop=stop_after_attempt(3),
    wait=wait_random(0.1, 0.5),
    reraise=True,
)
def _download(**request: Any) -> bytes:
    """Fetch an object or a range; boto3 tries requests again, but not answers that break off."""
    return s3_client().get_object(**request)["Body"].read()
