"""What an ingest takes over from the one before, or from one that was killed."""

import os
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from cv_pipelines.catalog import Catalog, Outcome
from cv_pipelines.database.engine import open_database
from cv_pipelines.images.ingest import ingest, journal_of
from cv_pipelines.images.sources.folder import FolderSource
from cv_pipelines.images.sources.protocol import ImageSource
from cv_pipelines.images.stored import stored_images
from cv_pipelines.progress import Progress
from cv_pipelines.storage.bundles import Reference
from cv_pipelines.storage.local import LocalStore
from tests.images.ingests import (
    WatchedSource,
    images_of,
    packed,
    quarantine_of,
    rows_of,
    take_read,
    work_in_this_process,
)
from tests.installation import PATIENCE

WriteImage = Callable[..., Path]
Afresh = Callable[[ImageSource], Outcome]


@pytest.fixture
def root(tmp_path: Path, write_image: WriteImage) -> Path:
    """A folder of five images and a file that is none."""
    for seed in range(5):
        write_image(tmp_path / "data" / "cat" / f"{seed}.png", seed=seed)
    (tmp_path / "data" / "cat" / "bad.png").write_bytes(b"no image")
    return tmp_path / "data"


@pytest.fixture(scope="session")
def afresh(tmp_path_factory: pytest.TempPathFactory) -> Afresh:
    """Ingest into a catalog in which nothing was ever made."""

    def run(source: ImageSource) -> Outcome:
        folder = tmp_path_factory.mktemp("afresh")
        engine = open_database(f"sqlite:///{folder / 'cv.sqlite'}")
        try:
            return ingest(Catalog(engine, LocalStore(folder / "store")), source, 1)
        finally:
            engine.dispose()

    return run


def overwrite(path: Path) -> None:
    """Spoil a file without changing its size and time: whoever reads it again refuses it."""
    status = path.stat()
    path.write_bytes(b"x" * status.st_size)
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


@pytest.mark.usefixtures("in_process")
def test_only_files_that_are_new_or_have_changed_are_read(
    catalog: Catalog, root: Path, write_image: WriteImage, afresh: Afresh
) -> None:
    first = ingest(catalog, WatchedSource(root), 1)
    assert take_read(root) == [f"cat/{name}.png" for name in (0, 1, 2, 3, 4, "bad")]
    write_image(root / "cat" / "1.png", seed=11)
    write_image(root / "dog" / "new.png", seed=12)
    write_image(root / "dog" / "copy of 0.png", seed=0)
    (root / "cat" / "2.png").unlink()
    (root / "cat" / "3.png").rename(root / "cat" / "moved.png")

    second = ingest(catalog, WatchedSource(root), 1, previous=first.reference)

    assert take_read(root) == ["cat/1.png", "cat/moved.png", "dog/copy of 0.png", "dog/new.png"]
    assert quarantine_of(second)["cat/bad.png"] == "not_an_image"
    before, after = rows_of(first), rows_of(second)
    assert after["cat/4.png"] == before["cat/4.png"]
    assert after["cat/moved.png"]["image_id"] == before["cat/3.png"]["image_id"]
    assert after["cat/1.png"]["image_id"] != before["cat/1.png"]["image_id"]
    assert "cat/2.png" not in after
    assert second.reference.version == afresh(FolderSource(root)).reference.version


@pytest.mark.usefixtures("in_process")
def test_what_was_deleted_leaves_the_next_version_and_not_the_old_one(catalog: Catalog, root: Path) -> None:
    first = ingest(catalog, FolderSource(root), 1)
    content = (root / "cat" / "2.png").read_bytes()
    (root / "cat" / "2.png").unlink()
    (root / "cat" / "bad.png").unlink()

    second = ingest(catalog, FolderSource(root), 1, previous=first.reference)

    image = rows_of(first)["cat/2.png"]["image_id"]
    assert sorted(images_of(second)) == [f"cat/{seed}.png" for seed in (0, 1, 3, 4)]
    assert quarantine_of(second) == {}
    assert second.bundle.table("files").num_rows == 4
    old = catalog.open(first.reference)
    assert old.table("images").num_rows == 5
    assert stored_images(old).read(image) == content


@pytest.mark.usefixtures("in_process")
def test_going_back_to_files_of_an_earlier_version_gives_that_version(
    catalog: Catalog, root: Path, write_image: WriteImage
) -> None:
    first = ingest(catalog, WatchedSource(root), 1)
    write_image(root / "dog" / "new.png", seed=12)
    second = ingest(catalog, WatchedSource(root), 1, previous=first.reference)
    (root / "dog" / "new.png").unlink()
    take_read(root)

    third = ingest(catalog, WatchedSource(root), 1, previous=second.reference)

    assert second.reference.version != first.reference.version == third.reference.version
    assert take_read(root) == []


