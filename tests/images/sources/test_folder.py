import os
import pickle
import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from cv_pipelines.errors import InputError
from cv_pipelines.images.sources.files import MAX_BYTES
from cv_pipelines.images.sources.folder import FolderSource
from cv_pipelines.images.sources.protocol import SourceItem


def put(root: Path, *names: str) -> None:
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(name.encode())


def listed(root: Path) -> dict[str, SourceItem]:
    return {item.path: item for item in FolderSource(root).items()}


def facts(root: Path) -> dict[str, tuple[str | None, str | None, str]]:
    return {item.path: (item.label, item.split, item.group) for item in FolderSource(root).items()}


def test_class_folders_give_the_labels(tmp_path: Path) -> None:
    put(tmp_path, "cat/1.png", "cat/garden/roof/2.png", "dog/1.png", "loose.png")

    assert facts(tmp_path) == {
        "cat/1.png": ("cat", None, ""),
        "cat/garden/roof/2.png": ("cat", None, "garden/roof"),
        "dog/1.png": ("dog", None, ""),
        "loose.png": (None, None, ""),
    }


def test_split_folders_stand_above_class_folders(tmp_path: Path) -> None:
    put(tmp_path, "Train/cat/1.png", "train-notes.txt", "VAL/cat/farm/2.png", "test/3.png")

    assert facts(tmp_path) == {
        "Train/cat/1.png": ("cat", "train", "Train"),
        "VAL/cat/farm/2.png": ("cat", "validation", "VAL/farm"),
        "test/3.png": (None, "test", "test"),
        "train-notes.txt": (None, None, ""),
    }


def test_a_class_beside_folders_named_like_splits_makes_them_classes(tmp_path: Path) -> None:
    put(tmp_path, "test/1.png", "train/1.png", "exam/1.png")

    assert {path: label for path, (label, split, _) in facts(tmp_path).items() if split is None} == {
        "exam/1.png": "exam",
        "test/1.png": "test",
        "train/1.png": "train",
    }


@pytest.mark.parametrize("beside", [".cache", "__MACOSX"])
def test_what_is_no_part_of_the_data_set_does_not_hide_its_splits(tmp_path: Path, beside: str) -> None:
    put(tmp_path, "train/cat/1.png", "test/cat/1.png", f"{beside}/x.png")

    assert {split for _, split, _ in facts(tmp_path).values()} == {"train", "test"}


def test_a_link_to_a_folder_does_not_hide_the_splits(tmp_path: Path) -> None:
    put(tmp_path / "data", "train/cat/1.png", "test/cat/2.png")
    (tmp_path / "data" / "latest").symlink_to(tmp_path / "data" / "train")

    assert facts(tmp_path / "data") == {
        "train/cat/1.png": ("cat", "train", "train"),
        "test/cat/2.png": ("cat", "test", "test"),
    }


def test_hidden_files_and_the_droppings_of_systems_are_left_out(tmp_path: Path) -> None:
    put(tmp_path, "cat/1.png", "cat/.DS_Store", "cat/Thumbs.db", ".git/x.png", "__MACOSX/cat/1.png", "desktop.ini")

    assert list(listed(tmp_path)) == ["cat/1.png"]


def test_the_order_is_that_of_the_names_not_of_their_creation(tmp_path: Path) -> None:
    names = [f"{folder}/{number}.png" for folder in ("b", "a", "a/c") for number in (9, 10, 2, 1, 33, 4)]
    put(tmp_path / "one", *names, "z.png")
    put(tmp_path / "other", "z.png", *reversed(names))

    assert list(listed(tmp_path / "one")) == list(listed(tmp_path / "other"))
    for folder in ("a", "b", "a/c"):
        inside = [path for path in listed(tmp_path / "one") if path.rpartition("/")[0] == folder]
        assert inside == sorted(name for name in names if name.rpartition("/")[0] == folder)


def test_a_link_to_a_folder_is_not_followed(tmp_path: Path) -> None:
    put(tmp_path / "elsewhere", "1.png")
    put(tmp_path / "data", "cat/2.png")
    (tmp_path / "data" / "dog").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "data" / "cat" / "round").symlink_to(tmp_path / "data")

    assert list(listed(tmp_path / "data")) == ["cat/2.png"]


def test_names_keep_their_unicode(tmp_path: Path) -> None:
    put(tmp_path, "größe/日本 🐈.png", "größe/Ünter/e\u0301.png")

    assert facts(tmp_path) == {
        "größe/日本 🐈.png": ("größe", None, ""),
        "größe/Ünter/e\u0301.png": ("größe", None, "Ünter"),
    }


def test_names_that_are_no_unicode_are_shown_escaped_and_can_be_read(tmp_path: Path) -> None:
    folder = tmp_path / os.fsdecode(b"caf\xe9")
    folder.mkdir()
    (folder / os.fsdecode(b"\xff\xfe.png")).write_bytes(b"content")
    source = FolderSource(tmp_path)

    (item,) = pickle.loads(pickle.dumps(list(source.items())))  # noqa: S301 - ours

    assert (item.path, item.label, item.problem) == (r"caf\xe9/\xff\xfe.png", r"caf\xe9", "")
    assert item.path.encode()
    assert item.location.encode()
    assert pickle.loads(pickle.dumps(source)).read(item) == b"content"  # noqa: S301 - ours


