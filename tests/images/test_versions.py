from collections.abc import Callable
from pathlib import Path

import pytest

from cv_pipelines.catalog import Catalog
from cv_pipelines.errors import InputError
from cv_pipelines.images.datasets import add_dataset, find_dataset
from cv_pipelines.images.ingest import ingest
from cv_pipelines.images.sources.folder import FolderSource
from cv_pipelines.images.versions import (
    diff_versions,
    find_version,
    keep_version,
    kept_version,
    list_versions,
    restore_version,
)

WriteImage = Callable[..., Path]


@pytest.fixture
def birds(catalog: Catalog, tmp_path: Path, write_image: WriteImage) -> Callable[[], str]:
    """`birds()` ingests the folder `birds` as it is then; returns the version."""
    folder = tmp_path / "birds"
    write_image(folder / "crow" / "1.png", seed=1)
    write_image(folder / "crow" / "2.png", seed=2)
    add_dataset(catalog.database, "birds", str(folder))

    def sync() -> str:
        outcome = ingest(catalog, FolderSource(folder), 1, previous=catalog.current("image_manifest", "birds"))
        catalog.publish("image_manifest", "birds", outcome.reference)
        return outcome.reference.version

    return sync


def test_versions_are_listed_once_each_with_the_newest_first(
    catalog: Catalog, birds: Callable[[], str], tmp_path: Path, write_image: WriteImage
) -> None:
    first = birds()
    birds()
    write_image(tmp_path / "birds" / "crow" / "3.png", seed=3)
    second = birds()

    found = list_versions(catalog, "birds")

    assert [(one.version, one.current, one.facts["images"]) for one in found] == [
        (second, True, 3),
        (first, False, 2),
    ]
    assert found[0].made_at >= found[1].made_at
    assert list_versions(catalog, "nothing") == []


def test_a_difference_names_images_and_files_on_both_sides(
    catalog: Catalog, birds: Callable[[], str], tmp_path: Path, write_image: WriteImage
) -> None:
    folder = tmp_path / "birds"
    (folder / "crow" / "empty.png").write_bytes(b"")
    before = birds()
    (folder / "crow" / "empty.png").unlink()
    (folder / "crow" / "bad.png").write_bytes(b"no image")
    (folder / "crow" / "1.png").rename(folder / "1.png")
    (folder / "crow" / "2.png").unlink()
    write_image(folder / "rook" / "3.png", seed=3)
    after = birds()

    found = diff_versions(
        catalog, find_version(catalog, "birds", before).reference, find_version(catalog, "birds", after).reference
    )

    assert found.added["sources"].to_pylist() == [["rook/3.png"]]
    assert found.removed["sources"].to_pylist() == [["crow/2.png"]]
    (relabelled,) = found.relabelled.to_pylist()
    assert (relabelled["sources"], relabelled["before"], relabelled["after"]) == (["1.png"], "crow", None)
    assert found.quarantined["path"].to_pylist() == ["crow/bad.png"]
    assert found.released["path"].to_pylist() == ["crow/empty.png"]


def test_a_restored_version_stands_until_the_source_is_followed_again(
    catalog: Catalog, birds: Callable[[], str], tmp_path: Path, write_image: WriteImage
) -> None:
    first = birds()
    write_image(tmp_path / "birds" / "crow" / "3.png", seed=3)
    birds()

    restore_version(catalog, "birds", find_version(catalog, "birds", first[:6]))

    dataset = find_dataset(catalog.database, "birds")
    kept = kept_version(catalog, dataset)
    assert dataset.restored == first == catalog.require("image_manifest", "birds").version
    assert kept is not None
    assert catalog.open(kept).facts["images"] == 2
    assert list_versions(catalog, "birds")[0].version != first
    assert [one.version for one in list_versions(catalog, "birds") if one.current] == [first]

    keep_version(catalog.database, "birds", None)

    assert kept_version(catalog, find_dataset(catalog.database, "birds")) is None


@pytest.mark.parametrize("prefix", ["", "zz"])
def test_a_version_that_is_not_there_or_not_one_is_refused(
    catalog: Catalog, birds: Callable[[], str], prefix: str
) -> None:
    birds()
    with pytest.raises(InputError, match="dataset versions birds"):
        find_version(catalog, "birds", prefix)
