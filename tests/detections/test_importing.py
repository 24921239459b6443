from pathlib import Path
from typing import Any

import pytest

from cv_pipelines.annotations.store.classes import rename_class, retire_class
from cv_pipelines.annotations.store.events import writing
from cv_pipelines.catalog import Catalog
from cv_pipelines.detections.detection import read_detections
from cv_pipelines.detections.importing import Imported, import_detections, require_detections
from cv_pipelines.errors import InputError
from tests.detections.conftest import Write

ONE = {"image_id": "north/0001", "category_id": "car", "bbox": [10, 20.5, 30, 40], "score": 0.9}
TRUTH: dict[str, Any] = {
    "images": [{"id": 4, "file_name": "north/0001.jpg"}, {"id": 5, "file_name": "0002.jpg"}],
    "categories": [{"id": 1, "name": "car"}, {"id": 3, "name": "traffic_light"}],
    "annotations": [],
}


def rows(catalog: Catalog) -> list[tuple[Any, ...]]:
    """What is stored of the data set."""
    bundle = catalog.open(require_detections(catalog, "street"))
    return [tuple(row.values()) for batch in read_detections(bundle) for row in batch.to_pylist()]


def problems(done: Imported) -> list[tuple[str, str]]:
    return [(one.code, one.where) for one in done.report.problems]


def test_results_by_name(street: Catalog, write: Write) -> None:
    source = write("yolo.json", [ONE, {**ONE, "image_id": "0002", "score": 1, "segmentation": {"counts": "x"}}])

    done = import_detections(street, "street", source)

    assert rows(street) == [
        ("i1", "car", 10.0, 20.5, 30.0, 40.0, 0.9),
        ("i3", "car", 10.0, 20.5, 30.0, 40.0, 1.0),
    ]
    assert done.reference is not None
    assert street.open(done.reference).facts == {
        "name": "yolo",
        "format": "coco-results",
        "detections": 2,
        "images": 2,
        "classes": {"car": 2},
        "left_out": {},
    }


def test_results_by_the_numbers_of_a_ground_truth(street: Catalog, write: Write) -> None:
    truth = write("instances.json", TRUTH)
    source = write("r.json", [{**ONE, "image_id": 4, "category_id": 3}, {**ONE, "image_id": 5, "category_id": 1}])

    import_detections(street, "street", source, truth=truth)

    assert [row[:2] for row in rows(street)] == [("i1", "traffic_light"), ("i3", "car")]


def test_a_file_may_use_the_old_name_of_a_class_and_none_that_is_retired(street: Catalog, write: Write) -> None:
    with writing(street.database, "street") as connection:
        rename_class(connection, "street", "car", "vehicle", "ann")
        retire_class(connection, "street", "traffic_light", "ann")
    source = write("r.json", [ONE, {**ONE, "category_id": "traffic_light"}])

    done = import_detections(street, "street", source, skip_bad=True)

    assert ([row[1] for row in rows(street)], problems(done)) == (["vehicle"], [("unknown_class", "r.json[1]")])


def test_text_of_voc(street: Catalog, write: Write) -> None:
    write("Main/comp4_det_test_car.txt", "north/0001 0.5 1 1 640 480\r\n\n0002 -3.25 10.5 11 12 13\n")
    folder = write("Main/traffic_light.txt", "\ufeff0002 1e-3 5 5 5 5").parent

    done = import_detections(street, "street", folder, name="frcnn")

    assert rows(street) == [
        ("i1", "car", 0.0, 0.0, 640.0, 480.0, 0.5),
        ("i3", "car", 9.5, 10.0, 2.5, 3.0, -3.25),
        ("i3", "traffic_light", 4.0, 4.0, 1.0, 1.0, 0.001),
    ]
    assert (done.report.images, done.classes) == (2, {"car": 2, "traffic_light": 1})


BAD: list[tuple[dict[str, object], str]] = [
    ({"image_id": "0009.jpg"}, "unknown_image"),
    ({"image_id": "0001.jpg"}, "ambiguous_image"),
    ({"image_id": 4}, "no_ground_truth"),
    ({"category_id": "tram"}, "unknown_class"),
    ({"category_id": 3}, "no_ground_truth"),
    ({"category_id": None}, "no_ground_truth"),
    ({"bbox": [1, 2, -3, 4]}, "negative_size"),
    ({"bbox": [1, 2, 3]}, "bad_box"),
    ({"bbox": None}, "bad_box"),
    ({"bbox": [1, 2, 3, float("nan")]}, "bad_number"),
    ({"bbox": [1, 2, 3, 1e300]}, "bad_number"),
    ({"bbox": [1, 2, 3, True]}, "bad_number"),
    ({"bbox": [1, 2, 3, [4]]}, "bad_number"),
    ({"score": float("nan")}, "bad_number"),
    ({"score": float("inf")}, "bad_number"),
    ({"score": 10**400}, "bad_number"),
    ({"score": None}, "bad_number"),
    ({"score": False}, "bad_number"),
]


def test_every_bad_detection_is_named_and_nothing_is_stored(street: Catalog, write: Write) -> None:
    items = [{**ONE, **change} for change, _ in BAD]
    source = write("r.json", [*items, ONE, {"image_id": "0002"}, [], None])
    found = [*(code for _, code in BAD), "incomplete", "bad_detection", "bad_detection"]
    places = [place for place in range(len(BAD) + 4) if place != len(BAD)]

    done = import_detections(street, "street", source)

    assert done.reference is None
    assert problems(done) == [(code, f"r.json[{place}]") for code, place in zip(found, places, strict=True)]
    assert street.current("detections", "street") is None
    assert import_detections(street, "street", source, skip_bad=True).reference
    assert [row[0] for row in rows(street)] == ["i1"]


