"""Archives as people make them, in every format."""

import io
import os
import pickle
import tarfile
import threading
import zipfile
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Literal

import pytest

from cv_pipelines.errors import InputError
from cv_pipelines.images.sources.archive import ArchiveSource, is_archive
from cv_pipelines.images.sources.protocol import SourceItem

FORMATS = ["a.zip", "a.tar", "a.tar.gz", "a.tgz", "a.tar.bz2", "a.tar.xz"]
Kind = Literal["w", "w:gz", "w:bz2", "w:xz"]
Pack = Callable[[str, Mapping[str, bytes]], ArchiveSource]


@pytest.fixture
def pack(tmp_path: Path) -> Pack:
    """`pack(name, {member: content})`: the source of an archive."""

    def make(name: str, files: Mapping[str, bytes]) -> ArchiveSource:
        path = tmp_path / name
        if path.suffix == ".zip":
            with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
                for member, content in files.items():
                    archive.writestr(member, content)
        else:
            kinds: dict[str, Kind] = {".gz": "w:gz", ".tgz": "w:gz", ".bz2": "w:bz2", ".xz": "w:xz"}
            with tarfile.open(path, kinds.get(path.suffix, "w")) as tar:
                for number, (member, content) in enumerate(files.items()):
                    info = tarfile.TarInfo(member)
                    info.type = tarfile.DIRTYPE if member.endswith("/") else tarfile.REGTYPE
                    info.size, info.mtime = len(content), 1_700_000_000 + number
                    tar.addfile(info, io.BytesIO(content))
        return ArchiveSource(path, tmp_path / "scratch")

    return make


def named(*names: str) -> dict[str, bytes]:
    return {name: name.encode() * 10 for name in names}


def listed(source: ArchiveSource) -> dict[str, SourceItem]:
    return {item.path: item for item in source.items()}


@pytest.mark.parametrize("name", FORMATS)
def test_class_folders_give_the_labels_and_every_file_can_be_read(pack: Pack, name: str) -> None:
    files = named("cat/1.png", "cat/garden/roof/2.png", "dog/größe.png", "loose.png")
    source = pack(name, files)

    items = listed(source)

    assert {path: (item.label, item.split, item.group, item.size) for path, item in items.items()} == {
        "cat/1.png": ("cat", None, "", 90),
        "cat/garden/roof/2.png": ("cat", None, "garden/roof", 210),
        "dog/größe.png": ("dog", None, "", 150),
        "loose.png": (None, None, "", 90),
    }
    assert {path: source.read(item) for path, item in items.items()} == files
    assert all(item.stamp and not item.problem for item in items.values())


@pytest.mark.parametrize("name", FORMATS)
def test_the_order_is_that_of_the_names(pack: Pack, name: str) -> None:
    assert list(listed(pack(name, named("b/2.png", "a/1.png", "b/1.png", "0.png")))) == [
        "0.png",
        "a/1.png",
        "b/1.png",
        "b/2.png",
    ]


@pytest.mark.parametrize("name", ["a.zip", "a.tar"])
def test_split_folders_stand_above_class_folders(pack: Pack, name: str) -> None:
    items = listed(pack(name, named("train/cat/1.png", "test/cat/2.png", "readme.txt", "__MACOSX/cat/._1.png")))

    assert {path: (item.label, item.split) for path, item in items.items()} == {
        "readme.txt": (None, None),
        "test/cat/2.png": ("cat", "test"),
        "train/cat/1.png": ("cat", "train"),
    }


@pytest.mark.parametrize("name", ["a.zip", "a.tar"])
def test_the_folder_that_was_packed_is_no_class(pack: Pack, name: str) -> None:
    items = listed(pack(name, named("./photos/train/cat/1.png", "./photos/test/dog/site/2.png")))

    assert {path: (item.label, item.split, item.group) for path, item in items.items()} == {
        "photos/test/dog/site/2.png": ("dog", "test", "test/site"),
        "photos/train/cat/1.png": ("cat", "train", "train"),
    }


@pytest.mark.parametrize("name", ["a.zip", "a.tar"])
def test_hidden_files_droppings_and_folders_are_left_out(pack: Pack, name: str) -> None:
    files = {
        "cat/": b"",
        **named("cat/1.png", "cat/.DS_Store", ".git/x.png", "__MACOSX/cat/1.png", "cat/Thumbs.db"),
    }

    assert list(listed(pack(name, files))) == ["cat/1.png"]


def test_a_zip_file_of_another_system_has_its_folders_too(pack: Pack) -> None:
    items = listed(pack("a.zip", named("cat\\garden\\1.png", "dog\\2.png")))

    assert {path: item.label for path, item in items.items()} == {"cat/garden/1.png": "cat", "dog/2.png": "dog"}


@pytest.mark.parametrize("name", ["a.zip", "a.tar"])
def test_what_a_folder_would_not_hold_as_an_image_is_told(pack: Pack, name: str) -> None:
    items = listed(pack(name, named("film.mp4", "inner.zip", "labels.csv")))

    assert [item.problem.split(":")[0] for item in items.values()] == [
        "a video",
        "an archive",
        "a table inside an archive is not read",
    ]


