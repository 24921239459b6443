"""A data set to draw on: photos without labels, one of them taken on its side, and a video's frames."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from cv_pipelines.annotations.store.classes import add_class
from cv_pipelines.annotations.store.events import Author, Change, append, newest_of, writing
from tests.web_site import Site, fill

WIDTH, HEIGHT = 400, 300
CLASSES = ("car", "person", "sign")
"""Their numbers are 0, 1 and 2."""


@dataclass(frozen=True)
class Street:
    """The data set `street`: photos of 400 x 300 pixels.

    Attributes:
        site: what it belongs to.
        images: ids by the names of files, `turned.jpg` is the one that was taken on its side.
    """

    site: Site
    images: dict[str, str]

    def say(self, image: str, content: dict[str, Any], who: str = "bob") -> None:
        """Let somebody else label an image; see annotations/store/content.py."""
        with writing(self.site.catalog.database, "street") as connection:
            written = append(connection, "street", [Change(image, json.dumps(content))], Author(who))
        assert written.events == 1

    def label(self, image: str) -> tuple[int, dict[str, Any] | None]:
        """The version that stands of an image, and what it says."""
        with self.site.catalog.database.connect() as connection:
            found = newest_of(connection, "street", [image], ["version", "content"])
        return (found[0].version, json.loads(found[0].content or "null")) if found else (0, None)

    def boxes(self, image: str) -> list[list[Any]]:
        """Class, left, top, width and height of the boxes that stand."""
        label = self.label(image)[1] or {}
        return [box[:5] for box in label.get("boxes", [])]


@pytest.fixture(scope="module")
def street(
    site: Site, tmp_path_factory: pytest.TempPathFactory, picture: Callable[..., NDArray[np.uint8]]
) -> Street:
    folder: Path = tmp_path_factory.mktemp("street")
    for number in range(19):
        Image.fromarray(picture(number, WIDTH, HEIGHT)).save(folder / f"{number:02}.jpg", quality=92)
    exif = Image.Exif()
    exif[0x0112], exif[0x010F] = 6, "a camera"
    Image.fromarray(np.rot90(picture(99, WIDTH, HEIGHT)).copy()).save(folder / "turned.jpg", exif=exif)
    ids = fill(site.catalog, "street", folder)
    with writing(site.catalog.database, "street") as connection:
        for name in CLASSES:
            add_class(connection, "street", name, "test")
    manifest = site.catalog.open(site.catalog.require("image_manifest", "street"))
    names = [held[0] for held in manifest.table("images", ["sources"])["sources"].to_pylist()]
    return Street(site, dict(zip(names, ids, strict=True)))
