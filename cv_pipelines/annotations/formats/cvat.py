"""CVAT for images 1.1: one XML file with an element for each image.

Boxes are left, top, right and bottom, polygons lists of points, in float pixels from the outer corner: our own
convention, exact but for the last bit as we write it (CVAT itself writes two decimals). Turned boxes (`rotation`,
around their centre) and masks are read as outlines. Tags are classes of the image, `subset` is its split.

Not held: outlines of several rings; numbers and truths in attributes are told from text by how they look.
Source: https://docs.cvat.ai/docs/manual/advanced/xml_format/
"""

import shutil
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

from cv_pipelines.annotations.annotation import Annotation, Box
from cv_pipelines.annotations.exchange import Exchange
from cv_pipelines.annotations.formats.cvat_shapes import KINDS, box_of
from cv_pipelines.annotations.formats.format import Format, Sight
from cv_pipelines.annotations.formats.losses import lose_others, one_ring
from cv_pipelines.annotations.formats.values import class_name, image_name, size
from cv_pipelines.annotations.formats.xml_nodes import Node, walk_xml, xml
from cv_pipelines.annotations.label_set import LabelSet
from cv_pipelines.annotations.report import ItemError
from cv_pipelines.errors import InputError


def read(source: Path, exchange: Exchange) -> Iterator[Annotation]:
    """See Read."""
    for depth, node in walk_xml(source):
        if not depth and node.tag != "annotations":
            message = f"'{source}': <annotations> is expected, it is <{node.tag[:40]}>."
            raise InputError("wrong_format", message)
        if node.tag == "track":
            raise InputError("wrong_format", f"'{source}' is CVAT for video; export it as 'CVAT for images 1.1'.")
        if node.tag == "meta":
            _declare(node, source, exchange)
        if node.tag == "image" and depth:
            with exchange.report.item(f"{source.name}:{node.line}"):
                yield _annotation(node, source, exchange)


def _declare(meta: Node, source: Path, exchange: Exchange) -> None:
    """The classes of a task, a job or a project."""
    for part in meta.children:
        for labels in part.all("labels"):
            for label in labels.all("label"):
                with exchange.report.item(f"{source.name}:{label.line}"):
                    exchange.classes.declare(class_name(label.said("name")), label.said("color"))


def _annotation(node: Node, source: Path, exchange: Exchange) -> Annotation:
    said = node.attributes
    image = image_name(said.get("name", ""))
    boxes, classes = [], []
    for child in node.children:
        where = f"{source.name}:{child.line}"
        with exchange.report.item(where):
            if child.tag == "tag":
                classes.append(class_name(child.attributes.get("label")))
            elif child.tag in KINDS:
                boxes.append(box_of(child))
            else:
                exchange.report.loss(f"<{child.tag}> is not read", where)
    for label in [*classes, *(box.label for box in boxes)]:
        exchange.classes.number(label)
    split = {"split": said["subset"]} if said.get("subset") else {}
    width, height = size(said.get("width")), size(said.get("height"))
    return Annotation(image, width, height, tuple(dict.fromkeys(classes)), tuple(boxes), split, said.get("id"))


def write(annotations: Iterable[Annotation], target: Path, exchange: Exchange) -> None:
    """See Write. The classes come first in the file and are known last, so images are written beside it."""
    with tempfile.TemporaryFile("w+", encoding="utf-8", dir=target.parent) as aside:
        for number, one in enumerate(annotations):
            with exchange.report.item(one.image):
                aside.write(_image(one, number, exchange))
        with target.open("w", encoding="utf-8") as file:
            file.write('<?xml version="1.0" encoding="utf-8"?>\n<annotations>\n  <version>1.1</version>\n')
            file.write(_meta(exchange.classes.frozen()))
            aside.seek(0)
            shutil.copyfileobj(aside, file, 1 << 20)
            file.write("</annotations>\n")


def _meta(classes: LabelSet) -> str:
    labels = "".join(
        f"<label><name>{xml(one.name)}</name><color>{xml(one.colour)}</color><attributes></attributes></label>\n"
        for one in classes
    )
    return f"  <meta><task><labels>\n{labels}</labels></task></meta>\n"


def _image(one: Annotation, number: int, exchange: Exchange) -> str:
    size_ = exchange.size_of(one)
    if size_ is None:
        raise ItemError("no_size", "CVAT needs the image's width and height, which are not known")
    split = f' subset="{xml(one.attributes["split"])}"' if "split" in one.attributes else ""
    lose_others(one.attributes, {"split"}, one.image, exchange)
    for label in [*one.classes, *(box.label for box in one.boxes)]:
        exchange.classes.number(label)
    tags = "".join(f'    <tag label="{xml(label)}" source="manual"></tag>\n' for label in one.classes)
    boxes = "".join(_box(box, one, exchange) for box in one.boxes)
    head = f'<image id="{number}" name="{xml(one.image)}"{split} width="{size_[0]}" height="{size_[1]}">'
    return f"  {head}\n{tags}{boxes}  </image>\n"


def _box(box: Box, one: Annotation, exchange: Exchange) -> str:
    if box.outline:
        points = ";".join(f"{x},{y}" for x, y in one_ring(box, one.image, exchange))
        tag, place = "polygon", f'points="{points}"'
    else:
        tag, place = "box", f'xtl="{box.left}" ytl="{box.top}" xbr="{box.right}" ybr="{box.bottom}"'
    own = dict(box.attributes)
    occluded, order, group = int(bool(own.pop("occluded", 0))), own.pop("z_order", 0), own.pop("group", None)
    more = f' group_id="{xml(group)}"' if group is not None else ""
    inner = "".join(
        f'<attribute name="{xml(name)}">{xml(_text(value))}</attribute>' for name, value in own.items()
    )
    flags = f'source="manual" occluded="{occluded}" z_order="{xml(order)}"{more}'
    start = f'<{tag} label="{xml(box.label)}" {place} {flags}>'
    return f"    {start}{inner}</{tag}>\n"


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _recognise(sight: Sight) -> bool:
    return not sight.files and "<annotations" in sight.heads.get(".xml", "")


CVAT = Format("cvat", "CVAT for images 1.1 (XML)", False, read, write, _recognise, lists_all=True)
