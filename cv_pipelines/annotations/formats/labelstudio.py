"""Label Studio: a JSON list of tasks, each with the regions of an image.

Regions are in per cent of width and height, which stand with each region: precise to about 1e-12 of a pixel. A
turned rectangle (around its upper left corner) and a brush's mask are read as outlines. Choices are classes of the
image. Of several annotations of a task the newest that was not cancelled is read.

Not held: outlines of several rings, attributes. Source: https://labelstud.io/guide/export#Label-Studio-JSON-format
"""

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, quote, unquote, urlsplit

from cv_pipelines.annotations.annotation import NONE, Annotation, Box
from cv_pipelines.annotations.exchange import Exchange
from cv_pipelines.annotations.formats.format import Format, Sight
from cv_pipelines.annotations.formats.json_stream import walk
from cv_pipelines.annotations.formats.labelstudio_regions import Region, choices_of, region_of, size_of_regions
from cv_pipelines.annotations.formats.losses import lose_others, one_ring
from cv_pipelines.annotations.formats.values import image_name, size
from cv_pipelines.annotations.images import SUFFIXES
from cv_pipelines.annotations.report import ItemError
from cv_pipelines.errors import InputError

_LOCAL = "/data/local-files/?d="


def read(source: Path, exchange: Exchange) -> Iterator[Annotation]:
    """See Read."""
    for key, place, task in walk(source):
        if key:
            message = f"'{source}' is an object; Label Studio's tasks are a list."
            raise InputError("wrong_format", message)
        if place >= 0:
            where = f"[{place}]"
            with exchange.report.item(where):
                yield _annotation(task, where, exchange)


def _annotation(task: Any, where: str, exchange: Exchange) -> Annotation:
    data = task.get("data") if isinstance(task, dict) else None
    if not isinstance(data, dict):
        raise ItemError("wrong_format", "no 'data': it is no task of Label Studio")
    results = _newest(task, where, exchange)
    regions = [Region(one, f"{where}.result[{number}]") for number, one in enumerate(results)]
    boxes, classes = list[Box](), list[str]()
    for region in regions:
        with exchange.report.item(region.where):
            classes += choices_of(region)
            if box := region_of(region, exchange.report):
                boxes.append(box)
    for label in [*classes, *(box.label for box in boxes)]:
        exchange.classes.number(label)
    width, height = size_of_regions(regions) or (size(data.get("width")), size(data.get("height")))
    key = task.get("id")
    return Annotation(
        _image(data),
        width,
        height,
        tuple(dict.fromkeys(classes)),
        tuple(boxes),
        NONE,
        key if isinstance(key, int | str) else None,
    )


def _newest(task: dict[str, Any], where: str, exchange: Exchange) -> list[Any]:
    """The results of the annotation that counts; older exports call annotations completions."""
    found = task.get("annotations", task.get("completions")) or []
    if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
        raise ItemError("bad_annotation", "'annotations' is not a list of objects")
    valid = [one for one in found if not one.get("was_cancelled") and isinstance(one.get("result"), list)]
    if len(valid) > 1:
        exchange.report.loss("further annotations of one image: the newest is read", where)
    in_time = sorted(valid, key=lambda one: str(one.get("created_at") or ""))  # stable: the last of equals is last
    return list(in_time[-1]["result"]) if in_time else []


def _image(data: dict[str, Any]) -> str:
    """The image of a task: of its address, what comes after the server or the root of local files."""
    values = [value for value in (data.get("image"), data.get("img"), *data.values()) if isinstance(value, str)]
    address = next(
        (value for value in values if _path(value).lower().endswith(SUFFIXES)), values[0] if values else ""
    )
    return image_name(_path(address))


def _path(address: str) -> str:
    try:
        parts = urlsplit(address)
    except ValueError:
        return address
    if local := parse_qs(parts.query).get("d"):
        return local[0]
    return (
        unquote(parts.path)
        if parts.scheme in ("http", "https", "s3", "gs") or parts.path.startswith("/")
        else address
    )


def write(annotations: Iterable[Annotation], target: Path, exchange: Exchange) -> None:
    """See Write. Addresses are those of Label Studio's local files."""
    count = 0
    with target.open("w", encoding="utf-8") as file:
        file.write("[")
        for one in annotations:
            with exchange.report.item(one.image):
                text = json.dumps(_task(one, count + 1, exchange), ensure_ascii=False)
                file.write((",\n" if count else "\n") + text)
                count += 1
        file.write("\n]\n")


def _task(one: Annotation, key: int, exchange: Exchange) -> dict[str, Any]:
    found = exchange.size_of(one)
    if found is None:
        raise ItemError("no_size", "Label Studio is relative to the image's size, which is not known")
    width, height = found
    shared = {"original_width": width, "original_height": height, "image_rotation": 0, "to_name": "image"}
    results: list[dict[str, Any]] = []
    for number, box in enumerate(one.boxes):
        results.append({"id": f"{key}-{number}", **shared, **_region(box, width, height, one, exchange)})
        exchange.classes.number(box.label)
    if one.classes:
        value = {"choices": list(one.classes)}
        results.append(
            {"id": f"{key}-c", "from_name": "choice", "to_name": "image", "type": "choices", "value": value}
        )
        for label in one.classes:
            exchange.classes.number(label)
    lose_others(one.attributes, set(), one.image, exchange)
    data = {"image": _LOCAL + quote(one.image), "width": width, "height": height}
    return {"id": key, "data": data, "annotations": [{"id": key, "was_cancelled": False, "result": results}]}


def _region(box: Box, width: int, height: int, one: Annotation, exchange: Exchange) -> dict[str, Any]:
    lose_others(box.attributes, set(), one.image, exchange)
    across, down = 100 / width, 100 / height
    if not box.outline:
        place = {
            "x": box.left * across,
            "y": box.top * down,
            "width": box.width * across,
            "height": box.height * down,
        }
        value = {**place, "rotation": 0, "rectanglelabels": [box.label]}
        return {"from_name": "label", "type": "rectanglelabels", "value": value}
    points = [[x * across, y * down] for x, y in one_ring(box, one.image, exchange)]
    value = {"points": points, "closed": True, "polygonlabels": [box.label]}
    return {"from_name": "polygon", "type": "polygonlabels", "value": value}


def _recognise(sight: Sight) -> bool:
    head = sight.heads.get(".json", "")
    return not sight.files and head.lstrip("\ufeff \r\n\t").startswith("[") and '"data"' in head


LABELSTUDIO = Format("labelstudio", "Label Studio (JSON)", False, read, write, _recognise, lists_all=True)
