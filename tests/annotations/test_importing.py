"""Labels of files in the label store: all of a file or nothing, and nobody's work lost."""

import json
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from cv_pipelines.annotations.annotation import Annotation, Box
from cv_pipelines.annotations.exchange import Exchange
from cv_pipelines.annotations.formats.coco import COCO
from cv_pipelines.annotations.formats.csv_boxes import CSV
from cv_pipelines.annotations.formats.cvat import CVAT
from cv_pipelines.annotations.formats.format import Format
from cv_pipelines.annotations.formats.known import find_format
from cv_pipelines.annotations.importing import Choices, Imported, import_labels, importer
from cv_pipelines.annotations.label_set import colour_of
from cv_pipelines.annotations.store.classes import add_class, classes_of, rename_class, retire_class
from cv_pipelines.annotations.store.content import content_of
from cv_pipelines.annotations.store.events import Author, Change, append, newest_of, writing
from cv_pipelines.catalog import Catalog
from cv_pipelines.database.label_tables import label_class_events, label_events
from cv_pipelines.errors import InputError
from cv_pipelines.images.datasets import Dataset
from tests.annotations.datasets import id_of, labels_of, make_dataset
from tests.annotations.labels import Sizes, write
from tests.servers import on_both_databases

SIZE = (200, 100)
CAR = Box("car", 1.0, 2.0, 30.5, 40.0)
BUS = Box("bus", 5.0, 6.0, 70.0, 8.25)


def coco(path: Path, **boxes: list[Box]) -> Path:
    """A COCO file of images that are called by the keywords, `a` for a.jpg."""
    labels = [Annotation(f"{name}.jpg", *SIZE, (), tuple(some)) for name, some in boxes.items()]
    path.unlink(missing_ok=True)
    write(labels, path, COCO, Exchange())
    return path


def take(catalog: Catalog, dataset: Dataset, source: Path, form: Format = COCO, **choices: bool) -> Imported:
    return import_labels(catalog, dataset, source, form, importer("ann", source), Choices(**choices))


def say(catalog: Catalog, author: Author, **boxes: list[Box]) -> None:
    """Label images as somebody does, with the first class."""
    with writing(catalog.database, "street") as connection:
        changes = [Change(id_of(f"{name}.jpg"), content(some)) for name, some in boxes.items()]
        append(connection, "street", changes, author)


def content(boxes: list[Box]) -> str:
    return content_of(Annotation("", boxes=tuple(boxes)), {"car": 0, "bus": 1}.__getitem__)


def problems(imported: Imported) -> list[tuple[str, str]]:
    return [(one.code, one.where) for one in imported.exchange.report.problems]


def class_names(catalog: Catalog) -> list[tuple[str, str]]:
    with catalog.database.connect() as connection:
        return [(one.name, one.state) for one in classes_of(connection, "street")]


def is_untouched(catalog: Catalog) -> bool:
    with catalog.database.connect() as connection:
        return not any(connection.execute(select(one)).first() for one in (label_events, label_class_events))


@pytest.fixture
def street(catalog: Catalog) -> Dataset:
    return make_dataset(catalog, {f"{name}.jpg": SIZE for name in "abc"})


@on_both_databases
def test_labels_of_a_file_are_what_stands(catalog: Catalog, street: Dataset, tmp_path: Path) -> None:
    source = coco(tmp_path / "labels.json", a=[CAR, BUS], b=[BUS])

    imported = take(catalog, street, source)

    assert imported.written is not None
    assert (imported.written.events, imported.labels, imported.classes.added) == (2, 2, ["car", "bus"])
    assert {one: labels.boxes for one, labels in labels_of(catalog).items()} == {
        id_of("a.jpg"): (CAR, BUS),
        id_of("b.jpg"): (BUS,),
    }
    with catalog.database.connect() as connection:
        rows = newest_of(
            connection, "street", [id_of("a.jpg"), id_of("b.jpg")], ("who", "origin", "model", "note")
        )
    assert [tuple(one) for one in rows] == [("ann", "import", "", "labels.json")] * 2


