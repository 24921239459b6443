"""Labels of a data set as files: of now or of a version, whole or not at all, the same through any format."""

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from sqlalchemy.pool import QueuePool

from cv_pipelines.annotations.annotation import Annotation, Box
from cv_pipelines.annotations.exchange import Exchange
from cv_pipelines.annotations.exporting import export_labels
from cv_pipelines.annotations.formats.coco import COCO
from cv_pipelines.annotations.formats.csv_boxes import CSV
from cv_pipelines.annotations.formats.format import Format
from cv_pipelines.annotations.formats.known import FORMATS, find_format
from cv_pipelines.annotations.importing import Choices, import_labels, importer
from cv_pipelines.annotations.labels import make_labels
from cv_pipelines.annotations.store.classes import rename_class, retire_class
from cv_pipelines.annotations.store.events import Change, append, writing
from cv_pipelines.catalog import Catalog
from cv_pipelines.database.engine import open_database
from cv_pipelines.errors import InputError
from cv_pipelines.images.datasets import Dataset, add_dataset
from cv_pipelines.images.ingest import ingest
from cv_pipelines.images.sources.folder import FolderSource
from cv_pipelines.settings import ROOT
from cv_pipelines.storage.local import LocalStore
from tests.annotations.datasets import id_of, make_dataset
from tests.annotations.labels import annotations, edges, read, sizes_of, write
from tests.library import Library
from tests.servers import on_both_databases

SIZE = (200, 100)
CAR = Box("car", 1.0, 2.0, 30.5, 40.0)
BUS = Box("bus", 5.0, 6.0, 70.0, 8.25)
DATA = Path(os.environ.get("CV_BENCH_DATA", ROOT.parent / "shared" / "data")) / "detection_formats"
ORIGINAL = DATA / "annotations/coco_format_v1/instances_default.json"
HOLD_BOXES = [one for one in FORMATS if one.name != "folder"]
AUTHOR = importer("ann", Path("labels.json"))


def take(catalog: Catalog, dataset: Dataset, source: Path, form: Format = COCO) -> None:
    """Import everything, without a single mistake."""
    imported = import_labels(catalog, dataset, source, form, AUTHOR, Choices(empty=True))
    assert imported.exchange.report.problems == []


def give(catalog: Catalog, dataset: str, target: Path, form: Format = COCO, version: str = "") -> Exchange:
    """Export everything, without a single mistake."""
    exchange, made = export_labels(catalog, dataset, target, form, version)
    assert (made, exchange.report.problems) == (True, [])
    return exchange


@pytest.fixture(scope="module")
def one_catalog(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Catalog]:
    """For many examples, which take a data set each."""
    folder = tmp_path_factory.mktemp("catalog")
    engine = open_database(f"sqlite:///{folder / 'cv.sqlite'}")
    yield Catalog(engine, LocalStore(folder / "store"))
    engine.dispose()


@pytest.fixture
def street(catalog: Catalog, tmp_path: Path) -> Dataset:
    """A data set with a car in b.jpg, a bus in a.jpg, and nothing said of c.jpg."""
    street = make_dataset(catalog, {f"{name}.jpg": SIZE for name in "bac"})
    labels = [Annotation("b.jpg", *SIZE, (), (CAR,)), Annotation("a.jpg", *SIZE, (), (BUS,))]
    write(labels, tmp_path / "labels.json", COCO, Exchange())
    take(catalog, street, tmp_path / "labels.json")
    return street


