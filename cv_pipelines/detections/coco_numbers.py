"""COCO's numbers of detections, computed by the library for one class at a time.

Nothing that COCO counts crosses from one class to another, and each number is the mean over the classes that have
such objects. So the library need not see more than the images of one class, while of all classes at once it would
make an object of each pair of image and class. Source: https://cocodataset.org/#detection-eval
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cv_pipelines.detections.boxes import Found, Objects

NUMBERS = (
    *("AP", "AP50", "AP75", "AP_small", "AP_medium", "AP_large"),
    *("AR1", "AR10", "AR100", "AR_small", "AR_medium", "AR_large"),
)
"""Precision at IoU .50:.05:.95, at .50, at .75, of objects below 32², up to 96² and beyond; recall with at most 1,
10 and 100 detections an image and class, and by area. Not a number: there are no such objects."""
RECALLS = np.linspace(0, 1, 101)
"""At which a curve has its precisions."""
_CATEGORY = 1
_ALL_AREAS, _MOST_DETECTIONS = 0, 2

Numbers = dict[str, float]


def coco_numbers(objects: Objects, found: Found) -> tuple[Numbers, NDArray[np.float64]]:
    """The numbers of one class.

    Returns:
        By NUMBERS; and precision at IoU 0.5 at each of RECALLS (101,).
    """
    from faster_coco_eval import COCOeval_faster

    images = [{"id": number} for number in np.union1d(objects.images, found.images).tolist()]
    there = _dataset(images, objects.images, objects.places, area=objects.areas, iscrowd=objects.crowd.astype(int))
    seen = _dataset(images, found.images, found.places, area=_areas(found.places), score=found.scores)
    run = COCOeval_faster(there, seen, "bbox")
    run.run()
    numbers = np.where(run.stats < 0, np.nan, run.stats)
    curve = run.eval["precision"][0, :, 0, _ALL_AREAS, _MOST_DETECTIONS]
    return dict(zip(NUMBERS, numbers.tolist(), strict=True)), np.asarray(np.where(curve < 0, np.nan, curve))


def mean_numbers(classes: Sequence[Numbers], names: Sequence[str] = NUMBERS) -> Numbers:
    """The numbers of all classes together; each of them over the classes that have it."""
    known = {name: [one[name] for one in classes if not np.isnan(one[name])] for name in names}
    return {name: float(np.mean(values)) if values else float("nan") for name, values in known.items()}


def _dataset(
    images: list[dict[str, Any]],
    numbers: NDArray[np.int64],
    places: NDArray[np.float64],
    **columns: NDArray[Any],
) -> Any:
    """Annotations as the library wants them; ids from 1, for 0 is no match."""
    from faster_coco_eval import COCO

    rows = zip(*(column.tolist() for column in (numbers, places, *columns.values())), strict=True)
    dataset = COCO()
    dataset.dataset = {
        "images": images,
        "categories": [{"id": _CATEGORY, "name": ""}],
        "annotations": [
            {
                "id": place,
                "category_id": _CATEGORY,
                "image_id": image,
                "bbox": box,
                "iscrowd": 0,
                **dict(zip(columns, rest, strict=True)),
            }
            for place, (image, box, *rest) in enumerate(rows, start=1)
        ],
    }
    dataset.createIndex()
    return dataset


def _areas(places: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(places[:, 2] * places[:, 3])
