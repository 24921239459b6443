"""Shapes that only some formats have: masks, turned boxes, groups, holes; and what stands around them."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cv_pipelines.annotations.annotation import Annotation, Box, area, outlined
from cv_pipelines.annotations.exchange import Exchange
from cv_pipelines.annotations.formats.known import find_format
from cv_pipelines.annotations.masks import outline_of
from tests.annotations.labels import Sizes, edges, read, write
from tests.annotations.test_masks import brush, compressed

RING = ((0.0, 0.0), (40.0, 0.0), (40.0, 30.0), (0.0, 30.0))
HOLE = ((10.0, 10.0), (20.0, 10.0), (20.0, 20.0), (10.0, 20.0))
APART = ((60.0, 10.0), (90.0, 10.0), (70.0, 40.0))


def one_of(text: str, name: str, path: Path) -> tuple[Annotation, Exchange]:
    path.write_text(text)
    exchange = Exchange()
    (found,) = read(path, find_format(name), exchange).values()
    assert exchange.report.counts == {}
    return found, exchange


def coco(**annotation: Any) -> str:
    return json.dumps(
        {
            "annotations": [{"id": 1, "image_id": "x", "category_id": 3, **annotation}],
            "categories": [{"id": 3, "name": "car", "supercategory": "vehicle"}],
            "images": [{"id": "x", "file_name": "a.jpg", "width": 5, "height": 4}],
        }
    )


@pytest.mark.parametrize("counts", [[9, 2, 2, 2, 5], compressed([9, 2, 2, 2, 5])])
def test_masks_of_coco(counts: Any, tmp_path: Path) -> None:
    """Two columns of two pixels each, counted down: x 2 to 4, y 1 to 3."""
    found, _ = one_of(
        coco(segmentation={"size": [4, 5], "counts": counts}, iscrowd=1), "coco", tmp_path / "a.json"
    )

    assert edges(found.boxes[0]) == (2, 1, 4, 3)
    assert area(found.boxes[0].outline) == 4
    assert found.boxes[0].attributes == {"iscrowd": 1}


def test_a_box_of_coco_that_is_not_that_of_its_outline_stays(tmp_path: Path) -> None:
    text = coco(segmentation=[[0, 0, 4, 0, 4, 3]], bbox=[0, 0, 5, 4])

    found, _ = one_of(text, "coco", tmp_path / "a.json")

    assert edges(found.boxes[0]) == (0, 0, 5, 4)
    assert found.boxes[0].outline == (((0, 0), (4, 0), (4, 3)),)


def test_ids_of_coco_stay(tmp_path: Path) -> None:
    exchange = Exchange()
    (tmp_path / "a.json").write_text(coco(bbox=[1, 2, 3, 4]).replace('"x"', "41"))
    labels = [*read(tmp_path / "a.json", find_format("coco"), exchange).values()]
    more = Annotation("b.jpg", 5, 4, (), (Box("bus", 0, 0, 1, 1),))
    write([*labels, more], tmp_path / "b.json", find_format("coco"), exchange)

    found = json.loads((tmp_path / "b.json").read_text())

    assert [(one["id"], one["name"], one["supercategory"]) for one in found["categories"]] == [
        (3, "car", "vehicle"),
        (1, "bus", ""),
    ]
    assert [one["id"] for one in found["images"]] == [41, 1]
    assert [(one["id"], one["image_id"], one["category_id"]) for one in found["annotations"]] == [
        (1, 41, 3),
        (2, 1, 1),
    ]


@pytest.mark.parametrize("name", ["coco", "labelme", "cvat", "labelstudio", "yolo-segmentation"])
@pytest.mark.parametrize("outline", [(RING, HOLE), (RING, APART), (RING, HOLE, APART)])
def test_parts_and_holes_keep_their_area_and_box(name: str, outline: Any, tmp_path: Path) -> None:
    labels = [Annotation("a.jpg", 100, 50, (), (outlined("car", outline), Box("car", 1, 2, 3, 4)))]
    exchange, sizes = Exchange(), Sizes({"a.jpg": (100, 50)})
    write(labels, tmp_path / "labels", find_format(name), exchange)

    (found,) = read(tmp_path / "labels", find_format(name), Exchange(sizes)).values()

    assert edges(found.boxes[0]) == pytest.approx(edges(labels[0].boxes[0]), abs=1e-6)
    assert inside(found.boxes[0]) == inside(labels[0].boxes[0])
    assert len(found.boxes) == 2
    assert not found.boxes[1].outline
    if len(found.boxes[0].outline) != len(outline):
        assert exchange.report.losses


def inside(box: Box) -> set[tuple[int, int]]:
    """The pixels whose centre is in an object, by counting edges to their right."""
    sides = [side for ring in box.outline for side in zip(ring, (*ring[1:], ring[0]), strict=True)]
    found = set()
    for column, row in np.ndindex(100, 50):
        x, y = column + 0.37, row + 0.41
        hits = [a + (y - b) * (c - a) / (d - b) > x for (a, b), (c, d) in sides if (b > y) != (d > y)]
        if sum(hits) % 2:
            found.add((column, row))
    return found


def test_shapes_of_cvat(tmp_path: Path) -> None:
    text = """<?xml version="1.0"?><annotations><meta><task><labels>
      <label><name>car</name><color>#ff0000</color></label><label><name>bus</name></label></labels></task></meta>
      <image id="5" name="north/1.jpg" subset="train" width="100" height="50">
        <box label="car" xtl="10" ytl="10" xbr="30" ybr="20" rotation="90" occluded="1"/>
        <mask label="car" rle="1,2,2,1" left="4" top="6" width="3" height="2"/>
        <polyline label="car" points="1,2;3,4"/>
        <tag label="night"/></image></annotations>"""

    found, exchange = one_of(text, "cvat", tmp_path / "a.xml")

    turned, mask = found.boxes
    assert edges(turned) == pytest.approx((15, 5, 25, 25))
    assert turned.attributes == {"occluded": 1}
    assert (edges(mask), area(mask.outline)) == ((5, 6, 7, 8), 3)
    assert (found.classes, found.attributes, found.image_id) == (("night",), {"split": "train"}, "5")
    assert exchange.report.losses == {"<polyline> is not read": 1}
    assert exchange.classes.frozen().classes[0].colour == "#ff0000"
    assert exchange.classes.frozen().names == ("car", "bus", "night")


def test_regions_of_label_studio(tmp_path: Path) -> None:
    mask = np.zeros((50, 100), bool)
    mask[5:8, 20:30] = True
    size = {"original_width": 100, "original_height": 50}
    value = {"x": 10, "y": 20, "width": 20, "height": 10}
    results = [
        {"type": "rectanglelabels", **size, "value": {**value, "rotation": 90, "rectanglelabels": ["car"]}},
        {"type": "brushlabels", **size, "value": {"format": "rle", "rle": brush(mask), "brushlabels": ["bus"]}},
        {"type": "keypointlabels", **size, "value": {"x": 1, "y": 1, "keypointlabels": ["eye"]}},
        {"type": "choices", "value": {"choices": ["night", "rain"]}},
        {"type": "relation", "from_id": "a", "to_id": "b", "direction": "right"},
    ]
    old = {"result": results[:1], "created_at": "2030-01-01T00:00:00Z"}
    new = {"result": results, "created_at": "2030-01-02T00:00:00Z"}
    cancelled = {"result": [], "was_cancelled": True, "created_at": "2030-01-03T00:00:00Z"}
    tasks = [
        {"id": 8, "data": {"image": "/data/local-files/?d=north/a%20b.jpg"}, "annotations": [new, old, cancelled]}
    ]

    found, exchange = one_of(json.dumps(tasks), "labelstudio", tmp_path / "a.json")

    assert (found.image, found.width, found.height, found.image_id) == ("north/a b.jpg", 100, 50, 8)
    assert edges(found.boxes[0]) == pytest.approx((5, 10, 10, 30))
    assert found.boxes[1] == outlined("bus", outline_of(mask))
    assert found.classes == ("night", "rain")
    assert set(exchange.report.losses) == {
        "results 'keypointlabels' are not read",
        "results 'relation' are not read",
        "further annotations of one image: the newest is read",
    }


def test_shapes_of_labelme(tmp_path: Path) -> None:
    def shape(kind: str, points: Any, group: int | None = None) -> dict[str, Any]:
        return {"label": "car", "shape_type": kind, "points": points, "group_id": group, "flags": {}}

    triangle = [[0, 0], [9, 0], [9, 9]]
    shapes = [
        shape("rectangle", [[30, 40], [10, 20]]),
        shape("polygon", triangle, 1),
        shape("polygon", triangle),
        shape("polygon", [[20, 0], [29, 0], [29, 9]], 1),
        shape("circle", [[5, 5], [6, 6]]),
    ]
    content = {"shapes": shapes, "imagePath": "..\\images\\a.jpg", "imageWidth": 50, "imageHeight": 50}
    (tmp_path / "in/labels").mkdir(parents=True)
    (tmp_path / "in/labels/a.json").write_text(json.dumps({**content, "flags": {"night": True, "rain": False}}))
    exchange = Exchange()

    found = read(tmp_path / "in", find_format("labelme"), exchange)["images/a.jpg"]

    assert [edges(box) for box in found.boxes] == [(10, 20, 30, 40), (0, 0, 29, 9), (0, 0, 9, 9)]
    assert [len(box.outline) for box in found.boxes] == [0, 2, 1]
    assert found.classes == ("night",)
    assert exchange.report.losses == {"shapes 'circle' are not read": 1}


def test_imagenet_counts_from_zero_and_lists_images_without_boxes(tmp_path: Path) -> None:
    place = tmp_path / "Annotations/CLS-LOC/train/n01440764"
    place.mkdir(parents=True)
    (tmp_path / "ImageSets/CLS-LOC").mkdir(parents=True)
    (tmp_path / "ImageSets/CLS-LOC/train_cls.txt").write_text("n01440764/n01440764_1 1\nn01440764/n01440764_2 2\n")
    (place / "n01440764_1.xml").write_text(
        "<annotation><filename>n01440764_1</filename><size><width>500</width><height>375</height></size><object>"
        "<name>n01440764</name><bndbox><xmin>0</xmin><ymin>0</ymin><xmax>499</xmax><ymax>374</ymax></bndbox>"
        "</object></annotation>"
    )

    found = read(tmp_path, find_format("imagenet"), Exchange())

    assert {image: [edges(box) for box in one.boxes] for image, one in found.items()} == {
        "n01440764/n01440764_1.JPEG": [(0, 0, 500, 375)],
        "n01440764/n01440764_2.JPEG": [],
    }
    assert {(one.classes, one.attributes["split"]) for one in found.values()} == {(("n01440764",), "train")}


def test_open_images_with_names_of_classes_and_classes_of_images(tmp_path: Path) -> None:
    (tmp_path / "class-descriptions-boxable.csv").write_text('/m/0k4j,Car\n/m/01bjv,"Bus, big"\n')
    (tmp_path / "labels.csv").write_text(
        "ImageID,Source,LabelName,Confidence\nx,verification,/m/01bjv,1\nx,machine,/m/0k4j,1\n"
    )

    found = read(tmp_path / "labels.csv", find_format("openimages"), Exchange())

    assert found["x.jpg"].classes == ("Bus, big", "Car")


def test_rows_of_an_image_that_are_not_together(tmp_path: Path) -> None:
    rows = [
        "filename,class,xmin,ymin,xmax,ymax",
        "a,x,1,1,2,2",
        "b,y,1,1,2,2",
        "a,z,3,3,4,4",
        "c,,,,,",
        "a,night,,,,",
    ]
    (tmp_path / "a.csv").write_text("\n".join(rows))

    found = read(tmp_path / "a.csv", find_format("csv"), Exchange())

    assert {name: [box.label for box in one.boxes] for name, one in found.items()} == {
        "a": ["x", "z"],
        "b": ["y"],
        "c": [],
    }
    assert found["a"].classes == ("night",)


def test_splits_of_voc(tmp_path: Path) -> None:
    labels = [Annotation(f"{n}.jpg", 9, 9, (), (), {"split": split}) for n, split in enumerate(("train", "val"))]
    write(labels, tmp_path / "voc", find_format("voc"), Exchange())

    found = read(tmp_path / "voc", find_format("voc"), Exchange())

    assert (tmp_path / "voc/ImageSets/Main/val.txt").read_text() == "1\n"
    assert [one.attributes for one in found.values()] == [{"split": "train"}, {"split": "val"}]
