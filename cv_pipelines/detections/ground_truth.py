"""What the numbers in a COCO results file stand for: images and categories of the file with the ground truth."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeGuard

from cv_pipelines.annotations.formats.json_stream import walk
from cv_pipelines.annotations.formats.values import class_name, image_name, shown
from cv_pipelines.annotations.report import ItemError, Report
from cv_pipelines.errors import InputError
from cv_pipelines.progress import Progress, silent

_NAMES = {"images": "file_name", "categories": "name"}
_EVERY = 1 << 15
Key = int | str | float


@dataclass
class GroundTruth:
    """Names by id: of images, those of their files; and of classes."""

    images: dict[Key, str] = field(default_factory=dict)
    classes: dict[Key, str] = field(default_factory=dict)


def is_key(value: Any) -> TypeGuard[Key]:
    """Say whether a value can be an id; some programs write whole numbers as 17.0."""
    return isinstance(value, int | str | float) and not isinstance(value, bool)


def read_ground_truth(source: Path, report: Report, progress: Progress = silent) -> GroundTruth:
    """Read a file of COCO instances, but for its annotations.

    An id that comes up twice stands for nothing: nobody knows which image is meant.

    Args:
        source: the file.
        report: takes what is wrong with single items.
        progress: is told of items.

    Raises:
        InputError: the file as a whole is no such file.
    """
    truth = GroundTruth()
    into, found = {"images": truth.images, "categories": truth.classes}, set[str]()
    repeated = set[tuple[str, Key]]()
    for place, (key, number, item) in enumerate(walk(source)):
        if not place % _EVERY:
            progress("items of the ground truth", place)
        if key == "":
            raise InputError("wrong_format", f"'{source}' is a list, and no ground truth: {_wanted()}.")
        if number < 0:
            found.add(key)
        elif key in into:
            with report.item(f"{source.name}: {key}[{number}]"):
                _take(item, _NAMES[key], into[key], repeated)
    if missing := [key for key in into if key not in found]:
        raise InputError("wrong_format", f"'{source}' has no list '{missing[0]}': {_wanted()}.")
    for name, one in repeated:
        into["images" if name == "file_name" else "categories"].pop(one, None)
    return truth


def _take(item: Any, name: str, into: dict[Key, str], repeated: set[tuple[str, Key]]) -> None:
    key = item.get("id") if isinstance(item, dict) else None
    if not is_key(key):
        raise ItemError("bad_id", f"{shown(item)} has no id")
    if key in into:
        repeated.add((name, key))
        raise ItemError("repeated_id", f"the id {shown(key)} is there a second time")
    into[key] = image_name(item.get(name)) if name == "file_name" else class_name(item.get(name))


def _wanted() -> str:
    return "COCO's is an object with the lists images, categories, annotations"
