import io
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from cv_pipelines.catalog import Catalog
from cv_pipelines.errors import InputError
from cv_pipelines.images.contact_sheet import MAX_BYTES
from cv_pipelines.images.datasets import add_dataset
from cv_pipelines.images.decisions import accept, wishes_of
from cv_pipelines.images.ingest import ingest
from cv_pipelines.images.quarantine import find_acceptable, quarantine_sheet, quarantined_files
from cv_pipelines.images.sources.folder import FolderSource
from tests.catalogs import forget_name

WriteImage = Callable[..., Path]


@pytest.fixture
def pets(catalog: Catalog, tmp_path: Path, write_image: WriteImage) -> Callable[[], None]:
    """`pets()` ingests a folder with one good file, a bad one, and one image in two classes."""
    folder = tmp_path / "pets"
    write_image(folder / "cat" / "good.png", seed=1)
    write_image(folder / "cat" / "both.png", seed=2)
    write_image(folder / "dog" / "both.png", seed=2)
    (folder / "dog" / "bad.png").write_bytes(b"no image")
    add_dataset(catalog.database, "pets", str(folder))

    def sync() -> None:
        previous = catalog.current("image_manifest", "pets")
        wishes = wishes_of(catalog.database, "pets")
        outcome = ingest(catalog, FolderSource(folder), 1, previous=previous, wishes=wishes)
        catalog.publish("image_manifest", "pets", outcome.reference)

    return sync


def test_every_file_in_quarantine_has_a_reason_and_says_what_to_do(
    catalog: Catalog, pets: Callable[[], None]
) -> None:
    pets()

    files = quarantined_files(catalog, "pets")

    assert [(one.path, one.code) for one in files] == [
        ("cat/both.png", "label_conflict"),
        ("dog/bad.png", "not_an_image"),
        ("dog/both.png", "label_conflict"),
    ]
    assert all(one.reason and one.advice for one in files)
    assert len({one.id for one in files}) == 3
    assert files[0].image_id == files[2].image_id is not None
    assert files[1].image_id is None


def test_the_preview_shows_what_can_be_seen_and_stays_small(catalog: Catalog, pets: Callable[[], None]) -> None:
    pets()
    manifest = catalog.open(catalog.require("image_manifest", "pets"))

    sheet = quarantine_sheet(manifest, quarantined_files(catalog, "pets"))

    image = Image.open(io.BytesIO(sheet))
    assert len(sheet) <= MAX_BYTES
    assert image.width > 3 * 140
    colours = image.crop((3, 3, 60, 60)).convert("RGB").getcolors(10_000)
    assert colours is not None
    assert len(colours) > 100  # the picture that stands in two classes, not a cross


def test_an_accepted_file_decides_the_class_from_the_next_ingest_on(
    catalog: Catalog, pets: Callable[[], None]
) -> None:
    pets()
    chosen = next(one for one in quarantined_files(catalog, "pets") if one.path == "dog/both.png")

    accept(catalog.database, "pets", find_acceptable(catalog, "pets", chosen.id).path, "ann")
    pets()

    assert [one.path for one in quarantined_files(catalog, "pets")] == ["dog/bad.png"]
    rows = catalog.open(catalog.require("image_manifest", "pets")).table("images").to_pylist()
    assert {tuple(row["sources"]): row["source_label"] for row in rows} == {
        ("cat/good.png",): "cat",
        ("cat/both.png", "dog/both.png"): "dog",
    }


def test_a_file_without_pixels_cannot_be_accepted(catalog: Catalog, pets: Callable[[], None]) -> None:
    pets()
    bad = next(one for one in quarantined_files(catalog, "pets") if one.path == "dog/bad.png")

    with pytest.raises(InputError, match=r"'dog/bad.png' cannot be accepted: Not a JPEG.*convert it"):
        find_acceptable(catalog, "pets", bad.id)
    with pytest.raises(InputError, match="no file nothing in quarantine"):
        find_acceptable(catalog, "pets", "nothing")


def test_what_was_accepted_of_a_removed_data_set_does_not_hold_for_the_next_of_its_name(
    catalog: Catalog, tmp_path: Path
) -> None:
    add_dataset(catalog.database, "pets", str(tmp_path))
    accept(catalog.database, "pets", "cat/1.png", "ann")
    assert wishes_of(catalog.database, "pets").accepted == {"cat/1.png"}

    forget_name(catalog.database, "pets")
    add_dataset(catalog.database, "pets", str(tmp_path))

    assert wishes_of(catalog.database, "pets").accepted == frozenset()
