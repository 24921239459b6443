"""The shapes of CVAT's XML as objects."""

import math
from collections.abc import Mapping

from cv_pipelines.annotations.annotation import NONE, Attributes, Box, Ring, Value, outlined
from cv_pipelines.annotations.formats.values import class_name, number
from cv_pipelines.annotations.formats.xml_nodes import Node
from cv_pipelines.annotations.masks import mask_of_runs, outline_of
from cv_pipelines.annotations.report import ItemError

KINDS = ("box", "polygon", "mask")


def box_of(node: Node) -> Box:
    """The object of a <box>, <polygon> or <mask>.

    Raises:
        ItemError: it lacks something, or a number is none.
    """
    said = node.attributes
    label, attributes = class_name(said.get("label")), _attributes(node)
    if node.tag == "box":
        return _upright_or_turned(said, label, attributes)
    outline = (_ring(said.get("points", "")),) if node.tag == "polygon" else _mask(said)
    if not outline or len(outline[0]) < 3:
        raise ItemError("bad_outline", "an outline of fewer than three points")
    return outlined(label, outline, attributes)


def _upright_or_turned(said: Mapping[str, str], label: str, attributes: Attributes) -> Box:
    left, top, right, bottom = (number(said.get(name)) for name in ("xtl", "ytl", "xbr", "ybr"))
    turned = number(said.get("rotation", 0))
    if not turned % 360:
        return Box(label, left, top, right - left, bottom - top, (), attributes)
    x, y = (left + right) / 2, (top + bottom) / 2
    cos, sin = math.cos(math.radians(turned)), math.sin(math.radians(turned))
    corners = ((left, top), (right, top), (right, bottom), (left, bottom))
    ring = tuple((x + (a - x) * cos - (b - y) * sin, y + (a - x) * sin + (b - y) * cos) for a, b in corners)
    return outlined(label, (ring,), attributes)


def _ring(text: str) -> Ring:
    points = []
    for pair in text.split(";"):
        x, comma, y = pair.partition(",")
        if not comma:
            raise ItemError("bad_outline", "a point that is not two numbers")
        points.append((number(x), number(y)))
    return tuple(points)


def _mask(said: Mapping[str, str]) -> tuple[Ring, ...]:
    """The outline of a mask: its runs, along the rows, are of the box that it has."""
    try:
        runs = [int(run) for run in said.get("rle", "").split(",")]
        left, top, width, height = (int(said.get(name, "")) for name in ("left", "top", "width", "height"))
        return outline_of(mask_of_runs(runs, width, height, by_column=False), left, top)
    except ValueError as error:
        raise ItemError("bad_mask", f"a mask that cannot be read: {error}"[:200]) from error


def _attributes(node: Node) -> Attributes:
    said, found = node.attributes, dict[str, Value]()
    if said.get("occluded") == "1":
        found["occluded"] = 1
    if said.get("z_order", "0") != "0":
        found["z_order"] = typed(said["z_order"])
    if said.get("group_id"):
        found["group"] = typed(said["group_id"])
    for child in node.all("attribute"):
        found[child.attributes.get("name", "")] = typed(child.text)
    return found or NONE


def typed(text: str) -> Value:
    """A truth or a number where the text is written as one, else the text."""
    if text in ("true", "false"):
        return text == "true"
    for kind in (int, float):
        try:
            value = kind(text)
        except ValueError:
            continue
        if str(value) == text and math.isfinite(value):
            return value
    return text
