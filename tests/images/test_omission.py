"""A manifest without forgotten images is the one that an ingest would make of the same files."""

from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import pyarrow.compute as pc
import pytest

from cv_pipelines.catalog import Catalog, Outcome
from cv_pipelines.images.ingest import Wishes, ingest
from cv_pipelines.images.manifest import FACTS, IMAGES, QUARANTINE
from cv_pipelines.images.omission import without_images
from cv_pipelines.images.sources.folder import FolderSource
from cv_pipelines.storage.bundles import Bundle, put_bundle, put_table

WriteImage = Callable[..., Path]


def image_id(path: Path) -> str:
    return sha256(path.read_bytes()).hexdigest()


@pytest.fixture
def source(tmp_path: Path, write_image: WriteImage) -> FolderSource:
    """Three files of one image, a re-saved one, two in a label conflict, one that is no image."""
    root = tmp_path / "data"
    for name in ("cat/1.png", "cat/garden/1.png", "cat/again.png"):
        write_image(root / name, seed=1)
    write_image(root / "cat/1.jpg", seed=1, quality=90)
    write_image(root / "dog/2.png", seed=2)
    for kind in ("cat", "dog"):
        write_image(root / kind / "both.png", seed=3)
    (root / "dog" / "bad.png").write_bytes(b"no image")
    return FolderSource(root)


@pytest.fixture
def outcome(catalog: Catalog, source: FolderSource) -> Outcome:
    return ingest(catalog, source, 1)


def without(catalog: Catalog, outcome: Outcome, *paths: Path) -> Bundle:
    return catalog.open(without_images(catalog, outcome.reference, [image_id(path) for path in paths]))


@pytest.mark.parametrize("name", ["cat/1.png", "cat/1.jpg", "dog/2.png", "cat/both.png"])
def test_the_next_ingest_finds_the_same(
    catalog: Catalog, source: FolderSource, outcome: Outcome, name: str
) -> None:
    found = without(catalog, outcome, source.root / name)

    wishes = Wishes(forgotten=frozenset({image_id(source.root / name)}))
    again = ingest(catalog, source, 1, wishes=wishes).bundle

    assert found.version == again.version != outcome.reference.version
    for part in ("images", "quarantine", "near_duplicates"):
        assert found.table(part).drop_columns(_places(part)).equals(again.table(part).drop_columns(_places(part)))
    for count in ("files", "images", "duplicates", "quarantined", "near_duplicates", "listing"):
        assert found.facts[count] == again.facts[count]


def _places(part: str) -> list[str]:
    return ["uri"] if part == "images" else []


def test_an_ingest_that_goes_on_from_it_reads_nothing_again(
    catalog: Catalog, source: FolderSource, outcome: Outcome
) -> None:
    forgotten = image_id(source.root / "cat/1.png")
    reference = without_images(catalog, outcome.reference, [forgotten])
    stages: list[str] = []

    again = ingest(
        catalog,
        source,
        1,
        lambda stage, *_: stages.append(stage),
        reference,
        Wishes(forgotten=frozenset({forgotten})),
    )

    assert again.reused
    assert again.reference.version == reference.version
    assert "reading images" not in stages


def test_every_file_is_still_accounted_for(catalog: Catalog, source: FolderSource, outcome: Outcome) -> None:
    facts = without(catalog, outcome, source.root / "cat/1.png", source.root / "cat/both.png").facts

    assert (facts["files"], facts["images"], facts["duplicates"], facts["quarantined"]) == (8, 2, 0, 6)


def test_no_table_names_it_any_more(catalog: Catalog, source: FolderSource, outcome: Outcome) -> None:
    found = without(catalog, outcome, source.root / "cat/1.png")

    for part in found.parts:
        table = found.table(part)
        for column in {"image_id", "other_id"} & set(table.column_names):
            assert not pc.any(pc.equal(table[column], image_id(source.root / "cat/1.png"))).as_py(), part
    assert outcome.bundle.table("near_duplicates").num_rows == 1
    assert found.table("near_duplicates").num_rows == 0
    assert found.table("images").schema.equals(IMAGES)
    assert found.table("quarantine").schema.equals(QUARANTINE)
    assert found.table("files").schema.equals(FACTS)


def test_a_manifest_that_has_none_of_them_stays_the_same(catalog: Catalog, outcome: Outcome) -> None:
    assert without_images(catalog, outcome.reference, ["0" * 64]) == outcome.reference
    assert without_images(catalog, outcome.reference, []) == outcome.reference


def test_a_manifest_from_before_files_were_noted_can_lose_an_image(
    catalog: Catalog, source: FolderSource, outcome: Outcome
) -> None:
    bundle = outcome.bundle
    old = {part: bundle.parts[part] for part in ("images", "near_duplicates")}
    old["quarantine"] = put_table(catalog.store, bundle.table("quarantine").drop_columns("image_id"))
    reference = put_bundle(catalog.store, "image_manifest", "old", bundle.facts, old)

    found = catalog.open(without_images(catalog, reference, [image_id(source.root / "dog/2.png")]))

    assert found.facts["images"] == bundle.facts["images"] - 1
    assert {row["path"]: row["code"] for row in found.table("quarantine").to_pylist()} == {
        "cat/both.png": "label_conflict",
        "dog/2.png": "forgotten",
        "dog/bad.png": "not_an_image",
        "dog/both.png": "label_conflict",
    }
