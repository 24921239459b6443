"""Files that strangers name: what is read, what is refused, and what may be tried again."""

import os
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from cv_pipelines.errors import InfrastructureError, InputError
from cv_pipelines.images.sources.files import MAX_BYTES
from cv_pipelines.storage.s3_client import s3_client
from cv_pipelines.tasks.work import image_files
from cv_pipelines.tasks.work.image_files import read_uri
from tests.installation import free_port
from tests.servers import S3

HERE = ("127.0.0.1",)
Serve = Callable[[dict[str, bytes | int]], str]


@pytest.fixture
def allowed(tmp_path: Path) -> Path:
    folder = tmp_path / "allowed"
    (folder / "deep").mkdir(parents=True)
    return folder.resolve()


def code_of(uri: str, allowed: Path | None = None) -> str:
    """The code of the input error that reading ends with."""
    with pytest.raises(InputError) as caught:
        read_uri(uri, HERE, (str(allowed),) if allowed else ())
    return caught.value.code


@pytest.mark.parametrize("name", ["1.png", "deep/größe 1#2?.png", "100%25.png"])
def test_a_file_below_an_allowed_folder_is_read(allowed: Path, name: str) -> None:
    (allowed / name).write_bytes(b"content")

    assert read_uri((allowed / name).as_uri(), (), ("/nowhere", str(allowed))) == b"content"
    assert read_uri(f"file://localhost{(allowed / name).as_uri()[7:]}", (), (str(allowed),)) == b"content"


def test_a_file_elsewhere_is_forbidden_and_nobody_learns_whether_it_exists(allowed: Path, tmp_path: Path) -> None:
    (tmp_path / "secret.png").write_bytes(b"content")
    (tmp_path / "allowed2").mkdir()
    (tmp_path / "allowed2" / "1.png").write_bytes(b"content")
    there, not_there = (tmp_path / "secret.png").as_uri(), (tmp_path / "none.png").as_uri()

    texts = set()
    for uri in (there, not_there, f"{allowed.as_uri()}/../secret.png", f"{allowed.as_uri()}/%2e%2e/secret.png"):
        with pytest.raises(InputError, match="CV_FILE_ALLOW") as caught:
            read_uri(uri, (), (str(allowed),))
        texts.add((caught.value.code, caught.value.user_message))
    assert len(texts) == 1
    for uri in (there, (tmp_path / "allowed2" / "1.png").as_uri(), allowed.as_uri(), "file:///etc/passwd"):
        assert code_of(uri, allowed) == "forbidden_file"
    assert code_of(there) == "forbidden_file"  # where no folder is open


def test_links_are_followed_inside_the_folder_and_not_out_of_it(allowed: Path, tmp_path: Path) -> None:
    (tmp_path / "secret.png").write_bytes(b"secret")
    (allowed / "1.png").write_bytes(b"content")
    (allowed / "deep" / "in.png").symlink_to("../1.png")
    (allowed / "out.png").symlink_to(tmp_path / "secret.png")
    (allowed / "up").symlink_to(tmp_path)

    assert read_uri((allowed / "deep" / "in.png").as_uri(), (), (str(allowed),)) == b"content"
    assert code_of((allowed / "out.png").as_uri(), allowed) == "forbidden_file"
    assert code_of(f"{allowed.as_uri()}/up/secret.png", allowed) == "forbidden_file"


