from dataclasses import replace
from pathlib import Path

import pytest

from cv_pipelines.errors import InputError
from cv_pipelines.images.sources.factory import listing_hash, open_source, probe_source
from cv_pipelines.images.sources.folder import FolderSource
from cv_pipelines.images.sources.protocol import SourceItem
from cv_pipelines.images.sources.table import CsvSource

ITEM = SourceItem("a.png", "/data/a.png", "cat", "train", "site", "3:4", "")


def test_what_is_there_decides_the_source(tmp_path: Path) -> None:
    (tmp_path / "classes" / "cat").mkdir(parents=True)
    (tmp_path / "table").mkdir()
    (tmp_path / "table" / "labels.csv").write_text("path\n")
    (tmp_path / "Export.CSV").write_text("path\n")

    assert open_source(str(tmp_path / "classes")) == FolderSource(tmp_path / "classes")
    assert open_source(str(tmp_path / "table")) == CsvSource(tmp_path / "table" / "labels.csv")
    assert open_source(str(tmp_path / "Export.CSV")) == CsvSource(tmp_path / "Export.CSV")


@pytest.mark.parametrize("name", ["nothing", "nothing.csv", "picture.png"])
def test_anything_else_is_refused_with_what_is_possible(tmp_path: Path, name: str) -> None:
    (tmp_path / "picture.png").write_bytes(b"")

    with pytest.raises(InputError, match=f"{name}' is neither a folder nor a") as caught:
        open_source(str(tmp_path / name))

    assert caught.value.code == "no_source"


def test_a_probe_counts_classes_and_splits_without_reading_a_file(tmp_path: Path) -> None:
    for name in ("train/dog/1.png", "train/cat/1.png", "train/cat/2.png", "test/cat/3.png", "test/4.png", "5.png"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"no image")

    probe = probe_source(open_source(str(tmp_path)))

    assert probe.files == 6
    assert list(probe.classes.items()) == [("cat", 3), ("dog", 1)]
    assert list(probe.splits.items()) == [("test", 2), ("train", 3)]
    assert probe.unlabelled == 2


@pytest.mark.parametrize("field", ["path", "label", "split", "group", "stamp", "problem"])
def test_the_hash_of_a_listing_changes_with_whatever_a_row_says(field: str) -> None:
    assert listing_hash([replace(ITEM, **{field: "other"})]) != listing_hash([ITEM])


def test_the_hash_of_a_listing_changes_when_a_file_comes_or_goes() -> None:
    assert len({listing_hash([ITEM] * count) for count in range(3)}) == 3


def test_the_hash_of_a_listing_does_not_depend_on_where_the_folder_lies() -> None:
    assert listing_hash([replace(ITEM, location="/elsewhere/a.png")]) == listing_hash([ITEM])
