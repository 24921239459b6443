import os
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from cv_pipelines.catalog import Catalog
from cv_pipelines.database.engine import open_database
from cv_pipelines.images.decode import decode_image
from cv_pipelines.images.ingest import ingest
from cv_pipelines.images.manifest import COMPARISONS, FACTS, IMAGES, NEAR_DUPLICATES, QUARANTINE
from cv_pipelines.images.sources.folder import FolderSource
from cv_pipelines.images.stored import stored_images
from cv_pipelines.storage.local import LocalStore
from tests.images.ingests import (
    DeadlySource,
    assert_nothing_is_lost,
    images_of,
    packed,
    quarantine_of,
    rows_of,
)

WriteImage = Callable[..., Path]


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
    (root / "dog" / "gone.png").symlink_to(root / "nowhere")
    told: list[tuple[str, int, int | None]] = []

    outcome = ingest(catalog, FolderSource(root), 1, lambda *step: told.append(step))

    assert_nothing_is_lost(outcome, files=9)
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
        "dog/gone.png": "unusable",
    }
    assert told[0] == ("listing files", 9, None)
    assert ("reading images", 8, 8) in told
    assert told[-1] == ("comparing alike images", 1, 1)


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

    outcome = ingest(catalog, FolderSource(root), 1)
    bundle, rows = outcome.bundle, rows_of(outcome)
    images, pairs = bundle.table("images"), bundle.table("near_duplicates")

    assert images.schema.equals(IMAGES)
    assert bundle.table("quarantine").schema.equals(QUARANTINE)
    assert pairs.schema.equals(NEAR_DUPLICATES)
    assert bundle.table("files").schema.equals(FACTS)
    assert bundle.table("comparisons").schema.equals(COMPARISONS)
    assert images["image_id"].to_pylist() == sorted(images["image_id"].to_pylist())
    assert bundle.table("quarantine")["path"].to_pylist() == ["train/a.png", "train/b.png"]
    loose, again = rows["loose.png"], rows["test/cat/site/saved again.jpg"]
    assert (loose["source_label"], loose["source_split"], loose["source_group"]) == (None, None, "")
    assert (again["source_label"], again["source_split"], again["source_group"]) == ("cat", "test", "test/site")
    same = sorted([again["image_id"], rows["train/cat/0.png"]["image_id"]])
    assert [[pair["image_id"], pair["other_id"]] for pair in pairs.to_pylist()] == [same]
    assert bundle.facts["near_duplicates"] == 1
    assert decode_image(stored_images(bundle).read(loose["image_id"])).shape == (20, 30, 3)
    assert packed(catalog) == images["image_id"].to_pylist()


def test_an_unchanged_listing_reads_nothing(catalog: Catalog, tmp_path: Path, write_image: WriteImage) -> None:
    path = write_image(tmp_path / "data" / "cat" / "1.png")
    first = ingest(catalog, FolderSource(tmp_path / "data"), 1)
    status, told = path.stat(), []
    path.write_bytes(b"x" * status.st_size)  # whoever reads it again would refuse it
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))

    second = ingest(catalog, FolderSource(tmp_path / "data"), 1, lambda *step: told.append(step))

    assert (first.reused, second.reused) == (False, True)
    assert second.reference == first.reference
    assert told == [("listing files", 1, None)]


@pytest.mark.usefixtures("in_process")
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
    assert len(stored_images(outcome.bundle).ids) == 0


def test_files_that_end_their_reader_or_keep_it_for_ever_cost_only_themselves(
    catalog: Catalog, tmp_path: Path, write_image: WriteImage
) -> None:
    for seed, name in enumerate(("1.png", "2 deadly.png", "3 endless.png", "4.png", "5.png")):
        write_image(tmp_path / "data" / name, seed=seed)

    outcome = ingest(catalog, DeadlySource(tmp_path / "data"), 1)

    assert_nothing_is_lost(outcome, files=5)
    assert quarantine_of(outcome) == {"2 deadly.png": "decoder_crashed", "3 endless.png": "decoder_crashed"}
    assert sorted(images_of(outcome)) == ["1.png", "4.png", "5.png"]


def test_names_that_are_no_unicode_are_files_like_any_other(
    catalog: Catalog, tmp_path: Path, write_image: WriteImage
) -> None:
    write_image(tmp_path / "data" / "gr\udcf6\udcdfe" / "caf\udce9.png", seed=1)
    write_image(tmp_path / "data" / "größe" / "café.png", seed=2)

    outcome = ingest(catalog, FolderSource(tmp_path / "data"), 1)

    assert_nothing_is_lost(outcome, files=2)
    assert sorted(images_of(outcome)) == ["gr\\xf6\\xdfe/caf\\xe9.png", "größe/café.png"]


FILES = st.tuples(
    st.sampled_from(["", "cat", "dog", "größe"]),
    st.sampled_from(["good 1", "good 2", "good 3", "empty", "text", "short"]),
)


def fill(root: Path, write_image: WriteImage, files: list[tuple[str, str]]) -> tuple[int, int]:
    """Write files of a class and a content; returns how many images they are, and how many bad files."""
    labels: dict[str, set[str]] = {}
    for number, (label, content) in enumerate(files):
        seed = int(content[-1]) if "good" in content else 0
        path = write_image(root / label / f"{number}.png", seed=seed)
        if content == "short":
            path.write_bytes(path.read_bytes()[:100])
        elif "good" not in content:
            path.write_bytes(b"hello" if content == "text" else b"")
        else:
            labels.setdefault(content, set()).add(label)
    conflicts = {content for content, given in labels.items() if len(given - {""}) > 1}
    bad = [content for _, content in files if content not in labels or content in conflicts]
    return len(labels.keys() - conflicts), len(bad)


@settings(max_examples=5, phases=[Phase.explicit, Phase.generate])
@given(st.lists(FILES, min_size=1, max_size=14))
def test_no_mix_of_files_loses_one(
    tmp_path_factory: pytest.TempPathFactory, write_image: WriteImage, files: list[tuple[str, str]]
) -> None:
    folder = tmp_path_factory.mktemp("mix")
    images, bad = fill(folder / "data", write_image, files)
    engine = open_database(f"sqlite:///{folder / 'cv.sqlite'}")

    outcome = ingest(Catalog(engine, LocalStore(folder / "store")), FolderSource(folder / "data"), 1)
    engine.dispose()

    assert_nothing_is_lost(outcome, files=len(files))
    assert (outcome.bundle.facts["images"], outcome.bundle.facts["quarantined"]) == (images, bad)
