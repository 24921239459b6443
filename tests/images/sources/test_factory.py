import zipfile
from fractions import Fraction
from pathlib import Path

import pytest

from cv_pipelines.errors import InputError
from cv_pipelines.images.sources.archive import ArchiveSource
from cv_pipelines.images.sources.factory import open_source
from cv_pipelines.images.sources.folder import FolderSource
from cv_pipelines.images.sources.s3 import S3Source
from cv_pipelines.images.sources.sampling import Sampling
from cv_pipelines.images.sources.table import CsvSource
from cv_pipelines.images.sources.video import VideoSource
from cv_pipelines.settings import Settings


def test_what_is_there_decides_the_source(tmp_path: Path) -> None:
    (tmp_path / "classes" / "cat").mkdir(parents=True)
    (tmp_path / "table").mkdir()
    (tmp_path / "table" / "labels.csv").write_text("path\n")
    (tmp_path / "Export.CSV").write_text("path\n")
    for name in ("Photos.ZIP", "photos.tar", "photos.tar.gz", "photos.tgz", "film.MP4"):
        (tmp_path / name).touch()
    settings = Settings(state=tmp_path / "state")

    def opened(name: str) -> object:
        return open_source(str(tmp_path / name), settings)

    assert opened("classes") == FolderSource(tmp_path / "classes")
    assert opened("table") == CsvSource(tmp_path / "table" / "labels.csv")
    assert opened("Export.CSV") == CsvSource(tmp_path / "Export.CSV")
    assert opened("film.MP4") == VideoSource(tmp_path / "film.MP4")
    for name in ("Photos.ZIP", "photos.tar", "photos.tar.gz", "photos.tgz"):
        assert opened(name) == ArchiveSource(tmp_path / name, tmp_path / "state" / "cache" / "archives")


@pytest.mark.parametrize(
    ("uri", "prefix"),
    [("s3://photos", ""), ("s3://photos/", ""), ("s3://photos/a/b", "a/b/"), ("S3://photos/a/", "a/")],
)
def test_a_prefix_is_a_folder_of_a_bucket(uri: str, prefix: str) -> None:
    assert open_source(uri) == S3Source("photos", prefix)


@pytest.mark.parametrize(
    ("options", "sampling"),
    [
        ("", Sampling(rate=Fraction(1))),
        ("#every=10", Sampling(every=10)),
        ("#rate=2", Sampling(rate=Fraction(2))),
        ("#rate=1/3", Sampling(rate=Fraction(1, 3))),
        ("#rate=0.5", Sampling(rate=Fraction(1, 2))),
    ],
)
def test_behind_a_video_stands_which_frames(tmp_path: Path, options: str, sampling: Sampling) -> None:
    (tmp_path / "film.mp4").touch()

    assert open_source(f"{tmp_path}/film.mp4{options}") == VideoSource(tmp_path / "film.mp4", sampling)


@pytest.mark.parametrize("options", ["every=0", "every=x", "every=-2", "rate=0", "rate=1/0", "rate=", "often"])
def test_options_that_say_nothing_are_refused_with_an_example(tmp_path: Path, options: str) -> None:
    (tmp_path / "film.mp4").touch()

    with pytest.raises(InputError, match=r"#every=10 \(each tenth\) or #rate=2"):
        open_source(f"{tmp_path}/film.mp4#{options}")


def test_a_sign_in_a_name_begins_no_options(tmp_path: Path) -> None:
    (tmp_path / "take #2").mkdir()
    (tmp_path / "take #2" / "film #1.mp4").touch()

    assert open_source(str(tmp_path / "take #2")) == FolderSource(tmp_path / "take #2")
    video = open_source(f"{tmp_path}/take #2/film #1.mp4#every=5")
    assert video == VideoSource(tmp_path / "take #2" / "film #1.mp4", Sampling(every=5))


def test_only_videos_have_options(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="says which frames of a video"):
        open_source(f"{tmp_path}#every=2")


@pytest.mark.parametrize("name", ["nothing", "nothing.csv", "nothing.zip", "nothing.mp4", "picture.png"])
def test_anything_else_is_refused_with_what_is_possible(tmp_path: Path, name: str) -> None:
    (tmp_path / "picture.png").write_bytes(b"")

    with pytest.raises(InputError, match=f"{name}' is neither a folder nor a .csv file, an archive") as caught:
        open_source(str(tmp_path / name))

    assert caught.value.code == "no_source"


def test_an_address_that_cannot_be_listed_belongs_into_a_table() -> None:
    with pytest.raises(InputError, match="into a CSV file, column 'uri'"):
        open_source("https://example.org/photos/")
    with pytest.raises(InputError, match="names no bucket"):
        open_source("s3:///photos")


def test_a_table_with_addresses_is_read_with_many_threads_and_one_without_with_one(tmp_path: Path) -> None:
    (tmp_path / "local.csv").write_text("path\n")
    (tmp_path / "remote.csv").write_text("label,uri\n")
    (tmp_path / "broken.csv").write_bytes(b"\xff\xfe\x00")

    assert open_source(str(tmp_path / "local.csv")).threads == 1
    assert open_source(str(tmp_path / "remote.csv")).threads == 16
    assert open_source(str(tmp_path / "broken.csv")).threads == 1


def test_settings_say_which_addresses_a_table_may_name(tmp_path: Path) -> None:
    (tmp_path / "remote.csv").write_text("uri\n")

    source = open_source(str(tmp_path / "remote.csv"), Settings(url_allow=("minio.lan",)))

    assert isinstance(source, CsvSource)
    assert source.url_allow == ("minio.lan",)


def test_an_archive_is_not_opened_before_it_is_listed(tmp_path: Path) -> None:
    (tmp_path / "no.zip").write_bytes(b"no archive")
    source = open_source(str(tmp_path / "no.zip"))

    with pytest.raises(InputError, match=r"is not a \.zip file"):
        list(source.items())
    with zipfile.ZipFile(tmp_path / "no.zip", "w") as archive:
        archive.writestr("cat/1.png", b"1")
    assert [item.path for item in source.items()] == ["cat/1.png"]