@on_both_databases
def test_the_same_file_again_changes_nothing(catalog: Catalog, street: Dataset, tmp_path: Path) -> None:
    source = coco(tmp_path / "labels.json", a=[CAR, BUS], b=[BUS])
    take(catalog, street, source)

    again = take(catalog, street, source)

    assert again.written is not None
    assert (again.written.events, again.written.unchanged) == (0, 2)
    assert again.classes.added == []


@on_both_databases
def test_what_a_person_has_said_stays_and_is_named(catalog: Catalog, street: Dataset, tmp_path: Path) -> None:
    source = coco(tmp_path / "labels.json", a=[CAR], b=[BUS, CAR], c=[CAR])
    take(catalog, street, source)
    say(catalog, Author("bob"), a=[CAR], b=[BUS])

    imported = take(catalog, street, coco(source, a=[CAR], b=[CAR], c=[BUS]))

    assert imported.written is not None
    assert imported.kept == ["b.jpg"]
    assert [(one.code, one.who) for one in imported.written.refused] == [("a_persons", "bob")]
    assert (imported.written.events, imported.written.unchanged) == (1, 1)
    assert labels_of(catalog)[id_of("b.jpg")].boxes == (BUS,)

    take(catalog, street, source, replace=True)
    assert labels_of(catalog)[id_of("b.jpg")].boxes == (CAR,)


def test_what_the_source_or_a_model_or_nobody_any_more_says_is_replaced(
    catalog: Catalog, street: Dataset, tmp_path: Path
) -> None:
    say(catalog, Author("source", "import"), a=[BUS])
    say(catalog, Author("bob", "model", "v1"), b=[BUS])
    say(catalog, Author("bob"), c=[BUS])
    with writing(catalog.database, "street") as connection:
        append(connection, "street", [Change(id_of("c.jpg"), None)], Author("bob"))

    imported = take(catalog, street, coco(tmp_path / "labels.json", a=[CAR], b=[CAR], c=[CAR]))

    assert imported.kept == []
    assert [labels.boxes for labels in labels_of(catalog).values()] == [(CAR,)] * 3


def test_labels_of_a_model_are_its_own_and_replace_no_others(
    catalog: Catalog, street: Dataset, tmp_path: Path
) -> None:
    take(catalog, street, coco(tmp_path / "labels.json", a=[CAR, BUS]))
    say(catalog, Author("bob"), b=[BUS])
    source = coco(tmp_path / "found.json", a=[CAR], b=[CAR], c=[CAR])

    imported = import_labels(catalog, street, source, COCO, importer("ann", source, "yolo-7"), Choices())

    assert imported.kept == ["a.jpg", "b.jpg"]
    assert labels_of(catalog)[id_of("c.jpg")].boxes == (CAR,)
    with catalog.database.connect() as connection:
        (row,) = newest_of(connection, "street", [id_of("c.jpg")], ("origin", "model", "who", "note"))
    assert tuple(row) == ("model", "yolo-7", "ann", "found.json")


@pytest.mark.parametrize("version", ["x" * 65, "a\nb"])
def test_what_cannot_be_a_models_version(version: str) -> None:
    with pytest.raises(InputError, match="model's version"):
        importer("ann", Path("a.json"), version)


BAD: dict[str, tuple[dict[str, Any], str, str]] = {
    "an image that is not there": ({"file_name": "z.jpg"}, "missing_image", "z.jpg (id 2)"),
    "another size": ({"width": 100, "height": 50}, "other_size", "b.jpg (id 2)"),
    "on its side": ({"width": 100, "height": 200}, "other_size", "b.jpg (id 2)"),
    "an attribute that is no text": ({"attributes": {"a": "\ud800"}}, "bad_attribute", "b.jpg (id 2)"),
    "a name twice": ({"file_name": "a.jpg"}, "repeated_image", "a.jpg"),
    "a name that is none": ({"file_name": 7}, "bad_name", "images[1]"),
    "an id twice": ({"id": 1}, "repeated_id", "images[1]"),
}