@pytest.mark.usefixtures("in_process")
def test_files_that_were_only_touched_give_the_version_that_stands(catalog: Catalog, root: Path) -> None:
    first = ingest(catalog, FolderSource(root), 1)
    os.utime(root / "cat" / "0.png", ns=(1, 1))

    second = ingest(catalog, FolderSource(root), 1, previous=first.reference)

    assert second.reference.version == first.reference.version
    assert second.reused, "nothing that comes after it has to be made again"


@pytest.mark.usefixtures("in_process")
@pytest.mark.parametrize("has_previous", [False, True])
def test_files_that_could_not_be_read_are_read_when_they_can(
    catalog: Catalog, root: Path, write_image: WriteImage, has_previous: bool
) -> None:
    write_image(root / "away" / "2.png", seed=12)
    first = ingest(catalog, WatchedSource(root), 1)
    still = ingest(catalog, WatchedSource(root), 1, previous=first.reference if has_previous else None)
    (root / ".mended").touch()
    take_read(root)

    mended = ingest(catalog, WatchedSource(root), 1, previous=first.reference if has_previous else None)

    read = take_read(root)
    again = ingest(catalog, WatchedSource(root), 1, previous=mended.reference)
    assert (
        quarantine_of(first) == quarantine_of(still) == {"away/2.png": "unreadable", "cat/bad.png": "not_an_image"}
    )
    assert quarantine_of(mended) == {"cat/bad.png": "not_an_image"}
    assert "away/2.png" in images_of(mended)
    assert read == ["away/2.png"] if has_previous else "away/2.png" in read
    assert again.reused
    assert take_read(root) == []


@dataclass(frozen=True)
class UnstampedSource(WatchedSource):
    """A folder of which nothing tells when its files change, as of most servers' pages."""

    def items(self):  # type: ignore[no-untyped-def]  # as that of its parent
        return (item._replace(stamp="") for item in super().items())


@pytest.mark.usefixtures("in_process")
def test_files_of_which_nothing_tells_when_they_change_are_read_each_time(
    catalog: Catalog, root: Path, write_image: WriteImage
) -> None:
    first = ingest(catalog, UnstampedSource(root), 1)
    write_image(root / "cat" / "1.png", seed=11)
    take_read(root)

    changed = ingest(catalog, UnstampedSource(root), 1, previous=first.reference)
    read = take_read(root)
    same = ingest(catalog, UnstampedSource(root), 1, previous=changed.reference)

    assert len(read) == len(take_read(root)) == 6
    assert rows_of(changed)["cat/1.png"]["image_id"] != rows_of(first)["cat/1.png"]["image_id"]
    assert same.reused
    assert same.reference.version == changed.reference.version


@pytest.mark.usefixtures("in_process")
def test_pairs_that_were_compared_before_are_not_read_again(
    catalog: Catalog, root: Path, write_image: WriteImage
) -> None:
    def compared(previous: Reference | None) -> tuple[Outcome, list[tuple[int, int | None]]]:
        told: list[tuple[int, int | None]] = []

        def tell(stage: str, done: int, total: int | None = None) -> None:
            if stage == "comparing alike images":
                told.append((done, total))

        return ingest(catalog, FolderSource(root), 1, tell, previous), told

    write_image(root / "cat" / "0 again.jpg", seed=0)
    first, at_first = compared(None)
    write_image(root / "cat" / "1 again.jpg", seed=1)

    second, later = compared(first.reference)

    assert (at_first, later) == ([(1, 1)], [(1, 1)])
    assert second.bundle.table("near_duplicates").num_rows == second.bundle.table("comparisons").num_rows == 2


class Stopped(Exception):  # noqa: N818 - stands for the end of the process
    """What ends an ingest in the middle."""


def stop_at(files: int) -> Progress:
    def progress(stage: str, done: int, total: int | None = None) -> None:
        if stage == "reading images" and done == files:
            raise Stopped

    return progress


@pytest.mark.usefixtures("in_process")
@pytest.mark.parametrize("stopped_at", [1, 4, 6])
def test_an_ingest_that_was_stopped_goes_on_where_it_was(
    catalog: Catalog, root: Path, afresh: Afresh, stopped_at: int
) -> None:
    source = WatchedSource(root)
    with pytest.raises(Stopped):
        ingest(catalog, source, 1, stop_at(stopped_at))
    saved = journal_of(catalog.store, source).read()["location"].to_pylist()
    assert len(saved) == stopped_at - 1
    take_read(root)

    outcome = ingest(catalog, source, 1)

    assert take_read(root) == sorted(item.path for item in source.items() if item.location not in saved)
    assert outcome.reference.version == afresh(FolderSource(root)).reference.version
    assert journal_of(catalog.store, source).read().num_rows == 0
    assert packed(catalog) == outcome.bundle.table("images")["image_id"].to_pylist()


