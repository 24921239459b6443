import os
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from cv_pipelines.errors import InfrastructureError
from cv_pipelines.storage.local import LocalStore


@pytest.fixture
def store(tmp_path: Path) -> LocalStore:
    return LocalStore(tmp_path / "store")


def files_below(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


class BrokenDisk:
    """Takes the first bytes, then fails like a full disk."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def stat(self) -> os.stat_result:
        return self.path.stat()

    def open(self, mode: str) -> "BrokenDisk":
        self.file = self.path.open(mode)
        return self

    def __enter__(self) -> "BrokenDisk":
        return self

    def __exit__(self, *_: object) -> None:
        self.file.close()

    def read(self, size: int = -1) -> bytes:
        data = self.file.read(4)
        if not data:
            raise OSError(28, "No space left on device")
        return data


def test_replace_changes_an_object_and_leaves_open_readers_the_old_one(store: LocalStore) -> None:
    store.replace("pointer", b"old")
    with store.open("pointer") as reader:
        store.replace("pointer", b"new")

        assert reader.read() == b"old"
    assert store.get("pointer") == b"new"


def test_a_failing_write_leaves_nothing(store: LocalStore, tmp_path: Path) -> None:
    (tmp_path / "file.bin").write_bytes(b"0123456789")

    with pytest.raises(InfrastructureError, match="No space left"):
        store.put_file("a/key", BrokenDisk(tmp_path / "file.bin"))  # type: ignore[arg-type]

    assert not store.exists("a/key")
    assert files_below(tmp_path / "store") == {}


def test_a_failing_replace_leaves_the_old_object(store: LocalStore, tmp_path: Path) -> None:
    store.replace("key", b"old")

    with pytest.raises(TypeError):
        store.replace("key", "text is not bytes")  # type: ignore[arg-type]

    assert files_below(tmp_path / "store") == {"key": b"old"}


def test_an_unfinished_file_of_a_killed_process_is_no_object(store: LocalStore, tmp_path: Path) -> None:
    store.put("folder/key", b"data")
    (tmp_path / "store" / "folder" / "tmp123.partial").write_bytes(b"da")

    assert [stored.key for stored in store.objects("folder/")] == ["folder/key"]


@given(st.lists(st.sampled_from(["..", ".", "", "a", "b c", "~", "é", "\\", "..."]), max_size=4).map("/".join))
@example("")
@example(".")
@example("./.")
@example("a/..")
@example("//etc")
def test_keys_never_escape_the_root(tmp_path_factory: pytest.TempPathFactory, key: str) -> None:
    folder = tmp_path_factory.mktemp("keys")
    root = folder / "x" / "store"
    root.mkdir(parents=True)
    (folder / "x" / "neighbour").write_bytes(b"untouched")

    try:
        LocalStore(root).put(key, b"data")
    except ValueError:
        assert files_below(folder) == {"x/neighbour": b"untouched"}
        return

    (written,) = set(files_below(folder)) - {"x/neighbour"}
    assert written.startswith("x/store/")
    assert LocalStore(root).get(key) == b"data"


def test_a_key_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    for key in ("", ".", "a/."):
        with pytest.raises(ValueError, match="not a key"):
            LocalStore(tmp_path / "store").put(key, b"data")

    assert files_below(tmp_path) == {}
