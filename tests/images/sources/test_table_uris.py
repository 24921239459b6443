"""A table whose rows lie in several places."""

from pathlib import Path

import pytest

from cv_pipelines.images.sources.protocol import SourceItem
from cv_pipelines.images.sources.table import CsvSource
from tests.servers import S3
from tests.web_server import Answer, WebServer

HERE = ("127.0.0.1",)


def table_of(folder: Path, *rows: str, header: str = "uri,label,split") -> CsvSource:
    (folder / "table.csv").write_text("\n".join([header, *rows, ""]))
    return CsvSource(folder / "table.csv", HERE, threads=4)


def test_rows_name_files_objects_and_urls(tmp_path: Path, s3: S3, web_server: WebServer) -> None:
    (tmp_path / "1.png").write_bytes(b"local")
    bucket = s3.new_bucket()
    s3.client.put_object(Bucket=bucket.removeprefix("s3://"), Key="a b/ä.png", Body=b"object")
    web_server.answers["/3.png"] = Answer(body=b"web", headers={"ETag": '"v1"'})
    uris = ["1.png", f"{bucket}/a b/ä.png", f"{web_server.url}/3.png?size=large"]
    source = table_of(tmp_path, *(f"{uri},cat,train" for uri in uris))

    items = list(source.items())

    assert [item.path for item in items] == uris
    assert [(item.label, item.split, item.problem) for item in items] == [("cat", "train", "")] * 3
    assert [source.read(item) for item in items] == [b"local", b"object", b"web"]
    assert all(item.stamp for item in items)
    assert items[2].stamp == '"v1"'


def test_an_address_that_can_be_none_is_a_row_that_cannot_be_read(tmp_path: Path) -> None:
    source = table_of(tmp_path, "http://a..b/x.png,cat,train", f"http://{'a' * 64}.example/x.png,cat,train")

    for item in source.items():
        with pytest.raises(OSError, match="no server of this name"):
            source.read(item)


def test_an_object_is_recognised_by_its_etag_and_one_that_changes_is_noticed(tmp_path: Path, s3: S3) -> None:
    bucket = s3.new_bucket()
    source = table_of(tmp_path, f"{bucket}/1.png,,")

    def put(content: bytes) -> SourceItem:
        s3.client.put_object(Bucket=bucket.removeprefix("s3://"), Key="1.png", Body=content)
        (item,) = source.items()
        return item

    first = put(b"first")
    assert put(b"first") == first
    put(b"other")
    with pytest.raises(OSError, match="changed while it was read"):
        source.read(first)


def test_rows_keep_their_order_however_slow_a_server_is(tmp_path: Path, web_server: WebServer) -> None:
    (tmp_path / "local.png").write_bytes(b"local")
    for number in range(30):
        web_server.answers[f"/{number}.png"] = Answer(body=b"x", headers={"ETag": f'"{number}"'})
    rows = [f"{web_server.url}/{number}.png,," for number in range(30)]
    source = table_of(tmp_path, *rows[:15], "local.png,,", *rows[15:])

    assert [item.path for item in source.items()] == [
        row.rstrip(",") for row in [*rows[:15], "local.png", *rows[15:]]
    ]


@pytest.mark.parametrize("status", [404, 403, 405, 500, 302])
def test_a_url_that_does_not_tell_its_version_is_read_each_time(
    tmp_path: Path, web_server: WebServer, status: int
) -> None:
    web_server.answers["/1.png"] = Answer(status, b"content")
    source = table_of(tmp_path, f"{web_server.url}/1.png,,")

    (item,) = source.items()

    assert (item.stamp, item.problem) == ("", "")
    with pytest.raises(OSError, match=str(status)):
        source.read(item)


@pytest.mark.parametrize(
    ("uri", "words"),
    [
        ("ftp://host/1.png", "use s3://, http:// or https://"),
        ("file:///etc/passwd", "use s3://, http:// or https://"),
        ("gopher://host/1", "use s3://, http:// or https://"),
        ("http://host", "names no file"),
        ("http:///1.png", "names no file"),
        ("s3://bucket", "names no file"),
        ("s3://bucket/", "names no file"),
        ("http://host:port/1.png", "makes no sense"),
        ("http://[::1/1.png", "makes no sense"),
        ("http://user:secret@host/1.png", "a password in its address"),
        ("/etc/passwd", "outside the folder"),
        ("../1.png", "outside the folder"),
    ],
)
def test_an_address_that_cannot_be_one_is_the_problem_of_its_row(tmp_path: Path, uri: str, words: str) -> None:
    (tmp_path / "1.png").write_bytes(b"1")

    bad, good = table_of(tmp_path, f"{uri},cat,", "1.png,cat,").items()

    assert bad.problem.startswith("line 2 ")
    assert words in bad.problem
    assert good.problem == ""


def test_a_private_address_is_asked_for_nothing(tmp_path: Path, web_server: WebServer) -> None:
    web_server.answers["/1.png"] = Answer(body=b"content")
    (tmp_path / "table.csv").write_text(f"uri\n{web_server.url}/1.png\n")
    source = CsvSource(tmp_path / "table.csv")

    (item,) = source.items()

    with pytest.raises(OSError, match="is not a public address"):
        source.read(item)
    assert web_server.requests == []


def test_where_there_are_both_columns_the_address_counts_and_a_row_without_one_has_its_path(
    tmp_path: Path, web_server: WebServer
) -> None:
    (tmp_path / "1.png").write_bytes(b"local")
    web_server.answers["/1.png"] = Answer(body=b"web")
    source = table_of(tmp_path, f"1.png,{web_server.url}/1.png", "1.png,", header="path,uri")

    assert [source.read(item) for item in source.items()] == [b"web", b"local"]
