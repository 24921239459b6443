"""What an event of the label store holds: the annotation of one image as JSON, its classes by their numbers.

    {"classes": [0], "boxes": [[1, left, top, width, height], [1, …, {"outline": [[[x, y], …]]}]]}

Keys with nothing in them are left out. The same annotation is always the same text.
"""

import hashlib
import json
from collections.abc import Callable, Mapping
from typing import Any

from cv_pipelines.annotations.annotation import NONE, Annotation, Box, Ring

NOTHING = bytes(32)
"""The digest of no label: it counts for nothing in a sum."""
_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), sort_keys=True, allow_nan=False).encode


def content_of(annotation: Annotation, number: Callable[[str], int]) -> str:
    """The text for an annotation, whose name and size its image knows.

    Args:
        annotation: with finite coordinates.
        number: of a class.
    """
    content: dict[str, Any] = {}
    if annotation.classes:
        content["classes"] = [number(name) for name in annotation.classes]
    if annotation.boxes:
        content["boxes"] = [_packed(box, number) for box in annotation.boxes]
    if annotation.attributes:
        content["attributes"] = dict(annotation.attributes)
    return _encode(content)


def annotation_of(
    content: str, names: Mapping[int, str], image: str, width: int | None = None, height: int | None = None
) -> Annotation:
    """The annotation that a text holds; classes without a name, which are retired, are left out.

    Args:
        content: of an event.
        names: of classes, by number.
        image: name of the image.
        width: of the image, upright, in pixels.
        height: likewise.
    """
    held = json.loads(content)
    classes = tuple(names[one] for one in held.get("classes", ()) if one in names)
    boxes = tuple(_unpacked(one, names) for one in held.get("boxes", ()) if one[0] in names)
    return Annotation(image, width, height, classes, boxes, held.get("attributes", NONE))


def classes_in(content: str) -> tuple[list[int], list[int]]:
    """The numbers of the classes of an image as a whole, and of each of its boxes."""
    held = json.loads(content)
    return held.get("classes", []), [box[0] for box in held.get("boxes", ())]


def digest_of(image_id: str, content: str | None) -> bytes:
    """SHA-256 of what is said of an image; NOTHING where nothing is."""
    if content is None:
        return NOTHING
    return hashlib.sha256(f"{image_id}\n{content}".encode("utf-8", "surrogatepass")).digest()


def _packed(box: Box, number: Callable[[str], int]) -> list[Any]:
    place = [number(box.label), float(box.left), float(box.top), float(box.width), float(box.height)]
    more: dict[str, Any] = {}
    if box.outline:
        more["outline"] = [[[float(x), float(y)] for x, y in ring] for ring in box.outline]
    if box.attributes:
        more["attributes"] = dict(box.attributes)
    return [*place, more] if more else place


def _unpacked(packed: list[Any], names: Mapping[int, str]) -> Box:
    number, left, top, width, height, *rest = packed
    if not rest:
        return Box(names[number], left, top, width, height)
    outline: tuple[Ring, ...] = tuple(tuple((x, y) for x, y in ring) for ring in rest[0].get("outline", ()))
    return Box(names[number], left, top, width, height, outline, rest[0].get("attributes", NONE))
