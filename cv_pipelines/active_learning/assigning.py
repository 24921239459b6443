"""Giving people the images that the newest queue asks for, as well as any others."""

from collections.abc import Sequence
from typing import Literal

import pyarrow as pa
import pyarrow.compute as pc

from cv_pipelines.active_learning.queue import ASSET, read_queue
from cv_pipelines.annotations import assigning
from cv_pipelines.annotations.assigning import Assigned, assign_some, assign_these
from cv_pipelines.annotations.store.assignments import taken_images
from cv_pipelines.catalog import Catalog
from cv_pipelines.database.engine import reading
from cv_pipelines.errors import InputError
from cv_pipelines.images.versions import MANIFEST

Source = assigning.Source | Literal["asked"]


def assign_from(
    catalog: Catalog,
    dataset: str,
    people: Sequence[str],
    by: str,
    count: int,
    source: Source = "unlabelled",
    twice: float = 0.0,
    seed: int = 0,
) -> Assigned:
    """Deal images that nobody has yet, evenly to people; as `annotations.assigning.assign_some`.

    Args:
        catalog: where the data set is.
        dataset: its name.
        people: who labels.
        by: assigns.
        count: of images; there may be fewer.
        source: as there; or `asked`: what the newest queue asks for and nobody has labelled, first things first.
        twice: the part of them that is given to a second person, too.
        seed: of chance.

    Raises:
        InputError: as there; `no_queue`: nobody has asked for anything yet.
    """
    if source != "asked":
        return assign_some(catalog, dataset, people, by, count, source, twice, seed)
    return assign_these(catalog, dataset, _wanted(catalog, dataset)[:count], people, by, twice, seed)


def _wanted(catalog: Catalog, dataset: str) -> list[str]:
    """Images of the newest queue that are there, without a label, and nobody's yet, in its order."""
    reference = catalog.current(ASSET, dataset)
    if reference is None:
        raise InputError("no_queue", f"'{dataset}' has no queue yet: cv-pipelines labels ask {dataset}")
    rows = read_queue(catalog, dataset, catalog.open(reference))
    manifest = catalog.open(catalog.require(MANIFEST, dataset))
    ids = manifest.table("images", ["image_id"])["image_id"]
    present = set(ids.filter(pc.is_in(ids, pa.array([one["image_id"] for one in rows], pa.string()))).to_pylist())
    with reading(catalog.database) as connection:
        taken = taken_images(connection, dataset)
    return [
        one["image_id"]
        for one in rows
        if not one["labelled"] and one["image_id"] in present and one["image_id"] not in taken
    ]
