"""Is there a reason to train again?"""

from cv_pipelines.catalog import Catalog
from cv_pipelines.images.datasets import Dataset
from cv_pipelines.images.listing import listing_hash, read_listing
from cv_pipelines.images.sources.factory import open_source


def reason_to_train(catalog: Catalog, dataset: Dataset) -> str | None:
    """Say what has changed since the model was last made (or found to be made), None where nothing has.

    Raises:
        InputError: the source is not there any more.
    """
    trained = catalog.history("trained_model", dataset.name, limit=1)
    if not trained:
        return "no model yet"
    for asset in ("image_manifest", "labels", "dataset_splits"):
        history = catalog.history(asset, dataset.name)
        learned = next((one.reference for one in history if one.id < trained[0].id), None)
        if history and (learned is None or history[0].reference.version != learned.version):
            return f"{asset} has changed"
    if dataset.restored:
        return None
    manifest = catalog.require("image_manifest", dataset.name)
    listing = listing_hash(read_listing(open_source(dataset.source)))
    if catalog.open(manifest).facts["listing"] != listing:
        return "the files of its source have changed"
    return None