def test_what_is_no_regular_file_is_listed_with_its_problem_and_never_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.png")  # to open it would wait for ever
    with socket.socket(socket.AF_UNIX) as listener:
        here = Path.cwd()
        os.chdir(tmp_path)  # the path of a socket may be too long to bind
        listener.bind("socket.png")
        os.chdir(here)
        items = listed(tmp_path)

    assert {path: item.problem for path, item in items.items()} == {
        "pipe.png": "not a regular file (a folder, socket, pipe or device)",
        "socket.png": "not a regular file (a folder, socket, pipe or device)",
    }


def test_links_to_files_are_followed_and_broken_ones_are_a_problem(tmp_path: Path) -> None:
    put(tmp_path, "elsewhere/real.png")
    root = tmp_path / "data"
    root.mkdir()
    (root / "link.png").symlink_to(tmp_path / "elsewhere" / "real.png")
    (root / "dangling.png").symlink_to(tmp_path / "nowhere")
    (root / "loop.png").symlink_to(root / "loop.png")

    items = listed(root)

    assert FolderSource(root).read(items["link.png"]) == b"elsewhere/real.png"
    assert items["link.png"].problem == ""
    assert items["dangling.png"].problem == "cannot be opened: No such file or directory"
    assert items["loop.png"].problem.startswith("cannot be opened: ")


def test_a_file_too_large_to_read_is_a_problem_before_anybody_reads_it(tmp_path: Path) -> None:
    with (tmp_path / "huge.png").open("wb") as file:
        file.truncate(MAX_BYTES + 1)
    with (tmp_path / "largest.png").open("wb") as file:
        file.truncate(MAX_BYTES)

    items = listed(tmp_path)

    assert items["huge.png"].problem == "larger than 512 MiB"
    assert items["largest.png"].problem == ""


def test_the_stamp_changes_with_size_and_time(tmp_path: Path) -> None:
    put(tmp_path, "1.png")
    stamps = {listed(tmp_path)["1.png"].stamp}
    os.utime(tmp_path / "1.png", ns=(0, 1))
    stamps.add(listed(tmp_path)["1.png"].stamp)
    (tmp_path / "1.png").write_bytes(b"longer than before")
    os.utime(tmp_path / "1.png", ns=(0, 1))
    stamps.add(listed(tmp_path)["1.png"].stamp)

    assert len(stamps) == 3


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"There is no folder .*nowhere"):
        list(FolderSource(tmp_path / "nowhere").items())


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that every user of the machine may enter."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


@contextmanager
def without_rights() -> Iterator[None]:
    """As a user to whom nothing belongs; root may read everything."""
    user = os.geteuid()
    os.seteuid(65534 if user == 0 else user)
    try:
        yield
    finally:
        os.seteuid(user)


def test_a_folder_that_may_not_be_listed_is_named(open_folder: Path) -> None:
    (open_folder / "data").mkdir(mode=0)

    with without_rights(), pytest.raises(InputError, match="cannot be listed: Permission denied"):
        list(FolderSource(open_folder / "data").items())


def test_a_folder_inside_that_may_not_be_listed_is_a_problem_and_the_others_go_on(open_folder: Path) -> None:
    put(open_folder, "cat/1.png", "dog/2.png", "loose.png")
    (open_folder / "cat").chmod(0)
    (open_folder / "loose.png").chmod(0)
    try:
        with without_rights():
            items = listed(open_folder)
            with pytest.raises(PermissionError):
                FolderSource(open_folder).read(items["loose.png"])
    finally:
        (open_folder / "cat").chmod(0o700)

    assert items["cat"].problem.startswith("a folder that cannot be listed: Permission denied")
    assert items["dog/2.png"].problem == ""


def test_a_folder_too_deep_to_be_listed_is_a_problem_and_the_others_go_on(tmp_path: Path) -> None:
    put(tmp_path, "cat/1.png", "dog/2.png")
    here = Path.cwd()
    os.chdir(tmp_path / "cat")
    for _ in range(20):  # longer than a path may be
        os.mkdir("d" * 250)  # noqa: PTH102
        os.chdir("d" * 250)
    os.chdir(here)

    items = listed(tmp_path)

    (deep,) = [item for item in items.values() if item.problem]
    assert deep.problem.startswith("a folder that cannot be listed: File name too long")
    assert items["cat/1.png"].problem == items["dog/2.png"].problem == ""


@pytest.mark.parametrize("name", ["film.mp4", "FILM.MKV", "a.webm"])
def test_a_video_in_a_folder_is_told_how_to_be_added(tmp_path: Path, name: str) -> None:
    put(tmp_path, name)

    assert listed(tmp_path)[name].problem.startswith("a video: add it as a data set of its own")


@pytest.mark.parametrize("name", ["a.zip", "a.tar.gz", "a.RAR"])
def test_an_archive_in_a_folder_is_told_how_to_be_added(tmp_path: Path, name: str) -> None:
    put(tmp_path, name)

    assert listed(tmp_path)[name].problem.startswith("an archive: add it as a data set of its own")


def test_the_size_is_known_from_the_listing(tmp_path: Path) -> None:
    put(tmp_path, "12345")

    assert [item.size for item in FolderSource(tmp_path).items()] == [5]
