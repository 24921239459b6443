from pathlib import Path

import cv2
import numpy as np
import pytest

from cv_pipelines.catalog import Catalog
from cv_pipelines.images.decode import decode_image
from cv_pipelines.images.header import open_image, read_header
from cv_pipelines.images.ingest import ingest
from cv_pipelines.images.sources.folder import FolderSource
from cv_pipelines.images.stored import stored_images


@pytest.mark.parametrize("name", ["Landscape", "Portrait"])
def test_a_photo_looks_the_same_in_every_orientation(bench_data: Path, name: str) -> None:
    files = sorted((bench_data / "exif_orientation").glob(f"{name}_*.jpg"))
    pictures = [decode_image(file.read_bytes(), at_least=64) for file in files]

    headers = [read_header(open_image(file.read_bytes())) for file in files]
    small = [cv2.resize(one, (32, 32), interpolation=cv2.INTER_AREA).astype(int) for one in pictures]

    assert len(files) == 9
    assert all((one.width > one.height) == (name == "Landscape") for one in headers)
    assert all(np.abs(one - small[0]).mean() < 6 for one in small)


def test_every_hostile_file_is_accounted_for(catalog: Catalog, bench_data: Path) -> None:
    folder = bench_data / "hostile_images"
    names = {path.name for path in folder.iterdir()}

    bundle = ingest(catalog, FolderSource(folder), workers=2).bundle

    images = bundle.table("images").to_pylist()
    quarantine = bundle.table("quarantine").to_pylist()
    used = [path for row in images for path in row["sources"]]
    assert sorted(used + [row["path"] for row in quarantine]) == sorted(names)
    assert bundle.facts["files"] == len(names)
    assert bundle.facts["duplicates"] == len(used) - len(images)
    assert all(row["code"] and row["reason"] for row in quarantine)
    stored = stored_images(bundle)
    for row in images:
        pixels = decode_image(stored.read(row["image_id"]))
        assert pixels.shape == (row["height"], row["width"], 3)