@pytest.mark.parametrize("change", BAD.values(), ids=BAD)
def test_one_mistake_imports_nothing_unless_it_may_be_left_out(
    change: tuple[dict[str, Any], str, str], catalog: Catalog, street: Dataset, tmp_path: Path
) -> None:
    bad, code, where = change
    source = coco(tmp_path / "labels.json", a=[CAR], b=[BUS])
    found = json.loads(source.read_text())
    found["images"][1] |= bad
    source.write_text(json.dumps(found))

    imported = take(catalog, street, source)

    assert imported.written is None
    assert (code, where) in problems(imported)
    assert is_untouched(catalog)

    take(catalog, street, source, skip_bad=True)
    assert {one: labels.boxes for one, labels in labels_of(catalog).items()} == {id_of("a.jpg"): (CAR,)}


def test_numbers_that_are_none_and_a_list_that_is_an_object(
    catalog: Catalog, street: Dataset, tmp_path: Path
) -> None:
    source = coco(tmp_path / "labels.json", a=[CAR], b=[BUS])
    good = json.loads(source.read_text())
    good["annotations"][1]["bbox"][0] = float("nan")
    source.write_text(json.dumps(good))

    assert problems(take(catalog, street, source)) == [("bad_number", "annotations[1]")]

    source.write_text(json.dumps(good | {"annotations": {"1": {}}}))
    with pytest.raises(InputError, match="'annotations' is not a list"):
        take(catalog, street, source)
    assert is_untouched(catalog)


@pytest.mark.parametrize("cut", [50, 300])
def test_a_file_that_ends_too_early_leaves_nothing(
    cut: int, catalog: Catalog, street: Dataset, tmp_path: Path
) -> None:
    source = coco(tmp_path / "labels.json", a=[CAR], b=[BUS])
    source.write_text(source.read_text()[:-cut])

    with pytest.raises(InputError, match="not JSON near line"):
        take(catalog, street, source, skip_bad=True)

    assert is_untouched(catalog)


def test_names_with_markup_and_formulas_stay_what_they_are(catalog: Catalog, tmp_path: Path) -> None:
    names = ["=cmd('x').jpg", "<b>&amp;.jpg"]
    labels = [Annotation(name, *SIZE, (), (Box("=1+1<i>", 1, 2, 3, 4),)) for name in names]
    street = make_dataset(catalog, dict.fromkeys(names, SIZE))
    for form in (COCO, CVAT, CSV):
        target = tmp_path / form.name
        write(labels, target, form, Exchange())

        imported = take(catalog, street, target, form)

        assert problems(imported) == []
        assert labels_of(catalog).keys() == {id_of(name) for name in names}
    assert class_names(catalog) == [("=1+1<i>", "active")]


def test_frames_of_two_videos_are_never_taken_for_each_other(catalog: Catalog, tmp_path: Path) -> None:
    street = make_dataset(catalog, {"north/0001.jpg": SIZE, "south/0001.jpg": SIZE, "south/0002.jpg": SIZE})
    labels = [Annotation(name, *SIZE, (), (CAR,)) for name in ("0001.jpg", "north/0002.jpg", "0002.jpg")]
    write(labels, tmp_path / "labels.json", COCO, Exchange())

    imported = take(catalog, street, tmp_path / "labels.json", skip_bad=True)

    assert problems(imported) == [("two_images", "0001.jpg (id 1)"), ("missing_image", "north/0002.jpg (id 2)")]
    assert "'south/0002.jpg' lies in another folder" in imported.exchange.report.problems[1].message
    assert labels_of(catalog).keys() == {id_of("south/0002.jpg")}


