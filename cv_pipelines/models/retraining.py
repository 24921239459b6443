"""Is there a reason to train again?"""

from cv_pipelines.catalog import Catalog
from cv_pipelines.images.datasets import Dataset
from cv_pipelines.images.sources.factory import listing_hash, open_source


def reason_to_train(catalog: Catalog, dataset: Dataset) -> str | None:
    """Say what has changed since the newest model was trained, None where nothing has.

    Raises:
        InputError: the source is not there any more.
    """
    trained = catalog.current("trained_model", dataset.name)
    if trained is None:
        return "no model yet"
    data = catalog.open(trained).facts["data"]
    for asset, name in (("image_manifest", "manifest"), ("labels", "labels"), ("dataset_splits", "splits")):
        current = catalog.current(asset, dataset.name)
        if current is not None and current.version != data[name]:
            return f"{asset} has changed"
    manifest = catalog.current("image_manifest", dataset.name)
    listing = listing_hash(list(open_source(dataset.source).items()))
    if manifest is None or catalog.open(manifest).facts["listing"] != listing:
        return "the files of its source have changed"
    return None
