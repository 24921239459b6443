import os

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError, NoCredentialsError

from cv_pipelines.errors import InfrastructureError, InputError
from cv_pipelines.storage.s3_client import describe, s3_client, s3_errors, to_cv_error
from tests.servers import S3


def answer(status: int, code: str = "") -> ClientError:
    return ClientError({"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": status}}, "GetObject")  # type: ignore[typeddict-item]


@pytest.mark.parametrize(
    ("error", "kind", "words"),
    [
        (answer(403, "AccessDenied"), InputError, "access is denied. Give these credentials the right to it"),
        (answer(403, "SignatureDoesNotMatch"), InputError, "AWS_SECRET_ACCESS_KEY does not belong to"),
        (answer(404, "NoSuchBucket"), InputError, "there is no such bucket"),
        (answer(404, "404"), InputError, "it is not there (any more) (404)."),
        (answer(301, "PermanentRedirect"), InputError, "lies in another region. Set AWS_DEFAULT_REGION"),
        (answer(429, "TooManyRequests"), InfrastructureError, "asked 3 times. Try again later"),
        (answer(503, "SlowDown"), InfrastructureError, "asked 3 times. Try again later (503 SlowDown)."),
        (EndpointConnectionError(endpoint_url="http://a"), InfrastructureError, "cannot be reached"),
        (NoCredentialsError(), InputError, "Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"),
    ],
)
def test_an_error_is_a_sentence_that_says_who_has_to_do_what(
    error: Exception, kind: type[Exception], words: str
) -> None:
    assert isinstance(error, s3_errors())
    assert type(to_cv_error(error, "'s3://bucket/key'")) is kind
    assert describe(error, "'s3://bucket/key'").startswith("'s3://bucket/key': ")
    assert words in describe(error, "'s3://bucket/key'")


def test_an_error_that_nobody_foresaw_is_told_in_one_line() -> None:
    assert describe(answer(418, "Teapot"), "'s3://b/k'").count("\n") == 0
    assert describe(answer(418, "Teapot"), "'s3://b/k'").endswith("(418 Teapot).")


def test_a_process_has_one_client_and_a_forked_one_its_own(s3: S3) -> None:
    client = s3_client()
    assert s3_client() is client
    child = os.fork()
    if child == 0:
        os._exit(s3_client.cache_info().currsize)  # no exit handlers of the parent
    assert os.waitpid(child, 0)[1] == 0
    assert s3_client() is client
