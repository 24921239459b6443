"""COCO's numbers: worked out on paper, and those of the library given everything at once."""

import math

import pytest
from faster_coco_eval import COCO, COCOeval_faster
from hypothesis import given, settings
from hypothesis import strategies as st

from cv_pipelines.annotations.annotation import Box
from cv_pipelines.detections.boxes import by_class, gather_detections, gather_truth
from cv_pipelines.detections.coco_numbers import NUMBERS, Numbers, coco_numbers, mean_numbers
from tests.detections.boxes import Seen, batches, labelled


def numbers_of(images: dict[str, list[Box]], seen: list[Seen]) -> Numbers:
    truth = gather_truth(labelled(images))
    classes = by_class(truth, gather_detections(batches(seen), truth))
    return mean_numbers([coco_numbers(objects, found)[0] for _, objects, found in classes])


def large(left: float, label: str = "cat", **attributes: int) -> Box:
    return Box(label, left, 0, 100, 100, (), attributes)


def test_right_wrong_right() -> None:
    """Precision 1 up to a recall of 0.5 (51 of the 101 points), then 2/3; alike at every IoU."""
    images = {"a": [large(0), large(200)]}
    found = numbers_of(
        images,
        [
            ("a", "cat", 0, 0, 100, 100, 0.9),
            ("a", "cat", 400, 0, 100, 100, 0.8),
            ("a", "cat", 200, 0, 100, 100, 0.7),
        ],
    )

    precision = (51 + 50 * 2 / 3) / 101
    assert [found[name] for name in ("AP", "AP50", "AP75", "AP_large")] == pytest.approx([precision] * 4)
    assert [found[name] for name in ("AR1", "AR10", "AR100", "AR_large")] == [0.5, 1, 1, 1]
    assert all(math.isnan(found[name]) for name in ("AP_small", "AP_medium", "AR_small", "AR_medium"))


def test_an_overlap_of_78_hundredths_is_right_at_six_of_ten() -> None:
    found = numbers_of({"a": [large(0)]}, [("a", "cat", 0, 0, 100, 78, 0.9)])

    assert [found[name] for name in ("AP", "AP50", "AP75", "AR100")] == pytest.approx([0.6, 1, 1, 0.6])


def test_objects_by_size() -> None:
    """Of three objects the medium one is found: precision 1 up to a recall of 1/3, 34 points of 101."""
    images = {"a": [Box("cat", 0, 0, 20, 20), Box("cat", 100, 0, 50, 50), Box("cat", 200, 0, 200, 200)]}
    found = numbers_of(images, [("a", "cat", 100, 0, 50, 50, 0.9)])

    assert [found[name] for name in ("AP_small", "AP_medium", "AP_large")] == [0, 1, 0]
    assert found["AP"] == pytest.approx(34 / 101)


def test_the_size_is_that_of_the_outline_or_what_was_said() -> None:
    outline = ((0.0, 0.0), (100.0, 0.0), (100.0, 20.0), (0.0, 20.0))
    thin = Box("cat", 0, 0, 100, 100, (outline,))
    said = Box("cat", 200, 0, 100, 100, (), {"area": 500})

    found = numbers_of({"a": [thin, said]}, [("a", "cat", 0, 0, 100, 100, 0.9), ("a", "cat", 200, 0, 100, 100, 1)])

    assert [found[name] for name in ("AP_small", "AP_medium")] == [1, 1]
    assert math.isnan(found["AP_large"])


def test_what_lies_in_a_crowd_is_neither_right_nor_wrong() -> None:
    images = {"a": [large(0), Box("cat", 200, 0, 200, 200, (), {"iscrowd": 1})]}
    inside: list[Seen] = [("a", "cat", 200 + 50 * place, 0, 40, 40, 1) for place in range(3)]

    found = numbers_of(images, [*inside, ("a", "cat", 0, 0, 100, 100, 0.5)])

    assert (found["AP"], found["AR100"]) == (1, 1)
    outside: Seen = ("a", "cat", 500, 0, 40, 40, 1)
    assert numbers_of(images, [*inside, outside, ("a", "cat", 0, 0, 100, 100, 0.5)])["AP"] == 0.5


def test_classes_count_alike_and_not_by_their_objects() -> None:
    images = {"a": [large(0, "cat"), *(large(left, "dog") for left in range(200, 1000, 200))]}

    found = numbers_of(images, [("a", "cat", 0, 0, 100, 100, 0.9)])

    assert (found["AP"], found["AR100"]) == (0.5, 0.5)


places = st.tuples(*(st.integers(low, high) for low, high in ((0, 60), (0, 30), (1, 120), (1, 120))))
objects = st.builds(
    lambda label, place, kind: Box._make((label, *map(float, place), (), kind)),
    st.sampled_from("xyz"),
    places,
    st.sampled_from([{}, {}, {"iscrowd": 1}]),
)
labels = st.fixed_dictionaries({image: st.lists(objects, max_size=6) for image in "abc"})
detections = st.lists(
    st.builds(
        lambda image, label, place, score: (image, label, *map(float, place), score / 8),
        st.sampled_from("abc"),
        st.sampled_from("xyz"),
        places,
        st.integers(0, 8),
    ),
    max_size=20,
)


@settings(max_examples=60)
@given(labels, detections)
def test_class_by_class_is_all_at_once(images: dict[str, list[Box]], seen: list[Seen]) -> None:
    boxes = [(image, box) for image, some in images.items() for box in some]
    classes = list(dict.fromkeys(box.label for _, box in boxes))
    seen = [one for one in seen if one[1] in classes]
    if not seen:
        return
    there = COCO()
    there.dataset = {
        "images": [{"id": number} for number in range(3)],
        "categories": [{"id": number, "name": name} for number, name in enumerate(classes)],
        "annotations": [
            {
                "id": number,
                "image_id": "abc".index(image),
                "category_id": classes.index(box.label),
                "bbox": list(box[1:5]),
                "area": box.width * box.height,
                "iscrowd": box.attributes.get("iscrowd", 0),
            }
            for number, (image, box) in enumerate(boxes, start=1)
        ],
    }
    there.createIndex()
    results = [
        {
            "image_id": "abc".index(one[0]),
            "category_id": classes.index(one[1]),
            "bbox": [*one[2:6]],
            "score": one[6],
        }
        for one in seen
    ]
    run = COCOeval_faster(there, there.loadRes(results), "bbox")
    run.run()

    found = numbers_of(images, seen)

    expected = [value if value >= 0 else math.nan for value in run.stats]
    assert [found[name] for name in NUMBERS] == pytest.approx(expected, abs=1e-12, nan_ok=True)
