"""The boxes that are there and those that a detector sees, side by side, class by class: about 60 bytes a box."""

from array import array
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from cv_pipelines.annotations.annotation import Annotation, Box, area
from cv_pipelines.progress import Progress, silent

_EVERY = 1 << 13
_PLACE = ["left", "top", "width", "height"]


@dataclass(frozen=True)
class Objects:
    """What is there, n boxes.

    Attributes:
        images: numbers of their images, (n,).
        places: left, top, width, height in pixels, (n, 4).
        areas: square pixels, of the outline where there is one, (n,).
        crowd: it is a group, in which any number of detections is neither right nor wrong, (n,).
        difficult: it need not be found, and is no mistake, (n,).
    """

    images: NDArray[np.int64]
    places: NDArray[np.float64]
    areas: NDArray[np.float64]
    crowd: NDArray[np.bool_]
    difficult: NDArray[np.bool_]

    def take(self, rows: NDArray[np.int64]) -> "Objects":
        """Some of them."""
        return Objects(*(column[rows] for column in vars(self).values()))


@dataclass(frozen=True)
class Found:
    """What a detector sees, n boxes: numbers of images (n,), places (n, 4), scores (n,)."""

    images: NDArray[np.int64]
    places: NDArray[np.float64]
    scores: NDArray[np.float64]

    def take(self, rows: NDArray[np.int64]) -> "Found":
        """Some of them."""
        return Found(*(column[rows] for column in vars(self).values()))


@dataclass(frozen=True)
class Truth:
    """All labels of a data set: `labels` (n,) are places in `classes`, `objects.images` places in `image_ids`."""

    image_ids: list[str]
    classes: list[str]
    labels: NDArray[np.int64]
    objects: Objects


@dataclass(frozen=True)
class Detected:
    """All detections that can be judged, and how many cannot be.

    Attributes:
        labels: places in the truth's classes, (n,).
        found: the detections.
        unlabelled: so many more are on images without labels.
        unknown: so many more are of classes of which there is no object.
    """

    labels: NDArray[np.int64]
    found: Found
    unlabelled: int
    unknown: int


def gather_truth(annotations: Iterable[Annotation], progress: Progress = silent) -> Truth:
    """Take labels in, by `image_id`; an image with classes and no boxes says nothing of objects.

    Images are numbered in the order of their names, whatever order the labels come in: of equal scores COCO takes
    that of the first image first, and ids mostly follow names.
    """
    images, classes = dict[str, str](), dict[str, int]()
    numbers, labels, places, areas = array("q"), array("q"), array("d"), array("d")
    crowd, difficult = array("b"), array("b")
    for one in annotations:
        if one.classes and not one.boxes:
            continue
        number = len(images)
        images[one.image] = str(one.image_id)
        if not number % _EVERY:
            progress("labelled images", number)
        for box in one.boxes:
            numbers.append(number)
            labels.append(classes.setdefault(box.label, len(classes)))
            places.extend(box[1:5])
            areas.append(_area(box))
            crowd.append(bool(box.attributes.get("iscrowd")))
            difficult.append(bool(box.attributes.get("difficult")))
    names, image_ranks = _ranked(images)
    class_names, class_ranks = _ranked(classes)
    objects = Objects(
        image_ranks[np.asarray(numbers)],
        np.asarray(places).reshape(-1, 4),
        np.asarray(areas),
        np.asarray(crowd).astype(bool),
        np.asarray(difficult).astype(bool),
    )
    return Truth([images[name] for name in names], class_names, class_ranks[np.asarray(labels)], objects)


def gather_detections(batches: Iterable[pa.RecordBatch], truth: Truth) -> Detected:
    """Take detections in.

    Args:
        batches: DETECTIONS.
        truth: what they are held against.
    """
    image_ids, classes = pa.array(truth.image_ids, pa.string()), pa.array(truth.classes, pa.string())
    parts, unlabelled, unknown = [np.empty((0, 7))], 0, 0
    for batch in batches:
        images = _numbers(batch["image_id"], image_ids)
        labels = _numbers(batch["label"], classes)
        unlabelled += int((images < 0).sum())
        unknown += int(((images >= 0) & (labels < 0)).sum())
        columns = [images, labels, *(batch[name].to_numpy() for name in (*_PLACE, "score"))]
        parts.append(np.column_stack(columns)[(images >= 0) & (labels >= 0)])
    rows = np.concatenate(parts)
    found = Found(rows[:, 0].astype(np.int64), rows[:, 2:6], rows[:, 6])
    return Detected(rows[:, 1].astype(np.int64), found, unlabelled, unknown)


def by_class(truth: Truth, detected: Detected) -> Iterator[tuple[str, Objects, Found]]:
    """Yield each class with what is there of it and what is seen."""
    there, seen = _groups(truth.labels, len(truth.classes)), _groups(detected.labels, len(truth.classes))
    for name, some, others in zip(truth.classes, there, seen, strict=True):
        yield name, truth.objects.take(some), detected.found.take(others)


def _ranked(names: Iterable[str]) -> tuple[list[str], NDArray[np.int64]]:
    """Names in order, and the place there of each."""
    found = list(names)
    order = sorted(range(len(found)), key=found.__getitem__)
    ranks = np.empty(len(found), np.int64)
    ranks[order] = np.arange(len(found))
    return [found[place] for place in order], ranks


def _groups(labels: NDArray[np.int64], classes: int) -> list[NDArray[np.int64]]:
    """The rows of each class, in their order."""
    order = np.argsort(labels, kind="stable")
    return np.split(order, np.searchsorted(labels[order], np.arange(1, classes)))


def _numbers(names: pa.Array, known: pa.Array) -> NDArray[np.int64]:
    """Places of names among the known ones; -1 for others."""
    places = pc.fill_null(pc.index_in(names, value_set=known), -1)
    return np.asarray(places.to_numpy(zero_copy_only=False), np.int64)


def _area(box: Box) -> float:
    """The area as COCO has it: what the format said, else that of the outline, else that of the box."""
    said = box.attributes.get("area")
    if isinstance(said, int | float) and not isinstance(said, bool):
        return float(said)
    return area(box.outline) if box.outline else box.width * box.height
