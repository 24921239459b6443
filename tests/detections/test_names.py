from typing import Any

import pytest

from cv_pipelines.annotations.report import ItemError
from cv_pipelines.detections.ground_truth import GroundTruth
from cv_pipelines.detections.names import Names

IMAGES = [
    ("root", ["0001.jpg"]),
    ("north", ["north/0001.jpg"]),
    ("south", ["south/0001.jpg"]),
    ("twice", ["south/0002.jpg", "copies/0002.png"]),
    ("raw", ["a/b/shot.raw.png"]),
]


@pytest.fixture(scope="module")
def names() -> Names:
    truth = GroundTruth({1: "north/0001.jpg", 2: "gone.jpg", "x": "0002.jpg"}, {7: "car", 8: "tram"})
    return Names(IMAGES, {"car": "car", "auto": "car", "bus": "bus"}, truth)


@pytest.mark.parametrize(
    ("given", "image"),
    [
        ("north/0001.jpg", "north"),
        ("north/0001", "north"),
        ("0001.jpg", "root"),  # its whole path, though others end in the same
        ("0002.jpg", "twice"),
        ("0002.png", "twice"),
        ("copies/0002", "twice"),
        ("shot.raw", "raw"),
        ("b/shot.raw.png", "raw"),
        ("/data/v2/south/0001.jpg", "south"),
        (".\\south\\0001.jpg", "south"),
        ("C:\\photos\\0001.jpg", "root"),
        (1, "north"),
        (1.0, "north"),
        ("x", "twice"),
    ],
)
def test_an_image_goes_by_many_names(names: Names, given: Any, image: str) -> None:
    assert names.image(given) == image


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ("0001", "ambiguous_image"),
        ("0003.jpg", "unknown_image"),
        ("east/0002.jpg", "unknown_image"),  # that of another folder is another image
        ("shot", "unknown_image"),
        (2, "unknown_image"),
        (9, "unknown_image"),
        (float("nan"), "unknown_image"),
        (True, "unknown_image"),
        (None, "unknown_image"),
        ([1], "unknown_image"),
        ("", "bad_name"),
        ("a\0b", "bad_name"),
        ("x" * 5000, "bad_name"),
    ],
)
def test_what_names_no_image_or_several_is_refused(names: Names, given: Any, code: str) -> None:
    with pytest.raises(ItemError) as caught:
        names.image(given)
    assert caught.value.code == code


def test_classes(names: Names) -> None:
    assert [names.label(given) for given in (7, "car", "auto", " bus ")] == ["car", "car", "car", "bus"]
    for given, code in ((8, "unknown_class"), ("tram", "unknown_class"), (9, "unknown_class"), ("", "bad_class")):
        with pytest.raises(ItemError) as caught:
            names.label(given)
        assert caught.value.code == code


def test_numbers_need_a_ground_truth() -> None:
    alone = Names(IMAGES)
    for ask in (alone.image, alone.label):
        with pytest.raises(ItemError, match="--ground-truth") as caught:
            ask(7)
        assert caught.value.code == "no_ground_truth"


def test_a_data_set_without_classes_takes_any() -> None:
    assert Names(IMAGES).label("zebra") == "zebra"
