"""Uploading into data sets: what is taken, what is refused and why, and that nothing is lost or replaced."""

import hashlib
import io
import os
import signal
import tarfile
import threading
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import uuid4

import httpx
import numpy as np
import psutil
import pytest
from numpy.typing import NDArray

from cv_pipelines.database.engine import open_database
from cv_pipelines.images.datasets import find_dataset
from cv_pipelines.images.sources.factory import open_source
from cv_pipelines.tasks.ledger.ledger import Ledger
from cv_pipelines.tasks.ledger.queries import find_task
from cv_pipelines.web.tokens import Role, create_token
from tests.installation import Installation, wait_for
from tests.servers import S3
from tests.web_site import Site, serve_web

Encode = Callable[..., bytes]
Picture = Callable[..., NDArray[np.uint8]]


@pytest.fixture
def annotator(site: Site, client: httpx.Client) -> httpx.Client:
    client.headers.update(site.bearer("annotator"))
    return client


@pytest.fixture
def new() -> str:
    """A name that no data set has."""
    return f"new-{uuid4().hex[:12]}"


@pytest.fixture(scope="session")
def png(picture: Picture, encode: Encode) -> Callable[[int], bytes]:
    return lambda seed: encode(picture(seed, 40, 30))


def put(
    client: httpx.Client, dataset: str, name: str, data: bytes | Iterator[bytes], **headers: str
) -> httpx.Response:
    return client.put(f"/upload/{dataset}/files", params={"name": name}, content=data, headers=headers)


def listed(site: Site, dataset: str) -> dict[str, tuple[str | None, str]]:
    """What the source of a data set holds: class and problem by name."""
    source = open_source(find_dataset(site.catalog.database, dataset).source)
    return {one.path: (one.label, one.problem) for one in source.items()}


