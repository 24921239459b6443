"""What people have decided about files and images, and that every ingest goes by it."""

import hashlib
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from cv_pipelines.catalog import Catalog
from cv_pipelines.images import inspection
from cv_pipelines.images.ingest import Wishes, ingest
from cv_pipelines.images.inspection import FORGOTTEN_REASON
from tests.images.ingests import (
    WatchedSource,
    assert_nothing_is_lost,
    images_of,
    packed,
    quarantine_of,
    rows_of,
    take_read,
)

WriteImage = Callable[..., Path]
pytestmark = pytest.mark.usefixtures("in_process")


@pytest.fixture
def root(tmp_path: Path, write_image: WriteImage) -> Path:
    """One image in two classes, one in one, and a file that is none."""
    write_image(tmp_path / "data" / "cat" / "1.png", seed=1)
    write_image(tmp_path / "data" / "cat" / "both.png", seed=2)
    write_image(tmp_path / "data" / "dog" / "both.png", seed=2)
    (tmp_path / "data" / "dog" / "bad.png").write_bytes(b"no image")
    return tmp_path / "data"


def id_of(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def mend(path: Path, data: bytes) -> None:
    """Write a file anew, with the size and time that it had."""
    status = path.stat()
    path.write_bytes(data[: status.st_size])
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


def test_the_files_in_quarantine_are_read_again_on_request(
    catalog: Catalog, root: Path, write_image: WriteImage
) -> None:
    good = write_image(root / "cat" / "3.png", seed=3).read_bytes()
    (root / "cat" / "3.png").write_bytes(b"x" * len(good))
    first = ingest(catalog, WatchedSource(root), 1)
    mend(root / "cat" / "3.png", good)
    take_read(root)

    unasked = ingest(catalog, WatchedSource(root), 1, previous=first.reference)
    assert take_read(root) == []
    asked = ingest(catalog, WatchedSource(root), 1, previous=first.reference, wishes=Wishes(retry=True))
    assert take_read(root) == ["cat/3.png", "dog/bad.png"]
    afterwards = ingest(catalog, WatchedSource(root), 1, previous=asked.reference)

    assert quarantine_of(unasked)["cat/3.png"] == "not_an_image"
    assert "cat/3.png" not in quarantine_of(asked)
    assert "cat/3.png" in images_of(asked)
    assert_nothing_is_lost(asked, files=5)
    assert afterwards.reference == asked.reference


def test_reading_again_what_is_still_bad_changes_nothing(catalog: Catalog, root: Path) -> None:
    first = ingest(catalog, WatchedSource(root), 1)

    again = ingest(catalog, WatchedSource(root), 1, previous=first.reference, wishes=Wishes(retry=True))

    assert again.reused
    assert again.reference.version == first.reference.version
    assert quarantine_of(again) == quarantine_of(first)


@pytest.mark.parametrize(("accepted", "label"), [("cat/both.png", "cat"), ("dog/both.png", "dog")])
def test_the_class_of_the_accepted_file_settles_a_conflict(
    catalog: Catalog, root: Path, accepted: str, label: str
) -> None:
    wishes = Wishes(accepted=frozenset({accepted}))
    first = ingest(catalog, WatchedSource(root), 1)
    take_read(root)

    second = ingest(catalog, WatchedSource(root), 1, previous=first.reference, wishes=wishes)

    assert quarantine_of(first).keys() == {"cat/both.png", "dog/both.png", "dog/bad.png"}
    assert quarantine_of(second).keys() == {"dog/bad.png"}
    assert images_of(second)["cat/both.png"] == ["cat/both.png", "dog/both.png"]
    assert rows_of(second)["cat/both.png"]["source_label"] == label
    assert_nothing_is_lost(second, files=4)
    assert take_read(root) == [], "its pixels were there all the time"


def test_an_accepted_file_that_is_no_image_stays_where_it_is(catalog: Catalog, root: Path) -> None:
    first = ingest(catalog, WatchedSource(root), 1)
    wishes = Wishes(accepted=frozenset({"dog/bad.png", "cat/gone.png"}))

    second = ingest(catalog, WatchedSource(root), 1, previous=first.reference, wishes=wishes)

    assert second.reference.version == first.reference.version


def test_an_image_of_too_many_pixels_is_let_in_where_a_person_accepts_it(
    catalog: Catalog, root: Path, write_image: WriteImage, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("wanted", "other"):
        write_image(root / "cat" / f"{name}.png", seed=len(name), width=200, height=150)
    monkeypatch.setattr(inspection, "MAX_PIXELS", 20_000)
    wishes = Wishes(accepted=frozenset({"cat/wanted.png"}))
    first = ingest(catalog, WatchedSource(root), 1)
    take_read(root)

    second = ingest(catalog, WatchedSource(root), 1, previous=first.reference, wishes=wishes)
    read = take_read(root)
    write_image(root / "cat" / "new.png", seed=20)
    third = ingest(catalog, WatchedSource(root), 1, previous=second.reference, wishes=wishes)

    assert quarantine_of(first)["cat/wanted.png"] == quarantine_of(first)["cat/other.png"] == "too_many_pixels"
    assert read == ["cat/wanted.png"]
    assert rows_of(second)["cat/wanted.png"]["width"] == 200
    assert quarantine_of(second)["cat/other.png"] == "too_many_pixels"
    assert take_read(root) == ["cat/new.png"]
    assert "cat/wanted.png" in images_of(third)


@pytest.mark.parametrize("known", [False, True])
def test_a_forgotten_image_stays_out(catalog: Catalog, root: Path, write_image: WriteImage, known: bool) -> None:
    image = id_of(root / "cat" / "1.png")
    wishes = Wishes(forgotten=frozenset({image}))
    first = ingest(catalog, WatchedSource(root), 1) if known else None
    write_image(root / "dog" / "the same.png", seed=1)

    second = ingest(catalog, WatchedSource(root), 1, previous=first.reference if first else None, wishes=wishes)
    take_read(root)
    write_image(root / "cat" / "new.png", seed=20)
    third = ingest(catalog, WatchedSource(root), 1, previous=second.reference, wishes=wishes)

    for outcome, files in ((second, 5), (third, 6)):
        assert_nothing_is_lost(outcome, files)
        assert {quarantine_of(outcome)[path] for path in ("cat/1.png", "dog/the same.png")} == {"forgotten"}
        assert image not in outcome.bundle.table("images")["image_id"].to_pylist()
        assert image not in outcome.bundle.table("files")["image_id"].to_pylist()
    reasons = second.bundle.table("quarantine").to_pylist()
    assert {row["reason"] for row in reasons if row["code"] == "forgotten"} == {FORGOTTEN_REASON}
    assert take_read(root) == ["cat/new.png"]
    assert packed(catalog).count(image) == known, "what is there was put there before it was to be forgotten"


def test_wishes_that_change_give_another_version_of_the_same_files(catalog: Catalog, root: Path) -> None:
    image = id_of(root / "cat" / "1.png")
    every = [Wishes(), Wishes(accepted=frozenset({"cat/both.png"})), Wishes(forgotten=frozenset({image}))]

    made = [ingest(catalog, WatchedSource(root), 1, wishes=wishes) for wishes in every]

    assert len({outcome.reference.version for outcome in made}) == 3
    assert [ingest(catalog, WatchedSource(root), 1, wishes=wishes).reference for wishes in every] == [
        outcome.reference for outcome in made
    ]
