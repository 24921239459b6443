"""COCO results: a JSON list of detections.

    [{"image_id": 42, "category_id": 18, "bbox": [left, top, width, height], "score": 0.98}, …]

Ids are those of a file with the ground truth, or names. A box is in pixels from the outer corner of the image:
our own convention. Other keys, such as `segmentation`, are not looked at.
Source: https://cocodataset.org/#format-results
"""

from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from cv_pipelines.annotations.formats.json_stream import walk
from cv_pipelines.annotations.formats.values import shown
from cv_pipelines.annotations.report import ItemError, Report
from cv_pipelines.detections.detection import Detection, detection
from cv_pipelines.detections.names import Names
from cv_pipelines.errors import InputError
from cv_pipelines.progress import Progress, silent

_KEYS = ("image_id", "category_id", "bbox", "score")
_EVERY = 1 << 15
_LOOKED_AT = 1000


def read(source: Path, names: Names, report: Report, progress: Progress = silent) -> Iterator[Detection]:
    """Yield the detections of a file, one at a time.

    Args:
        source: the file.
        names: of images and classes.
        report: takes what is wrong with single detections.
        progress: is told of detections.

    Raises:
        InputError: the file as a whole is no list of detections.
    """
    for key, place, item in walk(source):
        if key or place < 0:
            _require_list(source, key)
            continue
        if not place % _EVERY:
            progress("detections", place)
        try:
            found = _detection(item, names)
        except ItemError as error:
            report.problem(error.code, f"{source.name}[{place}]", error.message)
        else:
            yield found


def _detection(item: Any, names: Names) -> Detection:
    if not isinstance(item, dict):
        raise ItemError("bad_detection", f"{shown(item)} is no object with {', '.join(_KEYS)}")
    for key in _KEYS:
        if key not in item:
            raise ItemError("incomplete", f"it has no '{key}'")
    box = item["bbox"]
    if not isinstance(box, list) or len(box) != 4:
        raise ItemError("bad_box", f"{shown(box)} is not left, top, width, height")
    image, label = names.image(item["image_id"]), names.label(item["category_id"])
    return detection(image, label, (box[0], box[1], box[2], box[3]), item["score"])


def _require_list(source: Path, key: str) -> None:
    if not key:
        return
    keys = list(dict.fromkeys(member[0] for member in islice(walk(source), _LOOKED_AT)))
    looks = "it is no list of detections"
    if {"images", "annotations", "categories"}.intersection(keys):
        looks = "it looks like COCO's ground truth: give that with --ground-truth, beside the file of the results"
    told = ", ".join(shown(one) for one in keys[:8])
    message = f"'{source}' is an object with {told}; {looks}. Results are a list: [{{{', '.join(_KEYS)}}}, …]."
    raise InputError("wrong_format", message)
