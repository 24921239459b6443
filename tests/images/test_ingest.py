import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from cv_pipelines.catalog import Catalog, Outcome
from cv_pipelines.database.engine import open_database
from cv_pipelines.images.ingest import ingest, read_small
from cv_pipelines.images.manifest import IMAGES, NEAR_DUPLICATES, QUARANTINE
from cv_pipelines.images.sources.folder import FolderSource
from cv_pipelines.images.sources.protocol import SourceItem
from cv_pipelines.storage.local import LocalStore

WriteImage = Callable[..., Path]


@dataclass(frozen=True)
class TiredSource(FolderSource):
    """A folder of which a part is on a disk that is away until somebody mends it."""

    def read(self, item: SourceItem) -> bytes:
        if item.path.startswith("away") and not (self.root / ".mended").exists():
            raise OSError(5, "Input/output error")
        return super().read(item)


@dataclass(frozen=True)
class DeadlySource(FolderSource):
    """One of its files kills whoever reads it."""

    def read(self, item: SourceItem) -> bytes:
        if item.path.endswith("deadly.png"):
            os._exit(11)
        return super().read(item)


def images_of(outcome: Outcome) -> dict[str, list[str]]:
    rows = outcome.bundle.table("images").to_pylist()
    return {row["sources"][0]: row["sources"] for row in rows}


def quarantine_of(outcome: Outcome) -> dict[str, str]:
    return {row["path"]: row["code"] for row in outcome.bundle.table("quarantine").to_pylist()}


def assert_nothing_is_lost(outcome: Outcome, files: int) -> None:
    facts = outcome.bundle.facts
    images = outcome.bundle.table("images").to_pylist()
    quarantine = outcome.bundle.table("quarantine").to_pylist()
    assert facts["files"] == files == facts["images"] + facts["duplicates"] + facts["quarantined"]
    assert (facts["images"], facts["quarantined"]) == (len(images), len(quarantine))
    assert facts["duplicates"] == sum(len(row["sources"]) - 1 for row in images)
    paths = [path for row in images for path in row["sources"]] + [row["path"] for row in quarantine]
    assert len(set(paths)) == files


def test_a_folder_becomes_images_duplicates_and_quarantined(
    catalog: Catalog, tmp_path: Path, write_image: WriteImage
) -> None:
    root = tmp_path / "data"
    write_image(root / "cat" / "1.png", seed=1)
    write_image(root / "cat" / "garden" / "1 again.png", seed=1)
    write_image(root / "cat" / "1.jpg", seed=1, quality=80)
    write_image(root / "dog" / "2.png", seed=2)
    write_image(root / "cat" / "3.png", seed=3)
    write_image(root / "dog" / "3.png", seed=3)
    write_image(root / "loose.png", seed=4)
    (root / "dog" / "bad.png").write_bytes(b"no image")
    told: list[tuple[str, int, int | None]] = []

    outcome = ingest(catalog, FolderSource(root), 1, lambda *step: told.append(step))

    assert_nothing_is_lost(outcome, files=8)
    assert images_of(outcome) == {
        "cat/1.jpg": ["cat/1.jpg"],
        "cat/1.png": ["cat/1.png", "cat/garden/1 again.png"],
        "dog/2.png": ["dog/2.png"],
        "loose.png": ["loose.png"],
    }
    assert quarantine_of(outcome) == {
        "cat/3.png": "label_conflict",
        "dog/3.png": "label_conflict",
        "dog/bad.png": "not_an_image",
    }
    assert told[-1] == ("reading images", 8, 8)


def test_the_tables_have_their_schemas_and_orders(
    catalog: Catalog, tmp_path: Path, write_image: WriteImage
) -> None:
    root = tmp_path / "data"
    for seed in range(4):
        write_image(root / "train" / "cat" / f"{seed}.png", seed=seed)
    write_image(root / "test" / "cat" / "site" / "saved again.jpg", seed=0, quality=85)
    write_image(root / "loose.png", seed=9, width=30, height=20)
    for name in ("b.png", "a.png"):
        (root / "train" / name).write_bytes(b"")

    bundle = ingest(catalog, FolderSource(root), 1).bundle
    images, pairs = bundle.table("images"), bundle.table("near_duplicates")
    rows = {row["sources"][0]: row for row in images.to_pylist()}

    assert images.schema.equals(IMAGES)
    assert bundle.table("quarantine").schema.equals(QUARANTINE)
    assert pairs.schema.equals(NEAR_DUPLICATES)
    assert images["image_id"].to_pylist() == sorted(images["image_id"].to_pylist())
    assert bundle.table("quarantine")["path"].to_pylist() == ["train/a.png", "train/b.png"]
    loose, again = rows["loose.png"], rows["test/cat/site/saved again.jpg"]
    assert (loose["source_label"], loose["source_split"], loose["source_group"]) == (None, None, "")
    assert (again["source_label"], again["source_split"], again["source_group"]) == ("cat", "test", "test/site")
    same = sorted([again["image_id"], rows["train/cat/0.png"]["image_id"]])
    assert [[pair["image_id"], pair["other_id"]] for pair in pairs.to_pylist()] == [same]
    assert bundle.facts["near_duplicates"] == 1
    assert read_small(catalog, loose["image_id"]).shape == (20, 30, 3)