def test_folders_that_differ_are_overlooked_when_asked_for(catalog: Catalog, tmp_path: Path) -> None:
    street = make_dataset(catalog, {"images/a.jpg": SIZE, "images/b.jpg": SIZE, "more/b.jpg": SIZE})
    labels = [Annotation(f"train/{name}.jpg", *SIZE, (), (CAR,)) for name in "ab"]
    write(labels, tmp_path / "labels.json", COCO, Exchange())

    imported = take(catalog, street, tmp_path / "labels.json", by_file_name=True, skip_bad=True)

    assert problems(imported) == [("two_images", "train/b.jpg (id 2)")]
    assert labels_of(catalog).keys() == {id_of("images/a.jpg")}


@pytest.mark.parametrize(
    ("named", "image"),
    [
        ("photos/train/a.jpg", "train/a.jpg"),  # fewer folders
        ("a.jpg", "train/a.jpg"),  # more of them
        ("train/a.jpg", "train/a.png"),  # written anew
        ("a", "train/a.png"),  # without suffix
    ],
)
def test_images_are_found_under_names_of_other_people(
    named: str, image: str, catalog: Catalog, tmp_path: Path
) -> None:
    street = make_dataset(catalog, {image: SIZE, "train/ba.jpg": SIZE, "other/a.tiff/x.jpg": SIZE})
    write([Annotation(named, *SIZE, (), (CAR,))], tmp_path / "labels.json", COCO, Exchange())

    imported = take(catalog, street, tmp_path / "labels.json")

    assert problems(imported) == []
    assert labels_of(catalog).keys() == {id_of(image)}


def test_an_image_with_duplicates_has_one_label(catalog: Catalog, tmp_path: Path) -> None:
    street = make_dataset(catalog, {"a.jpg": SIZE}, duplicates={"copies/a2.jpg": "a.jpg"})
    source = tmp_path / "labels.json"

    def imported(*boxes: Box) -> Imported:
        labels = [
            Annotation(name, *SIZE, (), (one,)) for name, one in zip(("a.jpg", "a2.jpg"), boxes, strict=True)
        ]
        source.unlink(missing_ok=True)
        write(labels, source, COCO, Exchange())
        return take(catalog, street, source)

    assert problems(imported(CAR, BUS)) == [("unlike_labels", "a2.jpg (id 2)")]
    assert is_untouched(catalog)
    alike = imported(CAR, CAR)
    assert (problems(alike), alike.labels) == ([], 1)


def test_classes_keep_the_order_colours_and_attributes_of_the_file(
    catalog: Catalog, street: Dataset, tmp_path: Path
) -> None:
    exchange = Exchange()
    exchange.classes.declare("sign", "#123abc")
    exchange.classes.declare("bus")
    exchange.classes.declare("tree", "no colour")
    write([Annotation("a.jpg", *SIZE, (), (BUS, CAR))], tmp_path / "labels.xml", CVAT, exchange)

    take(catalog, street, tmp_path / "labels.xml", CVAT)

    with catalog.database.connect() as connection:
        classes = classes_of(connection, "street")
    assert [one.name for one in classes] == ["sign", "bus", "tree", "car"]
    assert classes[0].colour == "#123abc"
    assert len({one.colour for one in classes}) == 4
    assert all(one.colour.startswith("#") for one in classes)

    found = coco(tmp_path / "labels.json", a=[Box("van", 1, 2, 3, 4)])
    text = json.loads(found.read_text())
    text["categories"] = [{"id": 1, "name": "van", "supercategory": "vehicle"}]
    found.write_text(json.dumps(text))
    take(catalog, street, found)
    with catalog.database.connect() as connection:
        van = classes_of(connection, "street")[4]
    assert (van.attributes, van.colour) == ({"id": 1, "supercategory": "vehicle"}, colour_of(4))


def test_classes_that_the_data_set_does_not_have_are_unknown_where_they_are_fixed(
    catalog: Catalog, tmp_path: Path
) -> None:
    street = make_dataset(catalog, {"a.jpg": SIZE}, classes=("bus", "tram"))
    source = coco(tmp_path / "labels.json", a=[CAR, BUS])

    first, second = take(catalog, street, source), take(catalog, street, source)

    assert class_names(catalog) == [("bus", "active"), ("tram", "active"), ("car", "unknown")]
    assert (first.classes.unknown, first.classes.added) == (["car"], ["car"])
    assert (second.classes.unknown, second.classes.added) == (["car"], [])


