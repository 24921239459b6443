"""Labels through every format and back."""

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings

from cv_pipelines.annotations.annotation import Annotation, Attributes, Box
from cv_pipelines.annotations.exchange import Exchange
from cv_pipelines.annotations.formats.format import Format
from cv_pipelines.annotations.formats.known import FORMATS, detect, find_format
from cv_pipelines.settings import ROOT
from tests.annotations.labels import Sizes, annotations, edges, read, sizes_of, write

WITH_BOXES = [one for one in FORMATS if one.name != "folder"]
# how far an edge may move, in pixels; relative formats have nine decimals of images up to 5,000 pixels wide
PRECISION = {"coco": 0.0, "voc": 0.5, "imagenet": 0.5, "yolo": 1e-5, "yolo-segmentation": 1e-5, "openimages": 1e-5}
FLOATS = 1e-9
HOLDS_OUTLINES = {"coco", "yolo-segmentation", "labelme", "cvat", "labelstudio"}
DATA = Path(os.environ.get("CV_BENCH_DATA", ROOT.parent / "shared" / "data")) / "detection_formats"
PIXEL = {"voc", "imagenet"}


def target_of(folder: Path, form: Format) -> Path:
    suffix = {"cvat": ".xml", "csv": ".csv", "openimages": ".csv"}.get(form.name, ".json")
    return folder / (form.name if form.folder else form.name + suffix)


def assert_same_boxes(found: Annotation, wanted: Annotation, *through: str) -> None:
    assert [box.label for box in found.boxes] == [box.label for box in wanted.boxes]
    near = sum(PRECISION.get(name, FLOATS) for name in through) + FLOATS * (through != ("coco",))
    for one, other in zip(found.boxes, wanted.boxes, strict=True):
        narrow = PIXEL & set(through) and min(other.width, other.height) < 1  # becomes a pixel
        assert edges(one) == pytest.approx(edges(other), abs=near + bool(narrow), rel=0)


@pytest.mark.parametrize("form", WITH_BOXES, ids=lambda form: form.name)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(labels=annotations())
def test_any_annotations_survive_a_format(
    form: Format, labels: list[Annotation], tmp_path_factory: object
) -> None:
    folder: Path = tmp_path_factory.mktemp("labels")  # type: ignore[attr-defined]
    target, sizes = target_of(folder, form), sizes_of(labels)
    written, back = Exchange(sizes), Exchange(sizes)

    write(labels, target, form, written)
    found = read(target, form, back) if target.is_file() or any(target.rglob("*.*")) else {}

    assert written.report.counts == {}
    assert back.report.counts == {}
    wanted = {one.image: one for one in labels if one.boxes or form.name != "openimages"}
    assert found.keys() == wanted.keys()
    for image, one in found.items():
        assert (one.width, one.height) == (wanted[image].width, wanted[image].height)
        assert_same_boxes(one, wanted[image], form.name)
        if form.name == "coco":
            assert one.boxes == wanted[image].boxes
        for box, other in zip(one.boxes, wanted[image].boxes, strict=True):
            if form.name in HOLDS_OUTLINES and len(set(other.outline[0] if other.outline else ())) > 2:
                assert len(box.outline) == len(other.outline) or form.name == "yolo-segmentation"
            if other.outline and form.name not in HOLDS_OUTLINES:
                assert any("outlines" in loss for loss in written.report.losses)


@pytest.mark.parametrize("first", WITH_BOXES, ids=lambda form: form.name)
@pytest.mark.skipif(not DATA.is_dir(), reason=f"there are no photos with boxes at {DATA}")
def test_the_same_boxes_through_every_pair_of_formats(first: Format, tmp_path: Path) -> None:
    coco = find_format("coco")
    wanted = read(DATA / "annotations/coco_format_v1/instances_default.json", coco, Exchange())
    sizes = sizes_of(wanted.values())
    assert (len(wanted), sum(len(one.boxes) for one in wanted.values())) == (100, 273)
    start = target_of(tmp_path, first)
    write(wanted.values(), start, first, Exchange(sizes))

    for second in WITH_BOXES:
        (tmp_path / "second").mkdir(exist_ok=True)
        exchange, end = Exchange(sizes), target_of(tmp_path / "second", second)
        write(read(start, first, exchange).values(), end, second, exchange)
        found = read(end, second, back := Exchange(sizes))

        assert (exchange.report.counts, back.report.counts) == ({}, {})
        assert found.keys() == wanted.keys()
        for image, one in found.items():
            # whole numbers of pixels: nothing is lost even where only those can be written
            through = [name for name in (first.name, second.name) if name not in PIXEL]
            assert_same_boxes(one, wanted[image], *through, "csv")


