"""A prefix of a bucket as a source: on an S3 server, and on one that fails."""

import pickle
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor

import pytest

from cv_pipelines.errors import CvError, InfrastructureError, InputError
from cv_pipelines.images.sources.files import MAX_BYTES
from cv_pipelines.images.sources.protocol import SourceItem
from cv_pipelines.images.sources.s3 import S3Source, s3_source
from cv_pipelines.storage import s3_client as client_module
from cv_pipelines.storage.s3_client import s3_client
from tests.servers import S3
from tests.web_server import Answer, WebServer

Fill = Callable[[Mapping[str, bytes]], str]


@pytest.fixture
def fill(s3: S3) -> Fill:
    """`fill({key: content})`: the URI of a new bucket."""

    def make(objects: Mapping[str, bytes]) -> str:
        uri, client = s3.new_bucket(), s3.client
        for key, content in objects.items():
            client.put_object(Bucket=uri.removeprefix("s3://"), Key=key, Body=content)
        return uri

    return make


def two_a_page(params: dict[str, object], **_: object) -> None:
    params["MaxKeys"] = 2


def named(*keys: str) -> dict[str, bytes]:
    return {key: key.encode() for key in keys}


def listed(uri: str) -> dict[str, SourceItem]:
    return {item.path: item for item in s3_source(uri).items()}


def test_class_prefixes_give_the_labels_and_every_object_can_be_read(fill: Fill) -> None:
    uri = fill(named("in/cat/1.png", "in/cat/garden/2.png", "in/größe/3 ä+%.png", "in/4.png", "other/5.png"))
    source = s3_source(f"{uri}/in")

    items = {item.path: item for item in source.items()}

    assert {path: (item.label, item.group, item.size) for path, item in items.items()} == {
        "4.png": (None, "", 8),
        "cat/1.png": ("cat", "", 12),
        "cat/garden/2.png": ("cat", "garden", 19),
        "größe/3 ä+%.png": ("größe", "", 21),
    }
    assert {path: source.read(item).decode() for path, item in items.items()} == {
        path: f"in/{path}" for path in items
    }
    assert items["4.png"].location == f"{uri}/in/4.png"


def test_a_bucket_may_be_the_source_as_a_whole(fill: Fill) -> None:
    assert list(listed(fill(named("cat/1.png", "2.png")))) == ["2.png", "cat/1.png"]


def test_split_prefixes_stand_above_class_prefixes(fill: Fill) -> None:
    uri = fill(named("a/train/cat/1.png", "a/test/cat/2.png", "a/.cache/x.png", "a/loose.png"))

    assert {path: (item.label, item.split) for path, item in listed(f"{uri}/a/").items()} == {
        "loose.png": (None, None),
        "test/cat/2.png": ("cat", "test"),
        "train/cat/1.png": ("cat", "train"),
    }


def test_a_class_beside_prefixes_named_like_splits_makes_them_classes(fill: Fill) -> None:
    items = listed(fill(named("exam/1.png", "test/1.png", "train/1.png"))).values()

    assert [(item.label, item.split) for item in items] == [("exam", None), ("test", None), ("train", None)]


def test_folders_that_a_console_made_and_droppings_are_left_out(fill: Fill) -> None:
    uri = fill({"a/": b"", "a/cat/": b"", **named("a/cat/1.png", "a/cat/.DS_Store", "a/__MACOSX/1.png")})

    assert list(listed(f"{uri}/a")) == ["cat/1.png"]


def test_more_objects_than_a_page_holds_are_all_listed(fill: Fill) -> None:
    uri = fill(named("a/1", "a/2", "a/3", "b/1", "b/2"))
    s3_client().meta.events.register("provide-client-params.s3.ListObjectsV2", two_a_page)

    assert list(listed(uri)) == ["a/1", "a/2", "a/3", "b/1", "b/2"]


def test_the_stamp_changes_with_the_content_and_with_nothing_else(fill: Fill, s3: S3) -> None:
    uri = fill(named("1.png"))
    bucket = uri.removeprefix("s3://")
    before = listed(uri)["1.png"].stamp

    s3.client.put_object(Bucket=bucket, Key="1.png", Body=b"1.png")
    assert listed(uri)["1.png"].stamp == before
    s3.client.put_object(Bucket=bucket, Key="1.png", Body=b"2.png")
    assert listed(uri)["1.png"].stamp != before


def test_an_object_that_changes_or_goes_while_it_is_read_says_so(fill: Fill, s3: S3) -> None:
    uri = fill(named("1.png", "2.png"))
    one, two = s3_source(uri).items()
    bucket = uri.removeprefix("s3://")
    s3.client.put_object(Bucket=bucket, Key="1.png", Body=b"other")
    s3.client.delete_object(Bucket=bucket, Key="2.png")

    with pytest.raises(OSError, match="it changed while it was read"):
        s3_source(uri).read(one)
    with pytest.raises(OSError, match="it is not there"):
        s3_source(uri).read(two)


def test_many_threads_read_at_once(fill: Fill) -> None:
    objects = {f"{number}.png": bytes([number]) * 1000 for number in range(40)}
    source = pickle.loads(pickle.dumps(s3_source(fill(objects))))  # noqa: S301 - ours
    items = list(source.items())

    with ThreadPoolExecutor(source.threads) as pool:
        found = list(pool.map(source.read, items))

    assert dict(zip([item.path for item in items], found, strict=True)) == objects


