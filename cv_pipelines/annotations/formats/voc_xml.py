"""The XML file of one image as Pascal VOC and ImageNet have it.

Edges are whole numbers of pixels, both of them within the box; the first pixel is number 1 in VOC and 0 in
ImageNet (`origin`). So `left = xmin - origin` and `width = xmax - xmin + 1`: a box survives to half a pixel an
edge, and is at least one pixel wide.
"""

import math

from cv_pipelines.annotations.annotation import NONE, Annotation, Box, Value
from cv_pipelines.annotations.exchange import Exchange
from cv_pipelines.annotations.formats.losses import lose_others, lose_outline
from cv_pipelines.annotations.formats.values import class_name, number, size
from cv_pipelines.annotations.formats.xml_nodes import Node, xml
from cv_pipelines.annotations.report import ItemError

FLAGS = ("truncated", "difficult", "occluded")
_UNSAID = {"", "Unspecified"}
_READ = {"name", "bndbox", "pose", *FLAGS}


def size_of(root: Node) -> tuple[int | None, int | None]:
    """Width and height of the image, where the file says them."""
    return size(root.said("size", "width")), size(root.said("size", "height"))


def boxes_of(root: Node, where: str, origin: int, exchange: Exchange) -> tuple[Box, ...]:
    """The boxes of a file; what is wrong with one goes into the report."""
    found = []
    for node in root.all("object"):
        with exchange.report.item(f"{where}:{node.line}"):
            found.append(_box(node, origin))
        for child in node.children:
            if child.tag not in _READ:
                exchange.report.loss(f"<{child.tag}> of objects is not read", f"{where}:{child.line}")
    for box in found:
        exchange.classes.number(box.label)
    return tuple(found)


def _box(node: Node, origin: int) -> Box:
    place = node.find("bndbox")
    if place is None:
        raise ItemError("no_box", "an object without <bndbox>")
    left, top, right, bottom = (number(place.said(tag)) for tag in ("xmin", "ymin", "xmax", "ymax"))
    found: dict[str, Value] = {flag: 1 for flag in FLAGS if node.said(flag) in ("1", "true", "True")}
    if (pose := node.said("pose")) not in _UNSAID:
        found["pose"] = pose
    label = class_name(node.said("name"))
    return Box(label, left - origin, top - origin, right - left + 1, bottom - top + 1, (), found or NONE)


def document(one: Annotation, folder: str, file_name: str, origin: int, exchange: Exchange) -> str:
    """The file of an image."""
    width, height = exchange.size_of(one) or (0, 0)
    objects = "".join(_object(box, one, origin, exchange) for box in one.boxes)
    return (
        f"<annotation>\n  <folder>{xml(folder)}</folder>\n  <filename>{xml(file_name)}</filename>\n"
        f"  <size><width>{width}</width><height>{height}</height><depth>3</depth></size>\n"
        f"  <segmented>0</segmented>\n{objects}</annotation>\n"
    )


def _object(box: Box, one: Annotation, origin: int, exchange: Exchange) -> str:
    exchange.classes.number(box.label)
    lose_outline(box, one.image, exchange)
    first = [_rounded(box.left) + origin, _rounded(box.top) + origin]
    last = [_rounded(box.right) + origin - 1, _rounded(box.bottom) + origin - 1]
    if last[0] < first[0] or last[1] < first[1]:
        exchange.report.loss("boxes narrower than a pixel: they become a pixel wide", one.image)
        last = [max(pair) for pair in zip(first, last, strict=True)]
    names = ("xmin", "ymin", "xmax", "ymax")
    edges = "".join(f"<{name}>{value}</{name}>" for name, value in zip(names, first + last, strict=True))
    said = f"<pose>{xml(box.attributes.get('pose', 'Unspecified'))}</pose>"
    said += "".join(f"<{flag}>{int(bool(box.attributes.get(flag)))}</{flag}>" for flag in FLAGS)
    lose_others(box.attributes, {"pose", *FLAGS}, one.image, exchange)
    return f"  <object>\n    <name>{xml(box.label)}</name>{said}\n    <bndbox>{edges}</bndbox>\n  </object>\n"


def _rounded(value: float) -> int:
    """The nearest whole number; a half goes up, on both edges."""
    return math.floor(value + 0.5)
