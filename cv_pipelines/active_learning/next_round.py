"""When it is time for another round: enough labels are new, or there is nothing left that people are asked for."""

from datetime import UTC, datetime

from cv_pipelines.active_learning.queue import ASSET, read_queue
from cv_pipelines.annotations.labels import state_in
from cv_pipelines.annotations.store.history import count_changed
from cv_pipelines.annotations.store.versions import last_event
from cv_pipelines.catalog import Catalog
from cv_pipelines.database.clock import time_of
from cv_pipelines.database.engine import reading
from cv_pipelines.images.versions import MANIFEST

USED_UP = 0.9
"""Share of a queue after which another one is made: people skip what they cannot tell."""
_VERSIONS = 1_000


def labels_since_training(catalog: Catalog, dataset: str) -> int:
    """Images that people and files say something else of than in what the newest model has learned from.

    Before the first model: all that they say something of.
    """
    event = _learned_event(catalog, dataset)
    with reading(catalog.database) as connection:
        if event > last_event(connection, dataset):  # this database was restored from a backup
            event = 0
        return count_changed(connection, dataset, event)


def training_of(catalog: Catalog, dataset: str) -> int:
    """A number for the newest training, 0 before the first; it is another one after each."""
    trained = catalog.history("trained_model", dataset, limit=1)
    return trained[0].id if trained else 0


def queue_is_used_up(catalog: Catalog, dataset: str) -> bool:
    """Whether people need another queue: there was none yet, theirs is nearly done, or another day allows more.

    Images that the data set does not have any more are not waited for. One in which there was nothing to ask for
    is used up as soon as the images are others.
    """
    reference = catalog.current(ASSET, dataset)
    if reference is None:
        return True
    bundle = catalog.open(reference)
    rows, facts = read_queue(catalog, dataset, bundle), bundle.facts
    manifest = catalog.require(MANIFEST, dataset)
    if facts["manifest"] != manifest.version:
        present = set(catalog.open(manifest).table("images", ["image_id"])["image_id"].to_pylist())
        rows = [row for row in rows if row["image_id"] in present]
        if not rows:
            return True
    today = datetime.fromtimestamp(time_of(catalog.database), UTC).date().isoformat()
    cut_off = facts["images"] < min(facts["parameters"]["size"], facts["candidates"])
    if "day" in facts and facts["day"] < today and cut_off:
        return True
    return bool(rows) and sum(row["labelled"] for row in rows) >= USED_UP * len(rows)


def _learned_event(catalog: Catalog, dataset: str) -> int:
    """The newest event in the labels that stood when the newest model was trained, or found to be trained."""
    training = training_of(catalog, dataset)
    versions = catalog.history("labels", dataset, limit=_VERSIONS) if training else []
    learned = next((one.reference for one in versions if one.id < training), None)
    state = state_in(catalog.open(learned).facts) if learned else None
    return state.event if state else 0