def test_what_holds_no_file_is_said_to(fill: Fill) -> None:
    uri = fill({"a/": b"", "b/.hidden": b"1"})

    for empty in (f"{uri}/a", f"{uri}/b", f"{uri}/c"):
        with pytest.raises(InputError, match="There is no file below") as caught:
            listed(empty)
        assert caught.value.code == "no_objects"


def test_a_bucket_that_is_not_there_is_the_callers_mistake(s3: S3) -> None:
    with pytest.raises(InputError, match="'s3://nobodys/': there is no such bucket"):
        listed("s3://nobodys")
    with pytest.raises(InputError, match="this is no name that a bucket can have"):
        listed("s3://No Body")


def test_videos_and_objects_too_large_are_problems(web: WebServer) -> None:
    contents = "".join(
        f"<Contents><Key>{key}</Key><Size>{size}</Size><ETag>&quot;1&quot;</ETag></Contents>"
        for key, size in [("film.mp4", 10), ("huge.png", MAX_BYTES + 1), ("large.png", MAX_BYTES)]
    )
    body = f"<ListBucketResult><IsTruncated>false</IsTruncated>{contents}</ListBucketResult>".encode()
    web.answers["/bucket"] = Answer(body=body)

    found = {path: item.problem for path, item in listed("s3://bucket").items()}

    assert found["film.mp4"].startswith("a video")
    assert found["huge.png"] == "larger than 512 MiB"
    assert found["large.png"] == ""


@pytest.fixture
def web(web_server: WebServer, s3: S3, monkeypatch: pytest.MonkeyPatch) -> Iterator[WebServer]:
    """A web server that boto3 takes for the S3 server, and does not wait long for."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", web_server.url)
    monkeypatch.setattr(client_module, "READ_SECONDS", 0.5)
    s3_client.cache_clear()
    yield web_server
    s3_client.cache_clear()


def error_body(code: str) -> bytes:
    return f"<Error><Code>{code}</Code><Message>no</Message></Error>".encode()


@pytest.mark.parametrize(
    ("answer", "kind", "words"),
    [
        (
            Answer(403, error_body("AccessDenied")),
            InputError,
            r"access is denied.*\(403 AccessDenied\)",
        ),
        (Answer(403, error_body("InvalidAccessKeyId")), InputError, "does not know the key in AWS_ACCESS_KEY_ID"),
        (Answer(404, error_body("NoSuchBucket")), InputError, "there is no such bucket"),
        (Answer(503, error_body("SlowDown")), InfrastructureError, r"not able to answer.*\(503 SlowDown\)"),
        (Answer(500), InfrastructureError, "not able to answer"),
        (Answer(200, b"<ListBucketResult>", sent=3), InfrastructureError, "not able to answer"),
        (Answer(200, b"<ListBucketResult>", sent=3, stalls=True), InfrastructureError, "stalled"),
        (Answer(200, b"this is no S3"), InfrastructureError, "."),
    ],
    ids=["denied", "wrong key", "no bucket", "slow down", "broken", "cut off", "stalled", "not S3"],
)
def test_a_listing_that_fails_is_one_line(web: WebServer, answer: Answer, kind: type[CvError], words: str) -> None:
    web.answers["/bucket"] = answer

    with pytest.raises(kind, match=rf"'s3://bucket/': .*{words}") as caught:
        listed("s3://bucket")

    assert "\n" not in caught.value.user_message


@pytest.mark.parametrize(
    ("answer", "words", "requests"),
    [
        (Answer(403, error_body("AccessDenied")), "access is denied", 1),
        (Answer(404, error_body("NoSuchKey")), "it is not there", 1),
        (Answer(412, error_body("PreconditionFailed")), "it changed while it was read", 1),
        (Answer(503, error_body("SlowDown")), "the server is not able to answer, asked 3 times", 3),
        (Answer(200, b"0123456789", sent=4), "the server broke the connection off", 1),
        (Answer(200, b"0123456789", sent=4, stalls=True), "the server stalled", 1),
    ],
    ids=["denied", "gone", "changed", "slow down", "cut off", "stalled"],
)
def test_an_object_that_cannot_be_had_says_why(web: WebServer, answer: Answer, words: str, requests: int) -> None:
    web.answers["/bucket/1.png"] = answer
    item = SourceItem("1.png", "s3://bucket/1.png", stamp='"etag":10')

    with pytest.raises(OSError, match=words):
        S3Source("bucket", "").read(item)

    assert web.requests == ["GET /bucket/1.png"] * requests


def test_an_object_larger_than_it_was_is_not_read(web: WebServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cv_pipelines.images.sources.s3.MAX_BYTES", 5)
    web.answers["/bucket/1.png"] = Answer(body=b"0123456789")

    with pytest.raises(OSError, match="larger than"):
        S3Source("bucket", "").read(SourceItem("1.png", "s3://bucket/1.png"))


def test_a_server_that_is_not_there_is_named_as_a_setting(s3: S3, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    s3_client.cache_clear()

    with pytest.raises(InfrastructureError, match=r"cannot be reached\. Check AWS_ENDPOINT_URL"):
        listed("s3://bucket")


def test_without_credentials_it_says_which_to_set(s3: S3, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    for name in ("AWS_SHARED_CREDENTIALS_FILE", "AWS_CONFIG_FILE"):
        monkeypatch.setenv(name, "/dev/null")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    s3_client.cache_clear()

    with pytest.raises(InputError, match=r"no credentials\. Set AWS_ACCESS_KEY_ID"):
        listed("s3://bucket")


def test_settings_that_make_no_sense_are_named(s3: S3, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "minio:9000")
    s3_client.cache_clear()

    with pytest.raises(InputError, match="The AWS settings cannot be used"):
        listed("s3://bucket")