def test_one_mistake_is_enough(street: Catalog, write: Write) -> None:
    done = import_detections(street, "street", write("r.json", [ONE, {**ONE, "score": None}]))

    assert (done.reference, street.current("detections", "street")) == (None, None)


def test_where_all_is_bad_there_is_nothing_to_store(street: Catalog, write: Write) -> None:
    assert import_detections(street, "street", write("r.json", [[]]), skip_bad=True).reference is None


LINES = [
    ("0002 0.5 1 1 2", "bad_line"),
    ("0009 0.5 1 1 2 2", "unknown_image"),
    ("0002 0.5 9 1 2 2", "negative_size"),
    ("0002 nan 1 1 2 2", "bad_number"),
    ("0002 0.5 1 1 2 inf", "bad_number"),
    ("0002 0.5 1 1 2 1e99", "bad_number"),
    ("\x00\xff\xfe", "bad_line"),
    ("my photo 1 0.5 1 1 2 2", "unknown_image"),
]


def test_every_bad_line_is_named_and_nothing_is_stored(street: Catalog, write: Write) -> None:
    text = "0002 0.5 1 1 2 2\n\n" + "".join(f"{line}\n" for line, _ in LINES)

    done = import_detections(street, "street", write("car.txt", text.encode("latin-1")))

    assert done.reference is None
    assert problems(done) == [(code, f"car.txt:{place}") for place, (_, code) in enumerate(LINES, start=3)]
    assert done.report.problems[-1].message == "the data set has no image 'my photo 1'"


def test_a_file_of_an_unknown_class_is_named_once(street: Catalog, write: Write) -> None:
    write("d/car.txt", "0002 0.5 1 1 2 2\n")
    folder = write("d/comp3_det_val_tram.txt", "0002 0.5 1 1 2 2\n" * 9).parent

    assert problems(import_detections(street, "street", folder)) == [("unknown_class", "comp3_det_val_tram.txt")]


def test_a_line_without_end_is_no_reason_to_hold_it_whole(street: Catalog, write: Write) -> None:
    done = import_detections(street, "street", write("car.txt", "x" * 10_000 + "\n0002 0.5 1 1 2\n"))

    assert [where for _, where in problems(done)] == ["car.txt:1"] * 3 + ["car.txt:2"]


def test_a_file_that_is_something_else(street: Catalog, write: Write) -> None:
    for content, told in (
        (TRUTH, "is an object with 'images', 'categories', 'annotations'; it looks like COCO's ground truth"),
        ({"predictions": [ONE]}, "is an object with 'predictions'; it is no list of detections"),
        ("5", "a list or an object is expected"),
        ('[{"image_id": 1', "is not JSON near line 1"),
        ("[1" + "0" * 5000 + "]", "a number of thousands of digits"),
        (b"\x89PNG\r\n", "is not UTF-8"),
        ("[" * 100_000, "nested too deeply"),
        ("", "is not JSON"),
    ):
        with pytest.raises(InputError) as caught:
            import_detections(street, "street", write("r.json", content), skip_bad=True)
        assert told in caught.value.user_message
    assert street.current("detections", "street") is None


def test_a_ground_truth_with_a_mistake(street: Catalog, write: Write) -> None:
    images, classes = TRUTH["images"], TRUTH["categories"]
    source = write("r.json", [{**ONE, "image_id": 4, "category_id": 1}])
    for key, items, found in (
        ("images", [*images, {"id": 4, "file_name": "0002.jpg"}], ["repeated_id", "unknown_image"]),
        ("categories", [*classes, {"id": 1, "name": "car"}], ["repeated_id", "unknown_class"]),
        ("images", [*images, {"file_name": "0002.jpg"}], ["bad_id"]),
        ("images", [*images, {"id": [], "file_name": "0002.jpg"}], ["bad_id"]),
        ("images", [*images, {"id": 9}], ["bad_name"]),
        ("categories", [*classes, {"id": 9, "name": ""}], ["bad_class"]),
    ):
        done = import_detections(street, "street", source, truth=write("t.json", {**TRUTH, key: items}))
        assert (done.reference, [one.code for one in done.report.problems]) == (None, found)
        assert done.report.problems[0].where == f"t.json: {key}[2]"


def test_a_ground_truth_that_is_none(street: Catalog, write: Write) -> None:
    for content, told in (([ONE], "is a list"), ({"images": []}, "no list 'categories'")):
        with pytest.raises(InputError, match=told):
            import_detections(street, "street", write("r.json", []), truth=write("t.json", content))


def test_the_same_again_changes_nothing_and_another_order_is_another_version(
    street: Catalog, write: Write
) -> None:
    other = {**ONE, "score": 0.1}
    first = import_detections(street, "street", write("r.json", [ONE, other]))
    again = import_detections(street, "street", write("r.json", [ONE, other]))
    turned = import_detections(street, "street", write("r.json", [other, ONE]))

    assert (first.unchanged, again.unchanged, turned.unchanged) == (False, True, False)
    assert first.reference == again.reference != turned.reference
    assert [one.reference for one in street.history("detections", "street")] == [turned.reference, first.reference]


def test_no_detection_is_a_result_too(street: Catalog, write: Write) -> None:
    assert import_detections(street, "street", write("r.json", [])).reference
    assert rows(street) == []


def test_what_is_not_there(street: Catalog, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="There is no"):
        import_detections(street, "street", tmp_path / "none.json")
    with pytest.raises(InputError, match="no data set 'streat'"):
        import_detections(street, "streat", tmp_path)
    with pytest.raises(InputError, match=r"no \.txt files"):
        import_detections(street, "street", tmp_path / "catalog")
    with pytest.raises(InputError, match="cv-pipelines detections import street FILE"):
        require_detections(street, "street")
