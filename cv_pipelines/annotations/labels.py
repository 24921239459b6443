"""Labels: which class each image has, as one versioned table per data set."""

import pyarrow as pa
import pyarrow.compute as pc

from cv_pipelines.catalog import Catalog, Outcome
from cv_pipelines.hashing import VERSION_LENGTH, hash_rows, hash_values
from cv_pipelines.storage.bundles import Reference, put_bundle, put_table

CODE_VERSION = "1"
LABELS = pa.schema([("image_id", pa.string()), ("label", pa.string())])
"""One row per labelled image, ordered by `image_id`."""


def labels_from_source(catalog: Catalog, manifest: Reference, classes: tuple[str, ...] = ()) -> Outcome:
    """Take the labels that the source gives its images.

    Args:
        catalog: where artefacts are.
        manifest: the image manifest.
        classes: the label set, where somebody has fixed it; empty: the classes found, sorted.

    Returns:
        An artefact with the part `labels` (LABELS) and the facts `classes`, `counts`, `unlabelled`.
    """

    def make(_: str) -> Reference:
        images = catalog.open(manifest).table("images", ["image_id", "source_label"])
        labelled = images.filter(pc.is_valid(images["source_label"])).rename_columns(LABELS.names)
        found = {str(row["values"]): row["counts"] for row in pc.value_counts(labelled["label"]).to_pylist()}
        vocabulary = list(classes) or sorted(found)
        facts = {
            "classes": vocabulary,
            "counts": {name: found.get(name, 0) for name in [*vocabulary, *sorted(set(found) - set(vocabulary))]},
            "unlabelled": images.num_rows - labelled.num_rows,
        }
        version = hash_values({"rows": hash_rows(labelled), "classes": vocabulary})[:VERSION_LENGTH]
        parts = {"labels": put_table(catalog.store, labelled)}
        return put_bundle(catalog.store, "labels", version, facts, parts)

    inputs = {"manifest": manifest.version, "classes": list(classes), "code": CODE_VERSION}
    return catalog.once("labels", inputs, make)
