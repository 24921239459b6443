"""Labels: what stands in the label store, as one immutable version of a data set."""

import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from cv_pipelines.annotations.annotation import Annotation
from cv_pipelines.annotations.source_labels import take_source_labels
from cv_pipelines.annotations.store.classes import StoredClass, classes_of
from cv_pipelines.annotations.store.content import annotation_of, classes_in
from cv_pipelines.annotations.store.events import writing
from cv_pipelines.annotations.store.standing import ANNOTATIONS, standing
from cv_pipelines.annotations.store.versions import LabelState, state_of
from cv_pipelines.catalog import Catalog, Outcome
from cv_pipelines.storage.bundles import Bundle, Reference, put_bundle, put_file, put_table

CODE_VERSION = "2"
LABELS = pa.schema([("image_id", pa.string()), ("label", pa.string())])
"""One row per image of the manifest that has just one class as a whole, ordered by `image_id`."""
_ROWS = 20_000


def make_labels(catalog: Catalog, dataset: str, manifest: Reference, classes: tuple[str, ...] = ()) -> Outcome:
    """Take in what the source says now, and keep what stands as a version.

    Args:
        catalog: where artefacts and events are.
        dataset: its name.
        manifest: the image manifest.
        classes: the label set, where somebody has fixed it; empty: the classes found.

    Returns:
        An artefact with the parts `labels` (LABELS) and `annotations` (ANNOTATIONS) and the facts `classes`, by
        number; `counts` of images and `objects` by class; `unlabelled` images of the manifest; `several`: images
        with more classes than one; `absent`: labelled images that the manifest does not have; `origins`: labelled
        images by what their labels are from; `numbers`: names of classes by number; `state`: see `state_in`.
    """
    previous = catalog.current("labels", dataset)
    known = catalog.open(previous).facts if previous else {}
    images = catalog.open(manifest).table("images", ["image_id", "source_label"])
    with writing(catalog.database, dataset) as connection:
        if known.get("manifest") != manifest.version:
            take_source_labels(connection, dataset, images, classes)
        state = state_of(connection, dataset, state_in(known))

    def make(_: str) -> Reference:
        ids = frozenset(images["image_id"].to_pylist())
        facts = {"manifest": manifest.version, "state": _facts_of(state)}
        return _put(catalog, dataset, state, ids, facts)

    inputs = {"dataset": dataset, "labels": state.version, "manifest": manifest.version, "code": CODE_VERSION}
    return catalog.once("labels", inputs, make)


def state_in(facts: Mapping[str, Any]) -> LabelState | None:
    """The state that the facts of a version tell, None where they tell of none."""
    held = facts.get("state")
    return held and LabelState(held["event"], held["class_event"], int(held["total"], 16), held["version"])


def read_annotations(labels: Bundle, manifest: Bundle) -> Iterator[Annotation]:
    """What stands of each labelled image of a manifest, by the path that it was first found under."""
    columns = ["image_id", "sources", "width", "height"]
    images = {row["image_id"]: row for row in manifest.table("images", columns).to_pylist()}
    names = {int(number): name for number, name in labels.facts["numbers"].items()}
    for batch in labels.table("annotations", ["image_id", "content"]).to_batches(max_chunksize=_ROWS):
        for image_id, content in zip(*(column.to_pylist() for column in batch.columns), strict=True):
            image = images.get(image_id)
            if image is not None:
                yield annotation_of(content, names, image["sources"][0], image["width"], image["height"])


def _put(
    catalog: Catalog, dataset: str, state: LabelState, images: frozenset[str], facts: dict[str, Any]
) -> Reference:
    with catalog.database.connect() as connection:
        tally = _Tally(classes_of(connection, dataset, state.class_event), images)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "annotations.parquet")
        with pq.ParquetWriter(path, ANNOTATIONS, compression="zstd") as writer:
            for some in standing(catalog.database, dataset, state.event):
                writer.write_table(tally.add(some))
        parts = {"labels": put_table(catalog.store, tally.labels()), "annotations": put_file(catalog.store, path)}
    return put_bundle(catalog.store, "labels", state.version, tally.facts() | facts, parts)


class _Tally:
    """Counts what passes, and finds the one class of each image."""

    def __init__(self, classes: list[StoredClass], images: frozenset[str]) -> None:
        self._names = {one.number: one.name for one in classes if one.state != "retired"}
        self._active = [one.name for one in classes if one.state == "active"]
        self._images = images
        self._found: list[pa.Table] = []
        self._counts: Counter[int] = Counter()
        self._objects: Counter[int] = Counter()
        self._origins: Counter[str] = Counter()
        self._labelled = self._absent = self._several = 0

    def add(self, annotations: pa.Table) -> pa.Table:
        """Count rows of images that are there; returns all but those with nothing but retired classes."""
        kept, single, names = [], [], []
        rows = zip(*(annotations[name].to_pylist() for name in ("image_id", "content", "origin")), strict=True)
        for place, (image_id, content, origin) in enumerate(rows):
            whole, boxed = classes_in(content)
            of_image = [one for one in whole if one in self._names]
            objects = [one for one in boxed if one in self._names]
            if not of_image and not objects and (whole or boxed):
                continue
            kept.append(place)
            if image_id not in self._images:
                self._absent += 1
                continue
            self._labelled += 1
            self._origins[origin] += 1
            self._counts.update({*of_image, *objects})
            self._objects.update(objects)
            if len(of_image) == 1:
                single.append(image_id)
                names.append(self._names[of_image[0]])
            self._several += len(of_image) > 1
        self._found.append(pa.table([single, names], schema=LABELS))
        return annotations.take(kept) if len(kept) < annotations.num_rows else annotations

    def labels(self) -> pa.Table:
        """The images with one class, and it, ordered."""
        return pa.concat_tables([LABELS.empty_table(), *self._found]).sort_by("image_id")

    def facts(self) -> dict[str, Any]:
        """What an artefact tells of them."""
        named = [*self._active, *sorted(set(self._names.values()) - set(self._active))]
        numbers = {name: number for number, name in self._names.items()}
        used = {name: self._counts[numbers[name]] for name in named}
        return {
            "classes": self._active,
            "counts": {name: count for name, count in used.items() if count or name in self._active},
            "objects": {name: self._objects[numbers[name]] for name in named if self._objects[numbers[name]]},
            "unlabelled": len(self._images) - self._labelled,
            "several": self._several,
            "absent": self._absent,
            "origins": dict(sorted(self._origins.items())),
            "numbers": {str(number): name for number, name in self._names.items()},
        }


def _facts_of(state: LabelState) -> dict[str, Any]:
    total = f"{state.total:064x}"
    return {
        "event": state.event,
        "class_event": state.class_event,
        "total": total,
        "version": state.version,
    }
