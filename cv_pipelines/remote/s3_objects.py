"""Single objects on a server that speaks S3, whoever names them."""

from contextlib import closing
from typing import TYPE_CHECKING

from cv_pipelines.errors import InfrastructureError
from cv_pipelines.remote.facts import FileFacts
from cv_pipelines.remote.limits import size_problem
from cv_pipelines.storage.s3_client import reason, s3_client, s3_errors, status_of, to_cv_error

if TYPE_CHECKING:
    from types_boto3_s3.type_defs import GetObjectRequestTypeDef

SCHEME = "s3://"


def split_uri(uri: str) -> tuple[str, str]:
    """Bucket and key of `s3://bucket/key`."""
    bucket, _, key = uri.partition("://")[2].partition("/")
    return bucket, key


def object_stamp(uri: str) -> str:
    """ETag and size of an object.

    Raises:
        OSError: the server does not say.
    """
    return object_facts(uri).stamp


def object_facts(uri: str) -> FileFacts:
    """What the server says of an object.

    Raises:
        OSError: as read_object does.
    """
    bucket, key = split_uri(uri)
    try:
        found = s3_client().head_object(Bucket=bucket, Key=key)
    except s3_errors() as error:
        raise _failure(error) from error
    size = found["ContentLength"]
    return FileFacts(size, f"{found['ETag']}:{size}", found["LastModified"], in_parts=True)


def read_object_range(uri: str, stamp: str, offset: int, length: int) -> bytes:
    """Read `length` bytes of an object from `offset` on, if it still is the one that was looked at.

    Raises:
        OSError: as read_object does.
    """
    bucket, key = split_uri(uri)
    part, version = f"bytes={offset}-{offset + length - 1}", stamp.rpartition(":")[0]
    try:
        answer = s3_client().get_object(Bucket=bucket, Key=key, Range=part, IfMatch=version)
        with closing(answer["Body"]) as body:
            data = body.read(length)
    except s3_errors() as error:
        raise _failure(error) from error
    if len(data) != length:
        raise ConnectionError("the server sent another part than was asked for")
    return data


def read_object(uri: str, stamp: str, most: int) -> bytes:
    """Read an object, if it still is the one that was listed.

    Args:
        uri: `s3://bucket/key`.
        stamp: as `object_stamp` gives it; empty: whatever is there.
        most: bytes that it may have.

    Raises:
        OSError: in words, for they end up in a table that people read; a ConnectionError where it may pass.
    """
    bucket, key = split_uri(uri)
    request: GetObjectRequestTypeDef = {"Bucket": bucket, "Key": key}
    if stamp:
        request["IfMatch"] = stamp.rpartition(":")[0]
    try:
        answer = s3_client().get_object(**request)
        with closing(answer["Body"]) as body:
            if problem := size_problem(answer["ContentLength"], most):
                raise OSError(problem)
            return body.read()
    except s3_errors() as error:
        raise _failure(error) from error


def _failure(error: Exception) -> OSError:
    changed = status_of(error) == 412
    may_pass = changed or isinstance(to_cv_error(error, ""), InfrastructureError)
    return (ConnectionError if may_pass else OSError)(reason(error))
