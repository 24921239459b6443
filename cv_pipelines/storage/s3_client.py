"""What everything that speaks S3 shares: one client per process, and its errors in words.

boto3 takes endpoint, credentials and region from where it always does: the environment
(`AWS_ENDPOINT_URL`, `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`, `AWS_DEFAULT_REGION`), else `~/.aws`.
"""

import os
from functools import cache
from typing import TYPE_CHECKING, Any

from cv_pipelines.errors import CvError, InfrastructureError, InputError

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

CONNECTIONS = 32
"""Requests at once; more threads than this would wait for each other."""
CONNECT_SECONDS = 5
READ_SECONDS = 30
ATTEMPTS = 3

_REASONS = {
    "NoSuchBucket": "there is no such bucket. Check its name and AWS_ENDPOINT_URL",
    "NoSuchKey": "it is not there (any more)",
    "InvalidAccessKeyId": "the server does not know the key in AWS_ACCESS_KEY_ID",
    "SignatureDoesNotMatch": "AWS_SECRET_ACCESS_KEY does not belong to AWS_ACCESS_KEY_ID",
    "ExpiredToken": "the credentials have expired. Get new ones",
    "InvalidObjectState": "it lies in an archive of the server. Restore it first",
    "ParamValidationError": "this is no name that a bucket can have",
    "403": "access is denied. Give these credentials the right to it",
    "404": "it is not there (any more)",
    "412": "it changed while it was read",
    "301": "the bucket lies in another region. Set AWS_DEFAULT_REGION to it",
    "NoCredentialsError": "there are no credentials. Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
    "PartialCredentialsError": "credentials are incomplete. Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
    "EndpointConnectionError": "the server cannot be reached. Check AWS_ENDPOINT_URL and the network",
    "ConnectTimeoutError": f"the server did not answer within {CONNECT_SECONDS} s. Check AWS_ENDPOINT_URL",
    "ReadTimeoutError": f"the server stalled: nothing came for {READ_SECONDS} s",
    "ConnectionClosedError": "the server broke the connection off",
    "ResponseStreamingError": "the server broke the connection off",
    "IncompleteReadError": "the server broke the connection off",
}
_NO_USE_TRYING_AGAIN = {"NoCredentialsError", "PartialCredentialsError", "ParamValidationError", "ProfileNotFound"}


@cache
def s3_client() -> "S3Client":
    """The client of this process; threads may share it.

    Raises:
        InputError: the settings of boto3 make no sense.
    """
    # the first import of boto3 takes longer than most commands
    from boto3.session import Session
    from botocore.config import Config
    from botocore.exceptions import BotoCoreError

    config = Config(
        connect_timeout=CONNECT_SECONDS,
        read_timeout=READ_SECONDS,
        max_pool_connections=CONNECTIONS,
        retries={"mode": "standard", "total_max_attempts": ATTEMPTS},
        # checksums beyond what S3 once had are refused by many servers that are not Amazon's
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
    )
    try:
        return Session().client("s3", config=config)
    except (BotoCoreError, ValueError) as error:
        raise InputError("s3_settings", f"The AWS settings cannot be used: {error}") from error


os.register_at_fork(after_in_child=s3_client.cache_clear)  # a connection belongs to one process


def s3_errors() -> tuple[type[Exception], ...]:
    """What a request raises, for `except`; a function, so that botocore is imported by those who make requests."""
    from botocore.exceptions import BotoCoreError, ClientError

    return BotoCoreError, ClientError


def status_of(error: Exception) -> int:
    """The HTTP status that the server answered with; 0 where it did not."""
    return int(_response(error).get("ResponseMetadata", {}).get("HTTPStatusCode", 0))


def code_of(error: Exception) -> str:
    """The server's name for the error; empty where it gave none."""
    return str(_response(error).get("Error", {}).get("Code", ""))


def reason(error: Exception) -> str:
    """Why a request failed, in words: the end of a sentence, without its full stop.

    Args:
        error: one of `s3_errors()`.
    """
    status, code = status_of(error), code_of(error)
    answer = f" ({' '.join(dict.fromkeys([str(status), code]))})" if status else ""
    known = _REASONS.get(code) or _REASONS.get(str(status)) or _REASONS.get(type(error).__name__)
    if known is None and (status >= 500 or status == 429):
        known = f"the server is not able to answer, asked {ATTEMPTS} times. Try again later"
    return (known or " ".join(str(error).split()).rstrip(".")) + answer


def describe(error: Exception, what: str) -> str:
    """An error of a request as a sentence that starts with what was asked for (`'s3://bucket/key'`)."""
    return f"{what}: {reason(error)}."


def to_cv_error(error: Exception, what: str) -> CvError:
    """The error of ours that stands for an error of a request: what cannot pass by itself is the caller's."""
    passes = status_of(error) not in range(300, 429) and type(error).__name__ not in _NO_USE_TRYING_AGAIN
    return (InfrastructureError if passes else InputError)("s3", describe(error, what), repr(error))


def _response(error: Exception) -> dict[str, Any]:
    return getattr(error, "response", None) or {}