@pytest.mark.skipif(not DATA.is_dir(), reason=f"there are no photos with boxes at {DATA}")
def test_voc_counts_pixels_from_one_where_its_conversion_to_coco_did_not() -> None:
    """The data's own COCO took `xmin` for the edge: right and lower edges agree, the others by one pixel."""
    voc = read(DATA / "annotations/pascalvoc_format", find_format("voc"), Exchange())
    coco = read(DATA / "annotations/coco_format_v1/instances_default.json", find_format("coco"), Exchange())

    assert voc.keys() == coco.keys()
    for image, one in voc.items():
        ours = sorted((box.label, box.left + 1, box.top + 1, box.right, box.bottom) for box in one.boxes)
        theirs = sorted((box.label, *edges(box)) for box in coco[image].boxes)
        assert ours == theirs


@pytest.mark.parametrize("form", WITH_BOXES, ids=lambda form: form.name)
def test_frames_of_two_videos_with_equal_numbers_stay_apart(form: Format, tmp_path: Path) -> None:
    labels = [
        Annotation(f"{video}/frame-000001.jpg", 640, 480, (), (Box("car", place, 20, 30, 40),))
        for place, video in enumerate(("north", "south"))
    ]
    target, sizes = target_of(tmp_path, form), sizes_of(labels)

    write(labels, target, form, Exchange(sizes))
    found = read(target, form, Exchange(sizes))

    assert {image: round(one.boxes[0].left) for image, one in found.items()} == {
        "north/frame-000001.jpg": 0,
        "south/frame-000001.jpg": 1,
    }


@pytest.mark.parametrize("form", WITH_BOXES, ids=lambda form: form.name)
def test_frames_that_share_a_name_are_refused_not_merged(form: Format, tmp_path: Path) -> None:
    frame = Annotation("frame-000001.jpg", 640, 480, (), (Box("car", 10, 20, 30, 40),))
    exchange = Exchange(Sizes({frame.image: (640, 480)}))

    write([frame, frame], target_of(tmp_path, form), form, exchange)

    assert exchange.report.counts == {"repeated_image": 1}


@pytest.mark.parametrize("form", WITH_BOXES, ids=lambda form: form.name)
def test_what_is_written_looks_like_its_format(form: Format, tmp_path: Path) -> None:
    labels = [Annotation("a/b.jpg", 640, 480, (), (Box("car", 10, 20, 30, 40),))]
    write(labels, target_of(tmp_path, form), form, Exchange())

    found = detect(target_of(tmp_path, form))

    assert found is not None
    assert found.name == form.name.removesuffix("-segmentation")


@pytest.mark.parametrize("name", ["cvat", "csv", "labelme", "labelstudio"])
def test_classes_of_images_survive(name: str, tmp_path: Path) -> None:
    labels = [Annotation("a.jpg", 640, 480, ("day", "rain"), (Box("car", 10, 20, 30, 40),))]
    form = find_format(name)
    write(labels, target_of(tmp_path, form), form, Exchange())

    assert read(target_of(tmp_path, form), form, Exchange())["a.jpg"].classes == ("day", "rain")


ATTRIBUTES: dict[str, Attributes] = {
    "coco": {"iscrowd": 1, "occluded": True, "area": 12.5, "note": "far"},
    "voc": {"difficult": 1, "truncated": 1, "occluded": 1, "pose": "Left"},
    "cvat": {"occluded": 1, "z_order": 2, "group": 7, "parked": True, "note": "far", "speed": 3.5},
    "openimages": {"occluded": 1, "truncated": 1, "iscrowd": 1, "inside": 1, "source": "xclick", "score": 0.5},
    "labelme": {"parked": True, "description": "far", "group": 7},
    "yolo": {},
}


@pytest.mark.parametrize("name", ATTRIBUTES)
def test_attributes_survive_or_are_listed(name: str, tmp_path: Path) -> None:
    form, exchange = find_format(name), Exchange()
    held = ATTRIBUTES[name]
    labels = [Annotation("a.jpg", 640, 480, (), (Box("car", 10, 20, 30, 40, (), {**held, "unheard": "of"}),))]
    write(labels, target_of(tmp_path, form), form, exchange)
    found = read(target_of(tmp_path, form), form, Exchange(sizes_of(labels)))["a.jpg"].boxes[0].attributes

    if name in ("coco", "cvat"):  # they hold any
        assert found == {**held, "unheard": "of"}
    else:
        assert found == held
        assert exchange.report.losses == {"the attribute 'unheard'": 1}