def packed(files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return buffer.getvalue()


def test_files_become_a_data_set_whose_source_sees_their_names(
    site: Site, annotator: httpx.Client, new: str, png: Callable[[int], bytes]
) -> None:
    answers = [
        put(annotator, new, name, png(n))
        for n, name in enumerate(["rose/1.png", "rose/ä é.png", "tulip\\1.png", "0.png"])
    ]

    assert [one.status_code for one in answers] == [201] * 4
    assert listed(site, new) == {
        "0.png": (None, ""),
        "rose/1.png": ("rose", ""),
        "rose/ä é.png": ("rose", ""),
        "tulip/1.png": ("tulip", ""),
    }
    source = open_source(find_dataset(site.catalog.database, new).source)
    assert {source.read(one) for one in source.items()} == {png(n) for n in range(4)}


def test_a_file_twice_is_one_and_another_of_its_name_replaces_nothing(
    site: Site, annotator: httpx.Client, new: str, png: Callable[[int], bytes]
) -> None:
    first, again, other, other_again = (put(annotator, new, "rose/1.png", png(n)).json() for n in (1, 1, 2, 2))

    digest = hashlib.sha256(png(2)).hexdigest()[:8]
    assert [one["new"] for one in (first, again, other, other_again)] == [1, 0, 1, 0]
    assert other["names"] == other_again["names"] == [f"rose/1 ({digest}).png"]
    assert set(listed(site, new)) == {"rose/1.png", f"rose/1 ({digest}).png"}


@pytest.mark.parametrize(
    "name",
    [
        "../1.png", "a/../../1.png", "/etc/1.png", "C:\\1.png", "", "/", ".", "..", ".hidden/1.png", "Thumbs.db",
        "a\x011.png", "a\n1.png", "\u202egnp.1", "x" * 201 + ".png", "a/" * 400 + "1.png", "labels.csv",
        "a/Labels.CSV", "film.mp4", "more.7z",
    ],
)  # fmt: skip
def test_names_that_lead_elsewhere_or_hide_something_are_refused(
    site: Site, annotator: httpx.Client, new: str, name: str, png: Callable[[int], bytes]
) -> None:
    answer = put(annotator, new, name, png(0))

    assert (answer.status_code, answer.json()["code"]) == (422, "upload_name")
    assert not (site.installation.state / "store" / "uploads" / new).exists()


def test_a_file_cannot_stand_where_a_folder_does(
    annotator: httpx.Client, new: str, png: Callable[[int], bytes]
) -> None:
    assert put(annotator, new, "rose/1.png", png(0)).status_code == 201
    assert put(annotator, new, "rose/1.png/2.png", png(1)).json()["code"] == "upload_name"


def test_an_archive_is_unpacked_without_its_wrapper_and_says_what_it_does_not_take(
    site: Site, annotator: httpx.Client, new: str, png: Callable[[int], bytes]
) -> None:
    files = {f"photos/{kind}/{n}.png": png(n) for n, kind in enumerate(["rose", "tulip", "rose"])}
    bad = {"photos/../../evil.png": png(8), "photos/rose/labels.csv": b"path\n", "photos/rose/film.mp4": b"-"}
    bad |= {"photos/rose/\x07.png": png(9), "photos/rose/zeros.png": bytes(70 * 1024**2)}
    answer = put(annotator, new, "photos.zip", packed(files | bad))

    assert answer.status_code == 201
    taken = answer.json()
    assert (taken["files"], taken["new"], taken["refusals"]) == (3, 3, 5)
    reasons = {one["name"].rpartition("/")[2]: one["reason"] for one in taken["refused"]}
    assert "leads out" in reasons["evil.png"]
    assert "bomb" in reasons["zeros.png"]
    assert "video" in reasons["film.mp4"]
    assert set(listed(site, new)) == {"rose/0.png", "tulip/1.png", "rose/2.png"}
    assert put(annotator, new, "photos.zip", packed(files | bad)).json()["new"] == 0


def server_at(url: str) -> psutil.Process:
    """The process that listens there."""
    port = int(url.rpartition(":")[2])
    for process in psutil.Process().children(recursive=True):
        if any(one.laddr.port == port and one.status == "LISTEN" for one in process.net_connections("tcp")):
            return process
    raise AssertionError(url)


def test_a_compressed_tar_is_unpacked_too(
    site: Site, annotator: httpx.Client, new: str, png: Callable[[int], bytes]
) -> None:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        info = tarfile.TarInfo("rose/1.png")
        info.size = len(png(0))
        archive.addfile(info, io.BytesIO(png(0)))

    assert put(annotator, new, "ROSES.TAR.GZ", buffer.getvalue()).status_code == 201
    assert listed(site, new) == {"rose/1.png": ("rose", "")}


def bomb() -> bytes:
    """60 MiB of zeros in each of three members that alone would be harmless, and so many of them are not."""
    return packed({f"{n}.png": bytes(60 * 1024**2) for n in range(3)})


def test_a_bomb_is_refused_with_the_reason_of_archives(annotator: httpx.Client, new: str) -> None:
    answers = [
        put(annotator, new, "photos.zip", bomb()),
        put(annotator, new, "photos.zip", b"PK\x03\x04 and no more"),
    ]

    assert [(one.status_code, one.json()["code"]) for one in answers] == [
        (422, "archive_bomb"),
        (422, "bad_archive"),
    ]
    assert "'photos.zip' unpacks to" in answers[0].json()["detail"], (
        "people know it by the name that they have sent"
    )
    assert answers[1].json()["detail"].startswith("'photos.zip' is not a .zip file")
    assert "incoming" not in answers[0].text + answers[1].text, (
        "where files lie on the server is nobody's business"
    )


def test_a_data_set_with_a_place_of_its_own_gets_no_uploads(
    annotator: httpx.Client, png: Callable[[int], bytes]
) -> None:
    assert put(annotator, "shapes", "1.png", png(0)).json()["code"] == "not_uploaded"
    assert annotator.post("/upload/shapes/ingest").json()["code"] == "not_uploaded"
    assert put(annotator, "..", "1.png", png(0)).status_code in (404, 422)
    assert put(annotator, "UPPER", "1.png", png(0)).json()["code"] == "dataset_name"


@pytest.mark.parametrize(("role", "status"), [("viewer", 403), (None, 401)])
def test_who_may_only_look_or_is_nobody_uploads_nothing(
    site: Site, client: httpx.Client, new: str, role: str | None, status: int
) -> None:
    headers = site.bearer(role) if role else {}
    for method, path in [("PUT", "files?name=1.png"), ("POST", "ingest"), ("GET", "")]:
        answer = client.request(method, f"/upload/{new}/{path}".rstrip("/"), headers=headers)
        assert answer.status_code == status, path
    assert client.get("/upload", headers=headers).status_code == status
    assert not (site.installation.state / "store" / "uploads" / new).exists()


def test_a_session_uploads_only_with_its_own_csrf_token(site: Site, client: httpx.Client, new: str) -> None:
    client.post("/login", data={"token": site.tokens["annotator"]})
    forged = put(client, new, "1.png", b"-")
    as_form = put(client, new, "1.png", b"csrf=1", **{"Content-Type": "application/x-www-form-urlencoded"})
    elsewhere = put(client, new, "1.png", b"-", Origin="https://evil.example")

    assert [one.json()["code"] for one in (forged, as_form, elsewhere)] == ["csrf", "csrf", "origin"]


@pytest.mark.parametrize("told", [True, False])
def test_a_file_that_is_too_large_is_refused_before_or_while_it_comes_and_memory_stays(
    site: Site, new: str, told: bool
) -> None:
    piece, most, sent = bytes(1024**2), 300, 0

    def endless() -> Iterator[bytes]:
        nonlocal sent
        while sent < 2048:  # 2 GiB
            sent += 1
            yield piece

    with site.serve(CV_WEB_UPLOAD_MB=str(most)) as url, httpx.Client(base_url=url, timeout=60) as client:
        client.headers.update(site.bearer("annotator"))
        client.get("/datasets")
        server = server_at(url)
        before, peak, ended = server.memory_info().rss, 0, threading.Event()

        def watch() -> None:
            nonlocal peak
            while not ended.wait(0.02):
                peak = max(peak, server.memory_info().rss)

        watching = threading.Thread(target=watch)
        watching.start()
        length = {"Content-Length": str(2 * 1024**3)} if told else {}
        try:
            answer = put(client, new, "photos.zip", endless(), **length)
            assert (answer.status_code, answer.json()["code"]) == (413, "too_large")
        except httpx.WriteError:
            pass  # it has hung up on us, which a client may see before the answer
        ended.set()
        watching.join()
        assert client.get("/healthy").text == "ok"

    assert sent < (64 if told else most + 64)
    assert peak - before < 64 * 1024**2
    assert list((site.installation.state / "cache" / "incoming").glob("*")) == []
    assert not (site.installation.state / "store" / "uploads" / new).exists()


def test_an_image_may_have_as_much_as_a_source_reads(annotator: httpx.Client, new: str) -> None:
    pieces = iter(lambda: bytes(1024**2), b"")
    answer = put(annotator, new, "1.png", pieces, **{"Content-Length": str(600 * 1024**2)})

    assert (answer.status_code, answer.json()["code"]) == (413, "too_large")
    assert "512 MiB" in answer.json()["detail"]


def test_a_data_set_gets_no_more_than_it_may(site: Site, new: str) -> None:
    half = os.urandom(700 * 1024)
    with site.serve(CV_WEB_DATASET_MB="1") as url, httpx.Client(base_url=url, timeout=60) as client:
        client.headers.update(site.bearer("annotator"))
        first, second = (put(client, new, name, half) for name in ("1.png", "2.png"))
        packed_up = put(client, new, "more.zip", packed({"3.png": bytes(500 * 1024)}))

    assert (first.status_code, second.status_code, packed_up.status_code) == (201, 413, 413)
    assert second.json()["code"] == packed_up.json()["code"] == "dataset_full"
    assert set(listed(site, new)) == {"1.png"}


def test_what_was_cut_off_or_killed_half_way_is_nowhere_and_can_be_sent_again(
    site: Site, new: str, png: Callable[[int], bytes]
) -> None:
    half, go_on = threading.Event(), threading.Event()

    def slowly() -> Iterator[bytes]:
        yield bytes(2 * 1024**2)
        half.set()
        go_on.wait(30)
        yield b"rest"

    def send(url: str) -> None:
        with (
            httpx.Client(base_url=url, timeout=60, headers=site.bearer("annotator")) as client,
            pytest.raises(httpx.TransportError),
        ):
            put(client, new, "rose/2.png", slowly(), **{"Content-Length": str(2 * 1024**2 + 4)})

    with site.serve() as url, httpx.Client(base_url=url, timeout=60, headers=site.bearer("annotator")) as client:
        assert put(client, new, "rose/1.png", png(1)).status_code == 201
        sending = threading.Thread(target=send, args=[url])
        sending.start()
        half.wait(30)
        incoming = site.installation.state / "cache" / "incoming"
        wait_for(lambda: any(incoming.glob("*/*")))
        server = server_at(url)
        server.send_signal(signal.SIGKILL)
        server.wait(30)
        go_on.set()
        sending.join()
    assert set(listed(site, new)) == {"rose/1.png"}

    assert any(incoming.glob("*"))
    with site.serve() as url, httpx.Client(base_url=url, timeout=60, headers=site.bearer("annotator")) as client:
        assert put(client, new, "rose/2.png", png(2)).status_code == 201
        assert list(incoming.glob("*")) == []
    assert set(listed(site, new)) == {"rose/1.png", "rose/2.png"}


def test_an_ingest_is_handed_in_once_and_its_state_is_shown(
    site: Site, annotator: httpx.Client, new: str, png: Callable[[int], bytes]
) -> None:
    assert annotator.post(f"/upload/{new}/ingest").json()["code"] == "no_files"
    put(annotator, new, "rose/1.png", png(0))
    first, again = (annotator.post(f"/upload/{new}/ingest").json()["task"] for _ in range(2))

    assert first["task_id"] == again["task_id"]
    task = find_task(Ledger(site.catalog.database), first["task_id"])
    assert (task.kind, task.params, task.submitted_by) == ("ingest_dataset", {"dataset": new}, "annotator")
    told = annotator.get(f"/upload/{new}").json()
    assert (told["files"], told["bytes"], told["task"]["state"]) == (1, len(png(0)), "queued")
    page = annotator.get("/datasets", params={"q": new}).text
    assert "waiting to be ingested" in page
    assert f"/upload?dataset={new}" in page
    assert 'href="/datasets/shapes"' not in page


def test_uploads_go_into_the_bucket_where_the_store_is_one(
    s3: S3, tmp_path: Path, png: Callable[[int], bytes]
) -> None:
    bucket = s3.new_bucket()
    installation = Installation(tmp_path, {**s3.environment, "CV_STORE_URL": f"{bucket}/cv"})
    database = open_database(f"sqlite:///{tmp_path / 'cv.sqlite'}")
    token = create_token(database, "ann", Role.ANNOTATOR, "test")
    headers = {"Authorization": f"Bearer {token}"}
    with serve_web(installation) as url, httpx.Client(base_url=url, timeout=60, headers=headers) as client:
        new = [put(client, "flowers", "rose/ä.png", png(n)).json()["new"] for n in (1, 1, 2)]
        new.append(
            put(
                client, "flowers", "all.zip", packed({"all/tulip/1.png": png(3), "all/rose/ä.png": png(1)})
            ).json()["new"]
        )
        assert client.post("/upload/flowers/ingest").status_code == 202

    dataset = find_dataset(database, "flowers")
    source = open_source(dataset.source)
    found = {one.path: source.read(one) for one in source.items()}
    database.dispose()
    digest = hashlib.sha256(png(2)).hexdigest()[:8]
    assert dataset.source == f"{bucket}/cv/uploads/flowers"
    assert new == [1, 0, 1, 1]
    assert found == {"rose/ä.png": png(1), f"rose/ä ({digest}).png": png(2), "tulip/1.png": png(3)}
