"""Parts of files on servers of our own: a web server, and one that speaks S3."""

from collections.abc import Sequence
from datetime import UTC, datetime

import pytest

from cv_pipelines.remote import connections as connections_module
from cv_pipelines.remote import web
from cv_pipelines.remote.connections import connections
from cv_pipelines.remote.files import read_remote_range, remote_facts
from tests.servers import S3
from tests.web_server import Answer, WebServer

HERE = ("127.0.0.0/8",)
CONTENT = bytes(range(256)) * 1000
HEADERS = {"ETag": '"1"', "Last-Modified": "Mon, 01 Jan 2024 10:00:00 GMT"}


class OneAfterTheOther(dict[str, Answer]):
    """Answers, whatever is asked for."""

    def __init__(self, answers: Sequence[Answer]) -> None:
        super().__init__()
        self.answers = iter(answers)

    def get(self, *_: object) -> Answer:
        return next(self.answers)


def test_a_web_server_that_sends_parts(web_server: WebServer) -> None:
    web_server.answers["/a"] = Answer(body=CONTENT, headers=HEADERS, ranges=True)
    url = f"{web_server.url}/a"
    connections.cache_clear()

    facts = remote_facts(url, HERE)
    part = read_remote_range(url, HERE, facts, 1000, 500)

    assert (facts.size, facts.stamp, facts.in_parts) == (256_000, '"1"', True)
    assert facts.modified == datetime(2024, 1, 1, 10, tzinfo=UTC)
    assert part == CONTENT[1000:1500]
    assert web_server.sent == 501
    (pool,) = (connections(HERE).pools[key] for key in connections(HERE).pools.keys())  # noqa: SIM118 - no iterator
    assert pool.num_connections == 1


def test_a_web_server_that_sends_files_whole_only(web_server: WebServer) -> None:
    web_server.answers["/a"] = Answer(body=CONTENT, headers={"Last-Modified": HEADERS["Last-Modified"]})

    facts = remote_facts(f"{web_server.url}/a", HERE)

    assert (facts.size, facts.in_parts) == (256_000, False)
    assert facts.stamp == "Mon, 01 Jan 2024 10:00:00 GMT:256000"


def test_an_endless_answer_has_no_size(web_server: WebServer) -> None:
    web_server.answers["/a"] = Answer(body=CONTENT, endless=True)

    facts = remote_facts(f"{web_server.url}/a", HERE)

    assert (facts.size, facts.stamp, facts.modified, facts.in_parts) == (None, "", None, False)


def test_an_empty_file_has_no_first_byte(web_server: WebServer) -> None:
    web_server.answers["/a"] = Answer(ranges=True)

    facts = remote_facts(f"{web_server.url}/a", HERE)

    assert (facts.size, facts.in_parts) == (0, True)


@pytest.mark.parametrize(
    "now",
    [
        Answer(body=CONTENT, headers={"ETag": '"2"'}, ranges=True),
        Answer(body=CONTENT[1:], headers=HEADERS, ranges=True),
    ],
)
def test_parts_of_two_versions_are_never_mixed(web_server: WebServer, now: Answer) -> None:
    url = f"{web_server.url}/a"
    web_server.answers["/a"] = Answer(body=CONTENT, headers=HEADERS, ranges=True)
    facts = remote_facts(url, HERE)
    web_server.answers["/a"] = now

    with pytest.raises(ConnectionError, match="it changed while it was read"):
        read_remote_range(url, HERE, facts, 0, 10)


@pytest.mark.parametrize(
    ("status", "kind", "requests"),
    [(404, OSError, 1), (403, OSError, 1), (500, ConnectionError, 3), (429, ConnectionError, 3)],
)
def test_what_may_pass_is_tried_three_times(
    web_server: WebServer, status: int, kind: type[OSError], requests: int
) -> None:
    web_server.answers["/a"] = Answer(status)

    with pytest.raises(OSError, match=f"the server answers {status}") as caught:
        remote_facts(f"{web_server.url}/a", HERE)

    assert type(caught.value) is kind
    assert len(web_server.requests) == requests


def test_a_connection_that_breaks_once_costs_nothing(web_server: WebServer) -> None:
    url = f"{web_server.url}/a"
    whole = Answer(body=CONTENT, headers=HEADERS, ranges=True)
    web_server.answers["/a"] = whole
    facts = remote_facts(url, HERE)
    web_server.answers = OneAfterTheOther([Answer(body=CONTENT, headers=HEADERS, ranges=True, sent=5), whole])

    assert read_remote_range(url, HERE, facts, 20, 10) == CONTENT[20:30]


def test_a_server_that_stalls_is_given_up(web_server: WebServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections_module, "READ_SECONDS", 0.2)
    connections.cache_clear()
    web_server.answers["/a"] = Answer(body=CONTENT, ranges=True, sent=0, stalls=True)

    with pytest.raises(ConnectionError, match="stalled"):
        remote_facts(f"{web_server.url}/a", HERE)
    connections.cache_clear()


def test_a_server_that_trickles_is_given_up(web_server: WebServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(web, "TOTAL_SECONDS", 0)
    web_server.answers["/a"] = Answer(body=CONTENT, ranges=True)

    with pytest.raises(TimeoutError, match="the server is too slow"):
        remote_facts(f"{web_server.url}/a", HERE)


def test_an_object_on_s3(s3: S3) -> None:
    bucket = s3.new_bucket()
    s3.client.put_object(Bucket=bucket.removeprefix("s3://"), Key="films/a", Body=CONTENT)
    uri = f"{bucket}/films/a"

    facts = remote_facts(uri, ())

    assert (facts.size, facts.in_parts) == (256_000, True)
    assert facts.stamp.endswith(":256000")
    assert facts.modified is not None
    assert abs((datetime.now(UTC) - facts.modified).total_seconds()) < 60
    assert read_remote_range(uri, (), facts, 255_990, 10) == CONTENT[-10:]
    s3.client.put_object(Bucket=bucket.removeprefix("s3://"), Key="films/a", Body=CONTENT[1:])
    with pytest.raises(ConnectionError, match="it changed while it was read"):
        read_remote_range(uri, (), facts, 0, 10)


def test_an_object_that_is_not_there(s3: S3) -> None:
    with pytest.raises(OSError, match="it is not there") as caught:
        remote_facts(f"{s3.new_bucket()}/none", ())

    assert not isinstance(caught.value, ConnectionError)