def test_an_unchanged_listing_reads_nothing(catalog: Catalog, tmp_path: Path, write_image: WriteImage) -> None:
    path = write_image(tmp_path / "data" / "cat" / "1.png")
    first = ingest(catalog, FolderSource(tmp_path / "data"), 1)
    status, told = path.stat(), []
    path.write_bytes(b"x" * status.st_size)  # whoever reads it again would refuse it
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))

    second = ingest(catalog, FolderSource(tmp_path / "data"), 1, lambda *step: told.append(step))

    assert (first.reused, second.reused) == (False, True)
    assert second.reference == first.reference
    assert told == []


def test_the_same_content_at_another_time_and_place_is_the_same_version(
    catalog: Catalog, tmp_path: Path, write_image: WriteImage
) -> None:
    write_image(tmp_path / "data" / "cat" / "1.png", seed=1)
    (tmp_path / "data" / "cat" / "bad.png").write_bytes(b"")
    first = ingest(catalog, FolderSource(tmp_path / "data"), 1)
    os.utime(tmp_path / "data" / "cat" / "1.png", ns=(0, 0))
    (tmp_path / "data").rename(tmp_path / "moved")

    touched = ingest(catalog, FolderSource(tmp_path / "moved"), 1)
    write_image(tmp_path / "moved" / "cat" / "1.png", seed=2)
    changed = ingest(catalog, FolderSource(tmp_path / "moved"), 1)

    assert touched.reused is False
    assert touched.reference.version == first.reference.version
    assert changed.reference.version != first.reference.version


@pytest.mark.parametrize("bad", [0, 2])
def test_a_source_without_one_good_image_is_a_manifest_without_images(
    catalog: Catalog, tmp_path: Path, bad: int
) -> None:
    (tmp_path / "data").mkdir()
    for number in range(bad):
        (tmp_path / "data" / f"{number}.png").write_bytes(b"")

    outcome = ingest(catalog, FolderSource(tmp_path / "data"), 1)

    assert_nothing_is_lost(outcome, files=bad)
    assert outcome.bundle.table("images").num_rows == 0
    assert outcome.bundle.table("images").schema.equals(IMAGES)


def test_a_file_that_kills_its_reader_costs_only_itself(
    catalog: Catalog, tmp_path: Path, write_image: WriteImage
) -> None:
    for name, seed in (("1.png", 1), ("deadly.png", 2), ("3.png", 3)):
        write_image(tmp_path / "data" / name, seed=seed)

    outcome = ingest(catalog, DeadlySource(tmp_path / "data"), 1)

    assert_nothing_is_lost(outcome, files=3)
    assert quarantine_of(outcome) == {"deadly.png": "decoder_crashed"}
    assert sorted(images_of(outcome)) == ["1.png", "3.png"]


def test_files_that_could_not_be_read_are_read_when_they_can(
    catalog: Catalog, tmp_path: Path, write_image: WriteImage
) -> None:
    write_image(tmp_path / "data" / "here" / "1.png", seed=1)
    write_image(tmp_path / "data" / "away" / "2.png", seed=2)
    first = ingest(catalog, TiredSource(tmp_path / "data"), 1)
    (tmp_path / "data" / ".mended").touch()

    second = ingest(catalog, TiredSource(tmp_path / "data"), 1)

    assert quarantine_of(first) == {"away/2.png": "unreadable"}
    assert quarantine_of(second) == {}
    assert sorted(images_of(second)) == ["away/2.png", "here/1.png"]


FILES = st.tuples(
    st.sampled_from(["", "cat", "dog", "größe"]),
    st.sampled_from(["good 1", "good 2", "good 3", "empty", "text", "short"]),
)


@settings(max_examples=5, phases=[Phase.explicit, Phase.generate])
@given(st.lists(FILES, min_size=1, max_size=14))
def test_no_mix_of_files_loses_one(
    tmp_path_factory: pytest.TempPathFactory, write_image: WriteImage, files: list[tuple[str, str]]
) -> None:
    folder = tmp_path_factory.mktemp("mix")
    labels: dict[str, set[str]] = {}
    for number, (label, content) in enumerate(files):
        path = write_image(
            folder / "data" / label / f"{number}.png", seed=int(content[-1:]) if "good" in content else 0
        )
        if content == "short":
            path.write_bytes(path.read_bytes()[:100])
        elif "good" not in content:
            path.write_bytes(b"hello" if content == "text" else b"")
        else:
            labels.setdefault(content, set()).add(label)
    conflicts = {content for content, given in labels.items() if len(given - {""}) > 1}
    engine = open_database(f"sqlite:///{folder / 'cv.sqlite'}")

    outcome = ingest(Catalog(engine, LocalStore(folder / "store")), FolderSource(folder / "data"), 1)
    engine.dispose()

    assert_nothing_is_lost(outcome, files=len(files))
    assert outcome.bundle.facts["images"] == len(labels.keys() - conflicts)
    bad = [content for _, content in files if content not in labels or content in conflicts]
    assert outcome.bundle.facts["quarantined"] == len(bad)
