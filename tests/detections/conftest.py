"""A data set of three images, and files of detections about it."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from cv_pipelines.catalog import Catalog
from cv_pipelines.images.datasets import add_dataset
from cv_pipelines.images.manifest import IMAGES
from cv_pipelines.storage.bundles import put_bundle, put_table

Write = Callable[[str, Any], Path]
PATHS = {"i1": ["north/0001.jpg"], "i2": ["south/0001.jpg"], "i3": ["south/0002.jpg", "copies/0002.jpg"]}


@pytest.fixture
def street(catalog: Catalog) -> Catalog:
    """The data set `street` with the classes car and traffic_light."""
    add_dataset(catalog.database, "street", "/photos")
    rows = [{"image_id": one, "sources": paths, "width": 640, "height": 480} for one, paths in PATHS.items()]
    images = put_table(catalog.store, pa.Table.from_pylist(rows, IMAGES))
    for asset, facts, parts in (
        ("image_manifest", {}, {"images": images}),
        ("labels", {"classes": ["car", "traffic_light"], "counts": {"car": 2, "traffic_light": 1}}, {}),
    ):
        catalog.publish(asset, "street", put_bundle(catalog.store, asset, f"{asset}-1", facts, parts))
    return catalog


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """`write(name, content)`: a file of text or bytes, of JSON for anything else."""

    def run(name: str, content: Any) -> Path:
        path = tmp_path / "files" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, bytes):
            path.write_bytes(content)
        else:
            path.write_text(content if isinstance(content, str) else json.dumps(content))
        return path

    return run