@pytest.mark.usefixtures("in_process")
def test_the_journal_of_a_stopped_ingest_adds_to_the_version_before(
    catalog: Catalog, root: Path, write_image: WriteImage, afresh: Afresh
) -> None:
    first = ingest(catalog, WatchedSource(root), 1)
    for seed in range(20, 24):
        write_image(root / "dog" / f"{seed}.png", seed=seed)
    with suppress(Stopped):
        ingest(catalog, WatchedSource(root), 1, stop_at(3), first.reference)
    write_image(root / "dog" / "20.png", seed=30)
    take_read(root)

    outcome = ingest(catalog, WatchedSource(root), 1, previous=first.reference)

    assert take_read(root) == ["dog/20.png", "dog/22.png", "dog/23.png"]
    assert outcome.reference.version == afresh(FolderSource(root)).reference.version


KILLED = """
import os, sys
from pathlib import Path
from cv_pipelines.catalog import Catalog
from cv_pipelines.database.engine import open_database
from cv_pipelines.images import ingest
from cv_pipelines.images.sources.folder import FolderSource
from cv_pipelines.storage.local import LocalStore

def die(stage, done, total=None):
    if stage == "reading images" and done > 20:
        os.kill(os.getpid(), 9)

if __name__ == "__main__":
    ingest._SAVE_SECONDS = -1
    url, store, root = sys.argv[1:]
    ingest.ingest(Catalog(open_database(url), LocalStore(Path(store))), FolderSource(Path(root)), 2, die)
"""


def test_an_ingest_that_was_killed_goes_on_where_it_was(
    catalog: Catalog, root: Path, write_image: WriteImage, tmp_path: Path, afresh: Afresh
) -> None:
    for seed in range(10, 40):
        write_image(root / "dog" / f"{seed}.png", seed=seed, width=40, height=30)
    undisturbed = afresh(FolderSource(root)).reference.version
    assert isinstance(catalog.store, LocalStore)
    url = catalog.database.url.render_as_string(hide_password=False)
    (tmp_path / "killed.py").write_text(KILLED)
    arguments = [sys.executable, str(tmp_path / "killed.py"), url, str(catalog.store.root), str(root)]
    killed = subprocess.run(arguments, capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert killed.returncode == -9, killed.stderr
    saved = journal_of(catalog.store, FolderSource(root)).read()["location"].to_pylist()
    for location in saved:
        overwrite(Path(location))

    outcome = ingest(catalog, FolderSource(root), 2)

    assert len(saved) >= 16
    assert outcome.reference.version == undisturbed
    assert journal_of(catalog.store, FolderSource(root)).read().num_rows == 0


CHANGES = st.dictionaries(
    st.sampled_from(["1.png", "cat/1.png", "cat/2.png", "dog/1.png"]),
    st.sampled_from(["good 1", "good 2", "saved again", "bad", "gone"]),
)


@settings(max_examples=8, phases=[Phase.explicit, Phase.generate])
@given(st.lists(CHANGES, min_size=2, max_size=4))
def test_whatever_changes_the_next_version_is_that_of_an_ingest_from_scratch(
    tmp_path_factory: pytest.TempPathFactory,
    write_image: WriteImage,
    afresh: Afresh,
    changes: list[dict[str, str]],
) -> None:
    folder = tmp_path_factory.mktemp("changes")
    (folder / "data").mkdir()
    engine = open_database(f"sqlite:///{folder / 'cv.sqlite'}")
    catalog, previous = Catalog(engine, LocalStore(folder / "store")), None
    with pytest.MonkeyPatch.context() as patched:
        work_in_this_process(patched)
        for step in changes:
            for name, content in step.items():
                change(folder / "data" / name, content, write_image)
            outcome = ingest(catalog, FolderSource(folder / "data"), 1, previous=previous)
            fresh = afresh(FolderSource(folder / "data"))
            assert outcome.reference.version == fresh.reference.version
            assert outcome.bundle.table("near_duplicates").equals(fresh.bundle.table("near_duplicates"))
            previous = outcome.reference
    engine.dispose()


def change(path: Path, content: str, write_image: WriteImage) -> None:
    if content == "gone":
        path.unlink(missing_ok=True)
    elif content == "bad":
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"no image")
    else:
        options = {"compress_level": 1} if content == "saved again" else {}
        write_image(path, seed=int(content[-1]) if not options else 1, **options)
