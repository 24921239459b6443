import errno
import hashlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from cv_pipelines.images.inspection import Inspection, image_key, inspect_items
from cv_pipelines.images.sources.folder import FolderSource
from cv_pipelines.storage.local import LocalStore

WriteImage = Callable[..., Path]


class FullStore(LocalStore):
    """A store whose disk is full."""

    def put(self, key: str, data: bytes) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")


def inspect(root: Path, store: LocalStore) -> dict[str, Inspection]:
    source = FolderSource(root)
    return {one.item.path: one for one in inspect_items(source, store, list(source.items()))}


@pytest.fixture
def store(tmp_path: Path) -> LocalStore:
    return LocalStore(tmp_path / "store")


def test_a_good_file_is_kept_as_it_came_and_described(
    tmp_path: Path, store: LocalStore, write_image: WriteImage
) -> None:
    path = write_image(tmp_path / "data" / "cat" / "1.jpg", width=120, height=90)

    facts = inspect(tmp_path / "data", store)["cat/1.jpg"].facts

    assert facts is not None
    data = path.read_bytes()
    assert facts["image_id"] == hashlib.sha256(data).hexdigest()
    assert facts["uri"] == image_key(str(facts["image_id"]))
    assert store.get(str(facts["uri"])) == data
    assert (facts["width"], facts["height"], facts["channels"], facts["format"]) == (120, 90, 3, "JPEG")
    assert facts["bytes"] == len(data)
    assert 0 < float(str(facts["brightness"])) < 1


def test_a_bad_file_says_why_and_does_not_stop_its_neighbours(
    tmp_path: Path, store: LocalStore, write_image: WriteImage
) -> None:
    root = tmp_path / "data"
    write_image(root / "good.png")
    whole = write_image(root / "short.jpg").read_bytes()
    (root / "short.jpg").write_bytes(whole[: len(whole) // 2])
    (root / "empty.png").write_bytes(b"")
    (root / "text.png").write_text("hello")
    (root / "gone.png").symlink_to(root / "nowhere")

    found = inspect(root, store)

    assert {path: one.code for path, one in found.items()} == {
        "empty.png": "empty",
        "gone.png": "unusable",
        "good.png": "",
        "short.jpg": "undecodable",
        "text.png": "not_an_image",
    }
    assert all(one.reason and one.facts is None for one in found.values() if one.code)
    assert len(list(store.keys("images/"))) == 1


def test_a_file_that_went_away_after_the_listing_is_unreadable(
    tmp_path: Path, store: LocalStore, write_image: WriteImage
) -> None:
    write_image(tmp_path / "data" / "1.png")
    source = FolderSource(tmp_path / "data")
    (item,) = source.items()

    (found,) = inspect_items(source, store, [replace(item, location=str(tmp_path / "gone.png"))])

    assert (found.code, found.reason) == ("unreadable", "cannot be read: No such file or directory")


def test_a_store_that_fails_is_not_the_fault_of_the_file(tmp_path: Path, write_image: WriteImage) -> None:
    write_image(tmp_path / "data" / "1.png")

    with pytest.raises(Exception, match="No space left on device"):
        inspect(tmp_path / "data", FullStore(tmp_path / "store"))
