"""What is particular to buckets: requests, and servers that fail."""

from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from cv_pipelines.errors import CvError, InfrastructureError, InputError
from cv_pipelines.storage.bundles import put_file
from cv_pipelines.storage.factory import open_store
from cv_pipelines.storage.s3 import S3Store, create_bucket
from cv_pipelines.storage.s3_client import s3_client
from tests.installation import free_port
from tests.servers import S3

Answer = tuple[int, bytes, int]
"""Status, body, and how many of its bytes are sent before the connection breaks off."""


@pytest.fixture
def store(s3: S3) -> S3Store:
    return S3Store(s3.new_bucket().removeprefix("s3://"), "prefix/")


@pytest.fixture
def failing(s3: S3, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., S3Store]]:
    """`failing(*answers)`: a store on a server that gives these answers, the last one ever after."""
    servers: list[ThreadingHTTPServer] = []

    def start(*answers: Answer) -> S3Store:
        given = list(answers)

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                status, body, sent = given.pop(0) if len(given) > 1 else given[0]
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body[:sent])
                self.close_connection = True

            def log_message(self, *_: object) -> None:
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        Thread(target=server.serve_forever, daemon=True).start()
        servers.append(server)
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{server.server_port}")
        s3_client.cache_clear()
        return S3Store("bucket", "")

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


def error(code: str) -> bytes:
    return f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>no</Message></Error>".encode()


def ranges_asked() -> list[tuple[int, int]]:
    """A list that fills with the ranges which this process asks for from now on."""
    asked: list[tuple[int, int]] = []

    def note(params: dict[str, str], **_: object) -> None:
        first, _dash, last = params["Range"].removeprefix("bytes=").partition("-")
        asked.append((int(first), int(last)))

    s3_client().meta.events.register("provide-client-params.s3.GetObject", note)
    return asked


def test_a_large_file_is_sent_in_parts(store: S3Store, tmp_path: Path) -> None:
    data = np.random.default_rng(0).bytes(20_000_000)
    (tmp_path / "model.keras").write_bytes(data)

    key = put_file(store, tmp_path / "model.keras")

    assert store.get(key) == data
    head = s3_client().head_object(Bucket=store.bucket, Key=f"prefix/{key}")
    assert head["ETag"].strip('"').endswith("-3")


def test_of_a_table_only_the_columns_that_are_needed_are_fetched(store: S3Store, tmp_path: Path) -> None:
    rows = 20_000
    wide = pa.array([np.random.default_rng(row).bytes(500) for row in range(rows)])
    table = pa.table({"before": wide, "number": pa.array(range(rows)), "after": wide})
    pq.write_table(table, tmp_path / "table.parquet", compression="none")
    store.put_file("table.parquet", tmp_path / "table.parquet")
    asked = ranges_asked()

    with store.open("table.parquet") as file:
        assert pq.read_table(file, columns=["number"]).column(0).to_pylist() == list(range(rows))

    assert len(asked) <= 3
    assert sum(last - first + 1 for first, last in asked) < 3_000_000 < (tmp_path / "table.parquet").stat().st_size


def test_small_reads_next_to_each_other_are_one_request(store: S3Store) -> None:
    store.put("key", bytes(100_000))
    asked = ranges_asked()

    with store.open("key") as file:
        while file.read(1000):
            pass

    assert asked == [(0, 99_999)]


def test_an_object_that_is_replaced_while_it_is_read_is_never_half_one_and_half_the_other(store: S3Store) -> None:
    store.replace("key", b"a" * 3_000_000)

    with store.open("key") as file:
        file.read(10)
        store.replace("key", b"b" * 3_000_000)
        with pytest.raises(CvError, match="changed while it was read"):
            file.read()


def test_an_answer_that_breaks_off_is_asked_for_again(failing: Callable[..., S3Store]) -> None:
    store = failing((200, b"0123456789", 4), (200, b"0123456789", 10))

    assert store.get("key") == b"0123456789"


def test_a_server_whose_answers_always_break_off_is_worth_trying_later(failing: Callable[..., S3Store]) -> None:
    store = failing((200, b"0123456789", 4))

    with pytest.raises(InfrastructureError, match="broke the connection off"):
        store.get("key")


@pytest.mark.parametrize(
    ("status", "code", "kind", "message"),
    [
        (403, "AccessDenied", InputError, "access is denied"),
        (403, "InvalidAccessKeyId", InputError, "AWS_ACCESS_KEY_ID"),
        (404, "NoSuchBucket", InputError, "no such bucket"),
        (404, "NoSuchKey", InfrastructureError, "The object store has no 'some/key'"),
        (503, "SlowDown", InfrastructureError, "Try again later"),
    ],
)
def test_what_the_server_answers_is_said_in_one_line(
    failing: Callable[..., S3Store], status: int, code: str, kind: type[CvError], message: str
) -> None:
    store = failing((status, error(code), 1000))

    with pytest.raises(kind, match=message) as caught:
        store.get("some/key")

    assert "some/key" in caught.value.user_message
    assert "\n" not in caught.value.user_message


def test_a_server_that_cannot_be_reached_is_said_with_what_to_check(
    s3: S3, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{free_port()}")
    s3_client.cache_clear()

    with pytest.raises(InfrastructureError, match=r"s3://bucket-of-nobody/ .*AWS_ENDPOINT_URL"):
        open_store("s3://bucket-of-nobody")


def test_a_bucket_is_made_once_and_is_then_a_store(s3: S3) -> None:
    url = "s3://fresh-bucket/prefix"
    with pytest.raises(InputError):
        open_store(url)

    assert create_bucket(url)
    assert not create_bucket(url)
    assert list(open_store(url).objects("")) == []
