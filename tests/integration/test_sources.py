"""Every kind of source, through the ingest with its worker processes, and through the command that adds it."""

import io
import os
import tarfile
import zipfile
from collections.abc import Callable
from multiprocessing import forkserver
from pathlib import Path

import pytest

from cv_pipelines.catalog import Catalog
from cv_pipelines.images.ingest import ingest
from cv_pipelines.images.sources.factory import open_source
from cv_pipelines.settings import Settings
from cv_pipelines.storage.bundles import Bundle
from tests.installation import Installation, draw_film
from tests.servers import S3

Contents = dict[str, bytes]


@pytest.fixture(scope="module")
def contents(picture: Callable[..., object], encode: Callable[..., bytes]) -> Contents:
    """Six good files in two classes, one of them twice, and two that are none."""
    names = [f"{label}/{number}.png" for label in ("cat", "dog") for number in range(3)]
    good = {name: encode(picture(seed)) for seed, name in enumerate(names)}
    return {**good, "cat/again.png": good["cat/0.png"], "cat/broken.png": b"no image", "dog/film.mp4": b"film"}


def counts(bundle: Bundle) -> tuple[int, int, int, int]:
    facts = bundle.facts
    assert facts["files"] == facts["images"] + facts["duplicates"] + facts["quarantined"]
    return facts["files"], facts["images"], facts["duplicates"], facts["quarantined"]


def write_zip(path: Path, contents: Contents) -> str:
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in contents.items():
            archive.writestr(name, content)
    return str(path)


def write_tar(path: Path, contents: Contents) -> str:
    with tarfile.open(path, "w:gz") as tar:
        for number, (name, content) in enumerate(contents.items()):
            info = tarfile.TarInfo(name)
            info.size, info.mtime = len(content), number
            tar.addfile(info, io.BytesIO(content))
    return str(path)


def write_bucket(s3: S3, contents: Contents) -> str:
    uri = s3.new_bucket()
    for name, content in contents.items():
        s3.client.put_object(Bucket=uri.removeprefix("s3://"), Key=name, Body=content)
    return uri


@pytest.fixture
def _fresh_workers() -> None:
    """Workers are forked from a process that keeps the environment in which it was started."""
    forkserver._forkserver._stop()  # type: ignore[attr-defined]  # there is no public way


@pytest.mark.usefixtures("_fresh_workers")
@pytest.mark.parametrize("kind", ["zip", "tar.gz", "s3", "table"])
def test_the_same_files_give_the_same_images_wherever_they_lie(
    catalog: Catalog, tmp_path: Path, contents: Contents, kind: str, request: pytest.FixtureRequest
) -> None:
    settings = Settings(state=tmp_path / "state")

    def write(contents: Contents) -> str:
        if kind == "zip":
            return write_zip(tmp_path / "a.zip", contents)
        if kind == "tar.gz":
            return write_tar(tmp_path / "a.tar.gz", contents)
        uri = write_bucket(request.getfixturevalue("s3"), contents)
        if kind == "s3":
            return uri
        rows = [f"{uri}/{name},{name.partition('/')[0]}" for name in contents]
        (tmp_path / "table.csv").write_text("\n".join(["uri,label", *rows]))
        return str(tmp_path / "table.csv")

    source = open_source(write(contents), settings)
    outcome = ingest(catalog, source, workers=2)

    assert counts(outcome.bundle) == (9, 6, 1, 2)
    images = outcome.bundle.table("images").to_pylist()
    assert {row["source_label"] for row in images} == {"cat", "dog"}
    assert sorted(len(row["sources"]) for row in images) == [1, 1, 1, 1, 1, 2]
    assert ingest(catalog, source, workers=2, previous=outcome.reference).reused


def test_an_archive_with_something_of_everything_is_accounted_for(
    catalog: Catalog, tmp_path: Path, contents: Contents
) -> None:
    path = write_zip(
        tmp_path / "a.zip", {**contents, "../up.png": b"1", "/etc/passwd": b"2", "cat/empty.png": b""}
    )
    data = bytearray(Path(path).read_bytes())
    place = data.index(contents["dog/1.png"][100:140])
    data[place : place + 40] = os.urandom(40)
    Path(path).write_bytes(data)

    bundle = ingest(catalog, open_source(path), workers=2).bundle

    assert counts(bundle) == (12, 5, 1, 6)
    reasons = {row["path"]: row["reason"] for row in bundle.table("quarantine").to_pylist()}
    assert "leads out of the archive" in reasons["../up.png"]
    assert "absolute path" in reasons["/etc/passwd"]
    assert "damaged in the archive" in reasons["dog/1.png"]


def test_frames_of_a_video_become_images_named_by_their_time(catalog: Catalog, tmp_path: Path) -> None:
    film = draw_film(tmp_path / "crossing.mp4", frames=70)

    outcome = ingest(catalog, open_source(f"{film}#every=20"), workers=2)

    assert counts(outcome.bundle) == (4, 4, 0, 0)
    rows = outcome.bundle.table("images").to_pylist()
    assert sorted(row["sources"][0] for row in rows) == [
        "crossing.mp4/000000.000000s=0/1",
        "crossing.mp4/000000.666667s=2/3",
        "crossing.mp4/000001.333333s=4/3",
        "crossing.mp4/000002.000000s=2/1",
    ]
    assert {(row["width"], row["height"], row["format"]) for row in rows} == {(96, 64, "PNG")}


def test_adding_says_what_there_is_before_anything_is_stored(
    installation: Installation, tmp_path: Path, contents: Contents
) -> None:
    path = write_zip(tmp_path / "pets.zip", contents)

    told = installation.run("dataset", "add", "pets", path).stdout

    assert f"The archive {path} holds 9 files in 2 classes" in told
    assert "dog/film.mp4" in told
    assert told.index("holds 9 files") < told.index("Added: pets")
    assert installation.json("dataset", "show", "pets")["source"] == path


def test_a_video_is_added_with_the_frames_that_are_wanted(installation: Installation, tmp_path: Path) -> None:
    film = draw_film(tmp_path / "crossing.mp4", frames=90)

    added = installation.json("dataset", "add", "often", str(film), "--every", "10")

    assert (added["kind"], added["files"], added["source"]) == ("video", 9, f"{film}#every=10")
    assert added["facts"]["duration"] == "3.0 s"
    assert installation.json("dataset", "add", "seldom", str(film), "--rate", "1/2")["files"] == 2
    assert (
        "exclude each other"
        in installation.run("dataset", "add", "both", str(film), "--every", "2", "--rate", "1", status=2).stderr
    )


def test_what_cannot_be_a_source_is_refused_in_one_line_and_stored_nowhere(
    installation: Installation, tmp_path: Path
) -> None:
    (tmp_path / "films").mkdir()
    (tmp_path / "films" / "a.mp4").write_bytes(b"film")
    (tmp_path / "empty").mkdir()
    (tmp_path / "a.zip").write_bytes(b"no archive")
    for source, words in [
        (str(tmp_path / "films"), "none can be used. The first, 'a.mp4': a video"),
        (str(tmp_path / "empty"), "There are no files"),
        (str(tmp_path / "a.zip"), "is not a .zip file"),
    ]:
        done = installation.run("dataset", "add", "a", source, status=1)
        assert words in done.stderr
        assert done.stderr.count("\n") == 1
    assert installation.json("dataset", "list") == []
