"""The table a model learns from: images, class indices and splits, in one versioned order."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from cv_pipelines.catalog import Catalog
from cv_pipelines.errors import InputError
from cv_pipelines.hashing import hash_rows, hash_values
from cv_pipelines.storage.bundles import Reference


@dataclass(frozen=True)
class LabelledImages:
    """Labelled images of some splits, ordered by id.

    Attributes:
        image_ids: ids.
        targets: index into `classes` of each, int64.
        splits: the split of each.
        classes: names of the classes.
        version: a hash of all of it.
    """

    image_ids: list[str]
    targets: NDArray[np.int64]
    splits: NDArray[np.str_]
    classes: list[str]
    version: str

    def split(self, name: str) -> "LabelledImages":
        """The images of one split."""
        rows = np.flatnonzero(self.splits == name)
        ids = [self.image_ids[row] for row in rows]
        return LabelledImages(ids, self.targets[rows], self.splits[rows], self.classes, f"{self.version}/{name}")

    def labels(self) -> list[str]:
        """The class name of each image."""
        return [self.classes[target] for target in self.targets]


def labelled_images(
    catalog: Catalog, labels: Reference, splits: Reference, wanted: tuple[str, ...]
) -> LabelledImages:
    """Join labels and splits.

    Raises:
        InputError: a label is not in the label set, or a wanted split is empty.
    """
    bundle = catalog.open(labels)
    classes: list[str] = bundle.facts["classes"]
    assignments = catalog.open(splits).table("assignments", ["image_id", "split", "present"])
    chosen = assignments.filter(pc.and_(assignments["present"], pc.is_in(assignments["split"], pa.array(wanted))))
    table = bundle.table("labels").join(chosen, "image_id", join_type="inner").sort_by("image_id")
    for name in wanted:
        if not pc.any(pc.equal(table["split"], name)).as_py():
            message = f"The {name} split has no images. Label more images, then run the data set again."
            raise InputError("empty_split", message)
    targets = pc.index_in(table["label"], pa.array(classes, pa.string()))
    if targets.null_count:
        unknown = table["label"].filter(pc.is_null(targets)).unique().to_pylist()
        message = f"Labels that are not in the label set: {', '.join(map(str, unknown))}."
        raise InputError("unknown_label", message)
    version = hash_values({"rows": hash_rows(table.select(["image_id", "label", "split"])), "classes": classes})
    return LabelledImages(
        table["image_id"].to_pylist(),
        targets.to_numpy().astype(np.int64),
        np.array(table["split"].to_pylist()),
        classes,
        version,
    )
