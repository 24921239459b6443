"""What the tests of ingest share: sources that watch or hinder their readers, and ways to look at an outcome."""

import hashlib
import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from cv_pipelines.catalog import Catalog, Outcome
from cv_pipelines.images import ingest as ingesting
from cv_pipelines.images import inspection
from cv_pipelines.images.decode import Pixels, decode_opened
from cv_pipelines.images.sources.folder import FolderSource
from cv_pipelines.images.sources.protocol import SourceItem
from cv_pipelines.storage.packs import contents

_LOG = ".read"


@dataclass(frozen=True)
class WatchedSource(FolderSource):
    """A folder that notes which of its files are read; those called `away…` cannot be, until it is mended."""

    def read(self, item: SourceItem) -> bytes:
        with (self.root / _LOG).open("a") as log:
            log.write(f"{item.path}\n")
        if item.path.startswith("away") and not (self.root / ".mended").exists():
            raise OSError(5, "Input/output error")
        return super().read(item)


@dataclass(frozen=True)
class DeadlySource(FolderSource):
    """One of its files kills whoever reads it, and at one a decoder comes to no end."""

    def read(self, item: SourceItem) -> bytes:
        if item.path.endswith("deadly.png"):
            os._exit(11)
        inspection.DECODE_SECONDS = 1  # in the worker, which has nothing else to do
        decode = _hang if item.path.endswith("endless.png") else decode_opened
        pytest.MonkeyPatch().setattr(inspection, "decode_opened", decode)
        return super().read(item)


def _hang(image: Image.Image, at_least: int | None = None) -> Pixels:
    hashlib.pbkdf2_hmac("sha256", b"", b"", 5 * 10**7)  # minutes, of which Python sees nothing
    return decode_opened(image, at_least)


def take_read(root: Path) -> list[str]:
    """The files of a WatchedSource that were read since the last call, by path."""
    log = root / _LOG
    paths = sorted(log.read_text().splitlines()) if log.exists() else []
    log.unlink(missing_ok=True)
    return paths


def work_in_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have ingest work here, where limits can be lowered, and save what it has found after every file."""

    def work_here(work: Callable[[list[Any]], Any], items: Iterable[Any], *_: object) -> Iterator[Any]:
        for item in items:
            yield work([item])

    monkeypatch.setattr(ingesting, "map_in_workers", work_here)
    monkeypatch.setattr(ingesting, "start_server", lambda _: None)
    monkeypatch.setattr(ingesting, "_SAVE_SECONDS", -1)


def images_of(outcome: Outcome) -> dict[str, list[str]]:
    """The paths of each image, by the first of them."""
    rows = outcome.bundle.table("images").to_pylist()
    return {row["sources"][0]: row["sources"] for row in rows}


def rows_of(outcome: Outcome) -> dict[str, dict[str, Any]]:
    """The row of each image, by its first path."""
    return {row["sources"][0]: row for row in outcome.bundle.table("images").to_pylist()}


def quarantine_of(outcome: Outcome) -> dict[str, str]:
    """The code of each file that is not used, by path."""
    return {row["path"]: row["code"] for row in outcome.bundle.table("quarantine").to_pylist()}


def packed(catalog: Catalog) -> list[str]:
    """The ids of all images in the store, one as often as it is there."""
    store = catalog.store
    return sorted(image for pack in store.objects("packs/") for image, _ in contents(store, pack))


def assert_nothing_is_lost(outcome: Outcome, files: int) -> None:
    """Every file is the first of an image, a duplicate of one, or in quarantine."""
    facts = outcome.bundle.facts
    images = outcome.bundle.table("images").to_pylist()
    quarantine = outcome.bundle.table("quarantine").to_pylist()
    assert facts["files"] == files == facts["images"] + facts["duplicates"] + facts["quarantined"]
    assert (facts["images"], facts["quarantined"]) == (len(images), len(quarantine))
    assert facts["duplicates"] == sum(len(row["sources"]) - 1 for row in images)
    paths = [path for row in images for path in row["sources"]] + [row["path"] for row in quarantine]
    assert len(set(paths)) == files