def test_classes_that_are_retired_or_have_another_name_by_now(
    catalog: Catalog, street: Dataset, tmp_path: Path
) -> None:
    source = coco(tmp_path / "labels.json", a=[CAR, BUS])
    take(catalog, street, source)
    with writing(catalog.database, "street") as connection:
        retire_class(connection, "street", "bus", "ann")
        rename_class(connection, "street", "car", "automobile", "ann")

    imported = take(catalog, street, source)

    assert imported.classes.retired == ["bus"]
    assert imported.written is not None
    assert (imported.written.unchanged, imported.classes.added) == (1, [])
    assert class_names(catalog) == [("automobile", "active"), ("bus", "retired")]
    assert [box.label for box in labels_of(catalog)[id_of("a.jpg")].boxes] == ["automobile", "bus"]


def test_classes_that_somebody_else_adds_meanwhile_are_not_mixed_up(
    catalog: Catalog, street: Dataset, tmp_path: Path
) -> None:
    source = coco(tmp_path / "labels.json", a=[CAR])

    def read(path: Path, exchange: Exchange) -> Iterator[Annotation]:
        yield from COCO.read(path, exchange)
        with writing(catalog.database, "street") as connection:
            add_class(connection, "street", "bus", "bob")

    with pytest.raises(InputError, match="meanwhile"):
        take(catalog, street, source, replace_read(COCO, read))

    assert class_names(catalog) == [("bus", "active")]
    assert labels_of(catalog) == {}


def replace_read(form: Format, read: Any) -> Format:
    return replace(form, read=read)


@pytest.mark.parametrize("name", ["coco", "voc", "yolo", "labelme", "cvat", "csv"])
def test_an_image_with_nothing_on_it(name: str, catalog: Catalog, street: Dataset, tmp_path: Path) -> None:
    """Where a format lists all images, it says nothing about those without labels."""
    form, target = find_format(name), tmp_path / "labels"
    labels = [Annotation("a.jpg", *SIZE, (), (CAR,)), Annotation("b.jpg", *SIZE)]
    write(labels, target, form, Exchange(Sizes({"a.jpg": SIZE, "b.jpg": SIZE})))

    imported = take(catalog, street, target, form)

    lists_all = name in ("coco", "cvat")
    assert imported.empty == lists_all
    assert (id_of("b.jpg") in labels_of(catalog)) == (not lists_all)
    take(catalog, street, target, form, empty=True)
    assert labels_of(catalog)[id_of("b.jpg")].boxes == ()


def test_a_folder_of_classes_labels_the_images_that_are_called_alike(
    catalog: Catalog, tmp_path: Path, write_image: Any
) -> None:
    street = make_dataset(catalog, {"a.png": (40, 30), "b.png": (40, 30)})
    for place in ("cat/a.png", "dog/b.png"):
        write_image(tmp_path / "sorted" / place, width=40, height=30)

    imported = take(catalog, street, tmp_path / "sorted", find_format("folder"))

    assert problems(imported) == []
    found = {one: labels.classes for one, labels in labels_of(catalog).items()}
    assert found == {id_of("a.png"): ("cat",), id_of("b.png"): ("dog",)}
    shutil.copytree(tmp_path / "sorted" / "cat", tmp_path / "sorted" / "dog", dirs_exist_ok=True)
    assert ("unlike_labels", "dog/a.png") in problems(
        take(catalog, street, tmp_path / "sorted", find_format("folder"))
    )


def test_a_data_set_that_was_never_read(catalog: Catalog, street: Dataset, tmp_path: Path) -> None:
    other = replace(street, name="other")
    with pytest.raises(InputError, match="has no image_manifest yet"):
        take(catalog, other, coco(tmp_path / "labels.json", a=[CAR]))
