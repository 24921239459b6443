from dataclasses import replace
from pathlib import Path

import pyarrow.compute as pc
import pytest

from cv_pipelines.annotations.annotation import Annotation, Box
from cv_pipelines.annotations.exchange import Exchange
from cv_pipelines.annotations.formats.known import find_format
from cv_pipelines.detections.coco_numbers import NUMBERS
from cv_pipelines.detections.evaluation import VOC, class_rows, judge
from cv_pipelines.errors import InputError
from tests.detections.boxes import Seen, batches, labelled

LABELS = {
    "a": [Box("cat", 0, 0, 50, 50), Box("dog", 100, 0, 50, 50, (), {"difficult": 1})],
    "b": [Box("cat", 0, 0, 50, 50), Box("cat", 200, 0, 100, 100, (), {"iscrowd": 1})],
    "c": [],
}


def test_what_cannot_be_judged_is_left_out_and_counted() -> None:
    seen: list[Seen] = [
        ("a", "cat", 0, 0, 50, 50, 0.9),
        ("gone", "cat", 0, 0, 50, 50, 0.9),
        ("gone", "owl", 0, 0, 50, 50, 0.9),
        ("a", "owl", 0, 0, 50, 50, 0.9),
    ]

    facts, _ = judge(labelled(LABELS), batches(seen))

    assert {name: facts[name] for name in list(facts)[:6]} == {
        "images": 3,
        "images_with_detections": 1,
        "objects": 3,
        "detections": 1,
        "detections_on_unlabelled_images": 2,
        "detections_of_unknown_classes": 1,
    }


def test_an_image_without_objects_counts_too() -> None:
    hit: Seen = ("a", "cat", 0, 0, 50, 50, 0.5)
    alone, _ = judge(labelled(LABELS), batches([hit]))
    beside, _ = judge(labelled(LABELS), batches([("c", "cat", 0, 0, 50, 50, 0.9), hit]))

    assert (alone["per_class"]["cat"]["AP50"], beside["per_class"]["cat"]["AP50"]) == (
        pytest.approx(51 / 101),
        pytest.approx(51 / 101 / 2),
    )


def test_a_difficult_object_counts_for_coco_and_not_for_voc() -> None:
    facts, curves = judge(labelled(LABELS), batches([("a", "dog", 100, 0, 50, 50, 0.9)]))

    assert facts["per_class"]["dog"] == {
        "objects": 1,
        "detections": 1,
        **{name: None if name.endswith(("small", "large")) else 1.0 for name in NUMBERS},
        **dict.fromkeys(VOC),
    }
    assert [facts[name] for name in ("AP", *VOC)] == [0.5, 0, 0]
    assert curves.filter(pc.equal(curves["label"], "dog"))["precision"].to_pylist() == [1.0] * 101


def test_an_image_with_a_class_as_a_whole_and_no_boxes_says_nothing_of_objects() -> None:
    whole = Annotation("d.jpg", classes=("night",), image_id="d")
    facts, _ = judge([*labelled(LABELS), whole], batches([("d", "cat", 0, 0, 50, 50, 0.9)]))

    assert (facts["images"], facts["detections_on_unlabelled_images"]) == (3, 1)


def test_the_order_of_labels_does_not_matter() -> None:
    seen: list[Seen] = [(image, "cat", 0, 0, 50, width, 0.5) for image, width in (("c", 50), ("b", 30), ("a", 50))]
    some = labelled(LABELS)

    assert judge(some, batches(seen))[0] == judge(some[::-1], batches(seen))[0]


def test_labels_without_boxes_are_nothing_to_judge_by() -> None:
    with pytest.raises(InputError, match="no boxes"):
        judge([Annotation("a.jpg", classes=("cat",), image_id="a")], batches([]))


def test_the_classes_with_most_objects_come_first() -> None:
    facts, _ = judge(labelled(LABELS), batches([]))

    assert [(row["class"], row["objects"], row["AP"]) for row in class_rows(facts)] == [
        ("cat", 2, 0),
        ("dog", 1, 0),
    ]


@pytest.fixture(scope="module")
def photos(bench_data: Path) -> list[Annotation]:
    """100 photos with 273 objects of 20 classes."""
    source = bench_data / "detection_formats" / "annotations" / "pascalvoc_format"
    return [replace(one, image_id=one.image) for one in find_format("voc").read(source, Exchange())]


def seen_in(photos: list[Annotation], shift: float) -> list[Seen]:
    boxes = [(str(one.image_id), box) for one in photos for box in one.boxes]
    return [
        (image, box.label, box.left + shift * box.width, box.top, box.width, box.height, 1 - place / 1000)
        for place, (image, box) in enumerate(boxes)
    ]


def test_real_labels_found_as_they_are_are_found_perfectly(photos: list[Annotation]) -> None:
    facts, _ = judge(photos, batches(seen_in(photos, 0)))

    assert (facts["images"], facts["objects"], len(facts["per_class"])) == (100, 273, 20)
    for one in (facts, *facts["per_class"].values()):
        known = [one[name] for name in (*NUMBERS, *VOC) if name != "AR1" and one[name] is not None]
        assert known == pytest.approx([1] * len(known))
    assert facts["AR1"] < 1, "some images show several objects of a class"


def test_a_shift_costs_every_class_what_its_overlap_says(photos: list[Annotation]) -> None:
    """By a quarter of the width, the overlap is 3/5: right at .50, .55 (and .60, where rounding lets it be)."""
    facts, _ = judge(photos, batches(seen_in(photos, 0.25)))

    for name, one in facts["per_class"].items():
        assert one["AP50"] > 0.5, name
        assert 0.15 < one["AP"] < 0.35, name
        assert one["AP75"] < 0.5, name