@settings(max_examples=40)
@given(labels=annotations())
def test_any_annotations_come_out_as_they_went_in(
    labels: list[Annotation], one_catalog: Catalog, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("labels")
    street = make_dataset(one_catalog, sizes_of(labels).sizes, folder.name)
    write(labels, folder / "in.json", COCO, Exchange())

    take(one_catalog, street, folder / "in.json")
    give(one_catalog, street.name, folder / "out.json")

    found = read(folder / "out.json", COCO, Exchange())
    assert list(found) == sorted(one.image for one in labels)
    assert {one.image: (one.width, one.height, one.boxes) for one in found.values()} == {
        one.image: (one.width, one.height, one.boxes) for one in labels
    }


@pytest.fixture(scope="module")
def photos(one_catalog: Catalog) -> Catalog:
    """The catalog, with 100 real photos as the data set `photos`, labelled."""
    if not DATA.is_dir():
        pytest.skip(f"there are no photos with boxes at {DATA}")
    dataset = add_dataset(one_catalog.database, "photos", str(DATA / "images"))
    manifest = ingest(one_catalog, FolderSource(DATA / "images"), 1).reference
    one_catalog.publish("image_manifest", "photos", manifest)
    take(one_catalog, dataset, ORIGINAL)
    return one_catalog


@pytest.mark.parametrize("form", HOLD_BOXES, ids=lambda form: form.name)
def test_photos_keep_their_boxes_through_every_format_and_back(
    form: Format, photos: Catalog, tmp_path: Path
) -> None:
    target = tmp_path / ("labels" if form.folder else "labels.txt")
    exchange = give(photos, "photos", target, form)
    assert (exchange.report.images, exchange.report.boxes) == (100, 273)
    again = add_dataset(photos.database, f"again-{form.name}", str(DATA / "images"))
    photos.publish("image_manifest", again.name, photos.require("image_manifest", "photos"))

    take(photos, again, target, form)
    give(photos, again.name, tmp_path / "end.json")

    wanted, found = (read(path, COCO, Exchange()) for path in (ORIGINAL, tmp_path / "end.json"))
    assert found.keys() == wanted.keys()
    for image, one in found.items():
        assert [box.label for box in one.boxes] == [box.label for box in wanted[image].boxes]
        for box, other in zip(one.boxes, wanted[image].boxes, strict=True):
            assert edges(box) == pytest.approx(edges(other), abs=1e-5)


@on_both_databases
def test_images_come_in_the_order_of_their_names_with_their_sizes(
    catalog: Catalog, street: Dataset, tmp_path: Path
) -> None:
    give(catalog, "street", tmp_path / "out.json")

    found = json.loads((tmp_path / "out.json").read_text())
    assert [(one["file_name"], one["width"], one["height"]) for one in found["images"]] == [
        ("a.jpg", 200, 100),
        ("b.jpg", 200, 100),
    ]
    assert [one["bbox"] for one in found["annotations"]] == [[5.0, 6.0, 70.0, 8.25], [1.0, 2.0, 30.5, 40.0]]
    assert [one["name"] for one in found["categories"]] == ["car", "bus"]


@on_both_databases
def test_a_version_is_what_it_was(catalog: Catalog, street: Dataset, tmp_path: Path) -> None:
    manifest = catalog.require("image_manifest", "street")
    made = make_labels(catalog, "street", manifest).reference
    catalog.publish("labels", "street", made)
    with writing(catalog.database, "street") as connection:
        rename_class(connection, "street", "car", "automobile", "ann")
        append(connection, "street", [Change(id_of("a.jpg"), None)], AUTHOR)
    make_dataset(catalog, {"b.jpg": SIZE})

    give(catalog, "street", tmp_path / "then.csv", CSV, made.version[:6])
    give(catalog, "street", tmp_path / "now.csv", CSV)

    then, now = (read(tmp_path / name, CSV, Exchange()) for name in ("then.csv", "now.csv"))
    assert {image: one.boxes for image, one in then.items()} == {"a.jpg": (BUS,), "b.jpg": (CAR,)}
    assert {image: one.boxes for image, one in now.items()} == {"b.jpg": (CAR._replace(label="automobile"),)}
    with pytest.raises(InputError, match="labels versions street"):
        give(catalog, "street", tmp_path / "none.csv", CSV, "zzz")


def test_retired_classes_and_images_that_are_gone_are_left_out(
    catalog: Catalog, street: Dataset, tmp_path: Path
) -> None:
    with writing(catalog.database, "street") as connection:
        append(connection, "street", [Change(id_of("c.jpg"), "{}")], AUTHOR)
        retire_class(connection, "street", "bus", "ann")

    give(catalog, "street", tmp_path / "out.csv", CSV)
    make_dataset(catalog, {"c.jpg": SIZE})
    exchange = give(catalog, "street", tmp_path / "later.csv", CSV)

    found = read(tmp_path / "out.csv", CSV, Exchange())
    assert {image: one.boxes for image, one in found.items()} == {"b.jpg": (CAR,), "c.jpg": ()}
    assert exchange.report.losses == {"labels of images that the data set does not have any more": 2}


def test_an_export_appears_whole_or_not_at_all(catalog: Catalog, tmp_path: Path) -> None:
    sizes = {"a.jpg": SIZE, "a.png": SIZE}
    street = make_dataset(catalog, sizes)
    write([Annotation(name, *SIZE, (), (CAR,)) for name in sizes], tmp_path / "labels.json", COCO, Exchange())
    take(catalog, street, tmp_path / "labels.json")
    yolo, target = find_format("yolo"), tmp_path / "out"

    exchange, made = export_labels(catalog, "street", target, yolo)

    assert (made, exchange.report.counts) == (False, {"same_file": 1})
    assert [path.name for path in tmp_path.iterdir() if "out" in path.name] == []
    assert export_labels(catalog, "street", target, yolo, lenient=True)[1]
    with pytest.raises(InputError, match="already"):
        export_labels(catalog, "street", target, yolo, lenient=True)


def test_formulas_in_names_and_classes_are_not_run_by_a_spreadsheet(catalog: Catalog, tmp_path: Path) -> None:
    name, box = "=cmd('x').jpg", Box("@SUM(1)", 1.0, 2.0, 3.0, 4.0)
    street = make_dataset(catalog, {name: SIZE})
    write([Annotation(name, *SIZE, (), (box,))], tmp_path / "labels.json", COCO, Exchange())
    take(catalog, street, tmp_path / "labels.json")

    give(catalog, "street", tmp_path / "out.csv", CSV)

    assert "\n'=cmd('x').jpg,200,100,'@SUM(1),1.0" in (tmp_path / "out.csv").read_text()
    take(catalog, street, tmp_path / "out.csv", CSV)
    give(catalog, "street", tmp_path / "again.csv", CSV)
    assert (tmp_path / "again.csv").read_text() == (tmp_path / "out.csv").read_text()


def test_a_folder_of_classes_has_copies_of_the_images(library: Library, tmp_path: Path) -> None:
    library.write("pets/one.jpg", 1)
    library.write("pets/two/one.jpg", 2)
    library.add("pets")
    dataset = add_dataset(library.catalog.database, "pets", str(library.root / "pets"))
    labels = [
        Annotation("one.jpg", 40, 30, ("cat",), ()),
        Annotation("two/one.jpg", 40, 30, ("dog",), (), {"split": "val"}),
    ]
    write(labels, tmp_path / "labels.csv", CSV, Exchange())
    take(library.catalog, dataset, tmp_path / "labels.csv", CSV)

    folder = find_format("folder")
    give(library.catalog, "pets", tmp_path / "sorted", folder)

    for image, copy in (("one.jpg", "cat/one.jpg"), ("two/one.jpg", "val/dog/two/one.jpg")):
        assert (tmp_path / "sorted" / copy).read_bytes() == (library.root / "pets" / image).read_bytes()
    take(library.catalog, dataset, tmp_path / "sorted", folder)
    give(library.catalog, "pets", tmp_path / "again.csv", CSV)
    assert (tmp_path / "again.csv").read_text() == (tmp_path / "labels.csv").read_text()


def test_others_can_write_while_an_export_is_written(catalog: Catalog, street: Dataset, tmp_path: Path) -> None:
    assert isinstance(catalog.database.pool, QueuePool)

    def slow(annotations: object, target: Path, exchange: Exchange) -> None:
        assert catalog.database.pool.checkedout() == 0  # type: ignore[attr-defined]
        target.touch()

    form = Format("slow", "slow", False, COCO.read, slow, COCO.recognise)
    assert export_labels(catalog, "street", tmp_path / "out", form)[1]