@pytest.mark.parametrize("place", ["1.png", "deep/1.png"])
def test_a_link_put_there_after_the_check_is_not_followed(
    allowed: Path, tmp_path: Path, place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The path is looked at as if it held no link, as it did a moment before."""
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "1.png").write_bytes(b"secret")
    target = allowed / Path(place).parts[0]
    if target.is_dir():
        target.rmdir()
    target.symlink_to(tmp_path / "elsewhere" / ("" if place.startswith("deep") else "1.png"))
    monkeypatch.setattr(os.path, "realpath", lambda path: path)
    monkeypatch.setattr(image_files, "look_at", lambda *_: ("", "", None))

    assert code_of((allowed / place).as_uri(), allowed) == "unreadable"


def test_what_is_no_regular_file_is_not_opened(allowed: Path) -> None:
    os.mkfifo(allowed / "pipe.png")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(allowed / "s.png"))

    for name in ("pipe.png", "s.png", "deep"):
        assert code_of((allowed / name).as_uri(), allowed) == "unreadable"


def test_a_file_that_is_too_large_or_missing_or_below_a_file_is_unreadable(allowed: Path) -> None:
    with (allowed / "large.png").open("wb") as file:
        file.truncate(MAX_BYTES + 1)

    with pytest.raises(InputError, match="larger than 512 MiB"):
        read_uri((allowed / "large.png").as_uri(), (), (str(allowed),))
    with pytest.raises(InputError, match="No such file"):
        read_uri((allowed / "none.png").as_uri(), (), (str(allowed),))
    assert code_of((allowed / "large.png" / "1.png").as_uri(), allowed) == "unreadable"
    assert code_of(f"{allowed.as_uri()}/{'n' * 300}", allowed) == "unreadable"


@pytest.mark.parametrize(
    "uri",
    [
        "file://1.png",
        "file://host/1.png",
        "file:///",
        "file:///a%00b.png",
        "http://[::1/1.png",
        "http://host:port/1.png",
        "http://user:password@127.0.0.1/1.png",
        "https://127.0.0.1",
        "s3://bucket",
    ],
)
def test_an_address_that_makes_no_sense_is_refused(uri: str, allowed: Path) -> None:
    assert code_of(uri, allowed) == "bad_address"


def test_a_broken_disk_may_be_mended(allowed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (allowed / "1.png").write_bytes(b"content")

    def fail(*_: object) -> int:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(image_files, "_open_below", fail)
    with pytest.raises(InfrastructureError, match="Input/output error"):
        read_uri((allowed / "1.png").as_uri(), (), (str(allowed),))


def test_what_a_server_refuses_stays_so_and_what_it_cannot_do_now_may_pass(serve: Serve) -> None:
    url = serve({"/1.png": b"content", "/403.png": 403, "/500.png": 500, "/429.png": 429, "/301.png": 301})

    assert read_uri(f"{url}/1.png", HERE, ()) == b"content"
    assert code_of(f"{url}/403.png") == code_of(f"{url}/404.png") == code_of(f"{url}/301.png") == "unreadable"
    for status in (500, 429):
        with pytest.raises(InfrastructureError, match=f"the server answers {status}") as caught:
            read_uri(f"{url}/{status}.png", HERE, ())
        assert caught.value.code == "unreachable"
    with pytest.raises(InfrastructureError, match="cannot be reached"):
        read_uri(f"http://127.0.0.1:{free_port()}/1.png", HERE, ())


def test_a_server_that_is_not_public_is_not_asked(serve: Serve) -> None:
    url = serve({"/1.png": b"content"})

    with pytest.raises(InputError, match="is not a public address") as caught:
        read_uri(f"{url}/1.png", (), ())
    assert caught.value.code == "unreadable"


def test_an_object_that_is_missing_stays_so_and_a_store_that_is_away_may_come_back(
    s3: S3, monkeypatch: pytest.MonkeyPatch
) -> None:
    bucket = s3.new_bucket()
    s3.client.put_object(Bucket=bucket.removeprefix("s3://"), Key="a/1.png", Body=b"content")

    assert read_uri(f"{bucket}/a/1.png", (), ()) == b"content"
    assert code_of(f"{bucket}/a/2.png") == code_of("s3://none/1.png") == "unreadable"

    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{free_port()}")
    s3_client.cache_clear()
    with pytest.raises(InfrastructureError, match="cannot be reached"):
        read_uri(f"{bucket}/a/1.png", (), ())
