"""labelme: a JSON file for each image, with shapes in pixels from the outer corner: our own convention.

Rectangles have two corners and polygons their points, as floats: exact but for the last bit. Polygons of one class
and one group are parts of one object, as in labelme's own export. Flags of the image that are set are its classes.

Not held: holes of outlines, attributes but truths (`flags`), `description` and, of a mere box, `group`.
Source: https://github.com/wkentaro/labelme
"""

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from cv_pipelines.annotations.annotation import NONE, Annotation, Box, Ring, Value, has_hole, joined, outlined
from cv_pipelines.annotations.exchange import Exchange
from cv_pipelines.annotations.formats.files import FileNames, folders_of, load_each, write_text
from cv_pipelines.annotations.formats.format import Format, Sight
from cv_pipelines.annotations.formats.json_stream import load_json
from cv_pipelines.annotations.formats.losses import lose_others
from cv_pipelines.annotations.formats.values import class_name, image_name, number, size
from cv_pipelines.annotations.report import ItemError

_VERSION = "5.5.0"


def read(source: Path, exchange: Exchange) -> Iterator[Annotation]:
    """See Read. `imagePath` is relative to the file."""
    for name, content in load_each(source, ".json", load_json, exchange.report):
        with exchange.report.item(name):
            if not isinstance(content, dict) or not isinstance(content.get("shapes"), list):
                raise ItemError("wrong_format", "there is no list 'shapes': it is not labelme")
            yield _annotation(content, name, exchange)


def _annotation(content: dict[str, Any], name: str, exchange: Exchange) -> Annotation:
    found = str(content.get("imagePath") or f"{Path(name).stem}.jpg").replace("\\", "/")
    if found.startswith("/") or found[1:2] == ":":  # a path of somebody else's machine
        found = found.rsplit("/", 1)[-1]
    image = image_name("/".join([*folders_of(name), found]))
    flags = content.get("flags")
    classes = (
        tuple(class_name(flag) for flag, on in flags.items() if on is True) if isinstance(flags, dict) else ()
    )
    boxes: list[Box] = []
    groups: dict[tuple[str, Any], int] = {}
    for place, shape in enumerate(content["shapes"]):
        with exchange.report.item(f"{name}: shapes[{place}]"):
            box = _box(shape, f"{name}: shapes[{place}]", exchange)
            group = shape.get("group_id")
            if box is None:
                continue
            if box.outline and isinstance(group, int) and (box.label, group) in groups:
                first = boxes[groups[box.label, group]]
                boxes[groups[box.label, group]] = outlined(
                    box.label, first.outline + box.outline, first.attributes
                )
                continue
            if box.outline and isinstance(group, int):
                groups[box.label, group] = len(boxes)
            boxes.append(box)
    for label in [*classes, *(box.label for box in boxes)]:
        exchange.classes.number(label)
    return Annotation(
        image, size(content.get("imageWidth")), size(content.get("imageHeight")), classes, tuple(boxes)
    )


def _box(shape: Any, where: str, exchange: Exchange) -> Box | None:
    """The object of a shape; None, and a note, where it is of a kind that has no area."""
    if not isinstance(shape, dict) or not isinstance(shape.get("points"), list):
        raise ItemError("bad_shape", "a shape without a list 'points'")
    kind = shape.get("shape_type", "polygon")
    if kind not in ("rectangle", "polygon"):
        exchange.report.loss(f"shapes '{str(kind)[:20]}' are not read", where)
        return None
    label, attributes = class_name(shape.get("label")), _attributes(shape)
    ring = tuple(_point(point) for point in shape["points"])
    if kind == "polygon":
        if len(ring) < 3:
            raise ItemError("bad_outline", f"a polygon of {len(ring)} points")
        attributes.pop("group", None)
        return outlined(label, (ring,), attributes or NONE)
    if len(ring) != 2:
        raise ItemError("bad_shape", f"a rectangle of {len(ring)} points, not two")
    (a, b), (c, d) = ring
    return Box(label, min(a, c), min(b, d), abs(c - a), abs(d - b), (), attributes or NONE)


def _point(point: Any) -> tuple[float, float]:
    if not isinstance(point, list) or len(point) != 2:
        raise ItemError("bad_shape", "a point that is not two numbers")
    return number(point[0]), number(point[1])


def _attributes(shape: dict[str, Any]) -> dict[str, Value]:
    flags = shape.get("flags")
    found: dict[str, Value] = (
        {k: v for k, v in flags.items() if isinstance(v, bool)} if isinstance(flags, dict) else {}
    )
    if isinstance(text := shape.get("description"), str) and text:
        found["description"] = text
    if isinstance(group := shape.get("group_id"), int):
        found["group"] = group
    return found


def write(annotations: Iterable[Annotation], target: Path, exchange: Exchange) -> None:
    """See Write."""
    names = FileNames(".json")
    for one in annotations:
        with exchange.report.item(one.image):
            name = names.of(one.image)
            width, height = exchange.size_of(one) or (None, None)
            content = {
                "version": _VERSION,
                "flags": dict.fromkeys(one.classes, True),
                "shapes": [
                    shape for place, box in enumerate(one.boxes) for shape in _shapes(box, place, one, exchange)
                ],
                "imagePath": one.image.rsplit("/", 1)[-1],
                "imageData": None,
                "imageHeight": height,
                "imageWidth": width,
            }
            lose_others(one.attributes, set(), one.image, exchange)
            write_text(target, name, json.dumps(content, ensure_ascii=False, indent=1))


def _shapes(box: Box, place: int, one: Annotation, exchange: Exchange) -> list[dict[str, Any]]:
    """The shapes of an object: one, or a polygon for each ring, in a group of their own."""
    rings: tuple[Ring, ...] = box.outline
    if has_hole(rings):
        exchange.report.loss("holes: joined to what is around them by lines of no width", one.image)
        rings = (joined(rings),)
    flags = {name: value for name, value in box.attributes.items() if isinstance(value, bool)}
    held = {*flags, "description"} if rings else {*flags, "description", "group"}
    lose_others(box.attributes, held, one.image, exchange)
    group = place if len(rings) > 1 else None if rings else box.attributes.get("group")
    corners: tuple[Ring, ...] = (((box.left, box.top), (box.right, box.bottom)),)
    return [
        {
            "label": box.label,
            "points": [list(point) for point in ring],
            "group_id": group,
            "description": box.attributes.get("description", ""),
            "shape_type": "polygon" if rings else "rectangle",
            "flags": flags,
        }
        for ring in rings or corners
    ]


def _recognise(sight: Sight) -> bool:
    head = sight.heads.get(".json", "")
    return '"shapes"' in head or ('"imagePath"' in head and '"imageData"' in head)


LABELME = Format("labelme", "labelme (a folder of JSON)", True, read, write, _recognise)