@pytest.mark.parametrize("name", FORMATS)
def test_a_member_that_has_not_changed_is_recognised_in_an_archive_written_anew(pack: Pack, name: str) -> None:
    before = listed(pack(name, named("a/1.png", "a/2.png")))
    source = pack(name, {"a/1.png": b"a/1.png" * 10, "a/2.png": b"other", "a/3.png": b"more"})
    os.utime(source.path, ns=(0, 0))

    after = listed(source)

    def key(item: SourceItem) -> tuple[str, str]:
        return item.location, item.stamp

    assert key(after["a/1.png"]) == key(before["a/1.png"])
    assert key(after["a/2.png"]) != key(before["a/2.png"])


def test_where_all_members_of_a_tar_file_have_one_time_that_of_the_archive_counts(tmp_path: Path) -> None:
    path = tmp_path / "a.tar"

    def stamps(first: bytes, time: int) -> list[str]:
        with tarfile.open(path, "w") as tar:
            for name, content in (("1.png", first), ("2.png", b"22")):
                info = tarfile.TarInfo(name)
                info.size = len(content)
                tar.addfile(info, io.BytesIO(content))
        os.utime(path, ns=(time, time))
        return [item.stamp for item in ArchiveSource(path, tmp_path).items()]

    assert stamps(b"11", 1) == stamps(b"11", 1)
    assert stamps(b"11", 1)[0] != stamps(b"xx", 2)[0]


@pytest.mark.parametrize("name", FORMATS)
def test_an_archive_that_changes_is_no_longer_the_one_that_was_listed(pack: Pack, name: str) -> None:
    items = listed(pack(name, named("a/1.png", "a/2.png", "a/3.png")))
    assert pack(name, named("a/1.png", "a/2.png", "a/3.png")).read(items["a/3.png"]) == b"a/3.png" * 10

    source = pack(name, {"a/0.png": b"new", "a/1.png": b"a/1.png" * 10, "a/2.png": b"other"})

    with pytest.raises(OSError, match="has changed since it was listed"):
        source.read(items["a/2.png"])
    with pytest.raises(OSError, match="has changed since it was listed"):
        source.read(items["a/3.png"])
    source.path.unlink()
    with pytest.raises(FileNotFoundError):
        source.read(items["a/1.png"])


@pytest.mark.parametrize("name", FORMATS)
def test_threads_and_processes_may_share_a_source(pack: Pack, name: str) -> None:
    files = {f"a/{number:03}.png": os.urandom(5000 + number) for number in range(60)}
    source = pickle.loads(pickle.dumps(pack(name, files)))  # noqa: S301 - ours
    start = threading.Barrier(8)

    def read(part: int) -> dict[str, bytes]:
        start.wait()
        return {item.path: source.read(item) for item in items[part::8]}

    items = list(source.items())
    with ThreadPoolExecutor(8) as pool:
        found = [pool.submit(read, part) for part in range(8)]

    assert {path: data for one in found for path, data in one.result().items()} == files


def test_a_compressed_tar_file_is_unpacked_once(pack: Pack, tmp_path: Path) -> None:
    source = pack("a.tgz", named("a/1.png", "a/2.png"))

    (first, second) = source.items()
    (unpacked,) = (tmp_path / "scratch").iterdir()
    before = unpacked.stat()
    list(source.items())

    assert unpacked.stat().st_ino == before.st_ino
    assert source.read(first) + source.read(second) == b"a/1.png" * 10 + b"a/2.png" * 10
    source = pack("a.tgz", named("a/3.png"))
    assert [item.path for item in source.items()] == ["a/3.png"]


def test_an_unpacked_archive_that_was_cleared_away_is_unpacked_again(pack: Pack, tmp_path: Path) -> None:
    source = pack("a.tgz", named("a/1.png", "a/2.png"))
    (item, *_) = source.items()
    (unpacked,) = (tmp_path / "scratch").iterdir()
    unpacked.unlink()

    assert source.read(item) == b"a/1.png" * 10


def test_names_that_are_no_unicode_are_shown_escaped_and_can_be_read(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "a.tar", "w", format=tarfile.GNU_FORMAT, encoding="latin-1") as tar:
        info = tarfile.TarInfo("caf\xe9/1.png")
        info.size = 3
        tar.addfile(info, io.BytesIO(b"abc"))
    source = ArchiveSource(tmp_path / "a.tar", tmp_path)

    (item,) = source.items()

    assert (item.path, item.label, item.location.encode()) == (
        r"caf\xe9/1.png",
        r"caf\xe9",
        f"{tmp_path}/a.tar!/caf\\xe9/1.png".encode(),
    )
    assert source.read(item) == b"abc"


def test_an_archive_without_files_lists_nothing(pack: Pack) -> None:
    for name in FORMATS:
        assert list(pack(name, {}).items()) == []


@pytest.mark.parametrize("name", FORMATS)
def test_an_archive_that_is_not_there_is_named(tmp_path: Path, name: str) -> None:
    with pytest.raises(InputError, match=f"{name}' cannot be read: No such file"):
        list(ArchiveSource(tmp_path / name, tmp_path).items())


def test_names_say_what_is_an_archive() -> None:
    assert all(is_archive(Path(name.upper())) for name in FORMATS)
    assert not any(is_archive(Path(name)) for name in ("a.gz", "zip", "a.rar", "a.zip.txt"))
