"""What strangers send: each is a report with a place, and its neighbours are read."""

import errno
import json
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from cv_pipelines.annotations.annotation import Annotation, Box
from cv_pipelines.annotations.exchange import Exchange
from cv_pipelines.annotations.formats.known import detect, find_format, require_format
from cv_pipelines.annotations.images import ImageFolder
from cv_pipelines.errors import InputError
from tests.annotations.labels import Sizes, read, write

SIZES = Sizes({"a.jpg": (200, 100), "b.jpg": (200, 100)})


def coco(**changes: Any) -> dict[str, Any]:
    return {
        "images": [{"id": 1, "file_name": "a.jpg", "width": 200, "height": 100}],
        "categories": [{"id": 7, "name": "car"}],
        "annotations": [{"id": 1, "image_id": 1, "category_id": 7, "bbox": [1, 2, 3, 4]}],
    } | changes


def read_text(text: str, name: str, path: Path) -> tuple[dict[str, Annotation], Exchange]:
    path.write_text(text, encoding="utf-8")
    exchange = Exchange(SIZES)
    return read(path, find_format(name), exchange), exchange


def problems(exchange: Exchange) -> list[tuple[str, str]]:
    return [(one.code, one.where) for one in exchange.report.problems]


GOOD = {"id": 99, "image_id": 1, "category_id": 7, "bbox": [1, 2, 3, 4]}


@pytest.mark.parametrize(
    ("bad", "code"),
    [
        ({"bbox": [1, float("nan"), 3, 4]}, "bad_number"),
        ({"bbox": [1, 2, 3, float("inf")]}, "bad_number"),
        ({"bbox": [1, 2, 3, 1e300]}, "bad_number"),
        ({"bbox": [1, 2, 3, 10**30]}, "bad_number"),
        ({"bbox": [1, 2, 3]}, "bad_annotation"),
        ({"bbox": ["1", 2, 3, 4]}, "bad_annotation"),
        ({"bbox": None}, "bad_annotation"),
        ({"image_id": [1]}, "bad_annotation"),
        ({"segmentation": [[1, 2, 3]]}, "bad_outline"),
        ({"segmentation": [[1, 2, 3, 4, float("nan"), 6]]}, "bad_outline"),
        ({"segmentation": [["x"] * 6]}, "bad_annotation"),
        ({"segmentation": {"size": [2, 2], "counts": [1, 2]}}, "bad_mask"),
        ({"segmentation": {"size": [10**6, 10**6], "counts": [10**12]}}, "bad_mask"),
        ({"segmentation": {"size": [2, 2], "counts": "\u20ac"}}, "bad_mask"),
        ({"segmentation": {"counts": "1"}}, "incomplete"),
        ({"id": 1}, "repeated_id"),
        ({"image_id": 404}, "missing_image"),
        ({"category_id": 404}, "unknown_class"),
    ],
)
def test_one_bad_annotation_of_coco(bad: dict[str, Any], code: str, tmp_path: Path) -> None:
    first = coco()["annotations"][0]
    text = json.dumps(coco(annotations=[first, {**GOOD, "id": 2} | bad, GOOD]))

    found, exchange = read_text(text, "coco", tmp_path / "a.json")

    assert len(found["a.jpg"].boxes) == 2
    assert [one for one, _ in problems(exchange)] == [code]
    assert any(place in exchange.report.problems[0].where for place in ("annotations[1]", "annotation 2 "))


def test_annotations_without_an_id_are_not_one(tmp_path: Path) -> None:
    nameless = [GOOD | {"id": None}, GOOD | {"id": None}, {key: GOOD[key] for key in GOOD if key != "id"}]

    found, exchange = read_text(json.dumps(coco(annotations=nameless)), "coco", tmp_path / "a.json")

    assert len(found["a.jpg"].boxes) == 3
    assert problems(exchange) == []


def test_items_that_are_no_objects(tmp_path: Path) -> None:
    text = json.dumps(
        coco(annotations=[None, 5, "x", [], GOOD], images=[3, *coco()["images"]], categories=coco()["categories"])
    )

    found, exchange = read_text(text, "coco", tmp_path / "a.json")

    assert len(found["a.jpg"].boxes) == 1
    assert {where for _, where in problems(exchange)} == {"images[0]", *(f"annotations[{n}]" for n in range(4))}


def test_ids_and_names_that_repeat(tmp_path: Path) -> None:
    images = [*coco()["images"], {"id": 1, "file_name": "b.jpg"}, {"id": 2, "file_name": "a.jpg"}]
    categories = [*coco()["categories"], {"id": 7, "name": "bus"}, {"id": 8, "name": "car"}]

    found, exchange = read_text(
        json.dumps(coco(images=images, categories=categories)), "coco", tmp_path / "a.json"
    )

    assert list(found) == ["a.jpg"]
    assert problems(exchange) == [
        ("repeated_id", "images[1]"),
        ("repeated_id", "categories[1]"),
        ("repeated_class", "categories[2]"),
        ("repeated_image", "a.jpg"),
    ]


@pytest.mark.parametrize(
    ("text", "name", "code", "words"),
    [
        (
            json.dumps([{"image_id": 1, "category_id": 1, "bbox": [1, 2, 3, 4], "score": 0.5}]),
            "coco",
            "wrong_format",
            "results",
        ),
        (json.dumps({"shapes": []}), "coco", "wrong_format", "images"),
        (json.dumps(coco(annotations={"1": GOOD})), "coco", "wrong_format", "not a list"),
        (json.dumps(coco()), "labelstudio", "wrong_format", "object"),
        (json.dumps(coco())[:-20], "coco", "not_json", "line 1"),
        ('{"images": [],\n"annotations": [\n{"id": 1,}]}', "coco", "not_json", "line 3"),
        ('{"images": ' + "[" * 100_000, "coco", "not_json", "too deeply"),
        ('{"images": [{"a": ' + "[" * 100_000 + "]" * 100_000 + "}]}", "coco", "not_json", "too deeply"),
        ('{"images": [' + "9" * 5000 + "]}", "coco", "not_json", "digits"),
        ("", "coco", "not_json", "expected"),
        ("<annotations><image", "cvat", "not_xml", "line 1"),
        ("<annotation/>", "cvat", "wrong_format", "annotation"),
        ("<annotations><track id='0'/></annotations>", "cvat", "wrong_format", "video"),
        ("a;b\n1;2\n", "openimages", "wrong_format", "ImageID"),
        ("a,b\n1,2\n", "csv", "wrong_format", "filename"),
        ('filename,class\n"a.jpg,' + "x" * 200_000 + '"\n', "csv", "not_csv", "line 2"),
    ],
)
def test_a_file_that_cannot_be_read_at_all(text: str, name: str, code: str, words: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="(?i)" + words) as caught:
        read_text(text, name, tmp_path / "labels.txt")

    assert caught.value.code == code
    assert "labels.txt" in caught.value.user_message


BOMB = '<!DOCTYPE a [<!ENTITY b "bbbbbbbbbb"><!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;">]>\n'


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (BOMB + "<annotation><filename>&c;</filename></annotation>", "entities"),
        ('<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><annotation>&b;</annotation>', "entities"),
        ("<annotation>" + "<a>" * 50 + "</a>" * 50 + "</annotation>", "deep"),
        ("<annotation>&undefined;</annotation>", "line 1"),
        ("<other/>", "annotation"),
    ],
)
def test_a_file_of_voc_that_is_no_such_thing_does_not_stop_the_others(
    text: str, words: str, tmp_path: Path
) -> None:
    write(
        [Annotation("b.jpg", 200, 100, (), (Box("car", 1, 2, 3, 4),))],
        tmp_path / "voc",
        find_format("voc"),
        Exchange(),
    )
    (tmp_path / "voc/Annotations/a.xml").write_text(text)
    exchange = Exchange()

    found = read(tmp_path / "voc", find_format("voc"), exchange)

    assert list(found) == ["b.jpg"]
    assert [one.where for one in exchange.report.problems] == ["Annotations/a.xml"]
    assert words in exchange.report.problems[0].message


def test_bad_objects_of_voc_are_named_by_their_line(tmp_path: Path) -> None:
    box = "<bndbox><xmin>{}</xmin><ymin>1</ymin><xmax>9</xmax><ymax>9</ymax></bndbox>"
    objects = [f"<object><name>car</name>{box.format(value)}</object>" for value in ("NaN", "1e99", "one", "3")]
    text = "<annotation>\n" + "\n".join([*objects, "<object><name>car</name></object>"]) + "</annotation>"

    found, exchange = read_text(text, "voc", tmp_path / "a.xml")

    assert len(found["a.jpg"].boxes) == 1
    assert [where for _, where in problems(exchange)] == [f"a.xml:{line}" for line in (2, 3, 4, 6)]


@pytest.mark.parametrize("name", ["csv", "openimages"])
@pytest.mark.parametrize("delimiter", [",", ";"])
def test_decimal_commas(name: str, delimiter: str, tmp_path: Path) -> None:
    header = {"csv": "filename,class,xmin,ymin,xmax,ymax", "openimages": "ImageID,LabelName,XMin,YMin,XMax,YMax"}
    row = {
        "csv": ["a.jpg", "car", "10,5", "20", "50,25", "40"],
        "openimages": ["a", "car", "0,0525", "0,2", "0,25125", "0,4"],
    }
    cells = [f'"{cell}"' if delimiter == "," else cell for cell in row[name]]
    text = header[name].replace(",", delimiter) + "\n" + delimiter.join(cells) + "\n"

    found, exchange = read_text(text, name, tmp_path / "a.csv")

    assert exchange.report.counts == {}
    assert found["a.jpg"].boxes[0][1:5] == pytest.approx((10.5, 20, 39.75, 20))


def test_decimal_commas_that_are_not_quoted_are_told_by_their_line(tmp_path: Path) -> None:
    text = "filename,class,xmin,ymin,xmax,ymax\na.jpg,car,1,5,2,5,3,5,4,5\nb.jpg,car,1,2,3,4\n"

    found, exchange = read_text(text, "csv", tmp_path / "a.csv")

    assert list(found) == ["b.jpg"]
    assert problems(exchange) == [("bad_row", "a.csv:2")]


def test_formulas_are_not_run_by_a_spreadsheet_and_come_back(tmp_path: Path) -> None:
    evil = ['=HYPERLINK("http://x","y")', "+1", "-1", "@SUM(1)", "'=1", "'twas", "<b>bold</b>", 'a"b,c']
    labels = [Annotation("=a.jpg", 200, 100, (), tuple(Box(name, 1, 2, 3, 4) for name in evil))]
    write(labels, tmp_path / "a.csv", find_format("csv"), Exchange())

    lines = (tmp_path / "a.csv").read_text().splitlines()[1:]
    found = read(tmp_path / "a.csv", find_format("csv"), Exchange())

    assert not [line for line in lines if line.startswith("=") or ",=" in line or ",+" in line or ",@" in line]
    assert [box.label for box in found["=a.jpg"].boxes] == evil


@pytest.mark.parametrize("name", ["cvat", "voc", "coco", "labelme", "labelstudio"])
def test_classes_with_markup_stay_text(name: str, tmp_path: Path) -> None:
    evil = '<script>alert("1")</script>]]>&amp;'
    form, target = find_format(name), tmp_path / "labels"
    write([Annotation("a.jpg", 200, 100, (), (Box(evil, 1, 2, 3, 4),))], target, form, Exchange())

    assert read(target, form, Exchange())["a.jpg"].boxes[0].label == evil


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("0 nan 0.5 0.5 0.5", "bad_number"),
        ("0 0.5 0.5 0.5", "bad_line"),
        ("7 0.5 0.5 0.5 0.5", "unknown_class"),
        ("car 0.5 0.5 0.5 0.5", "bad_class"),
        ("-1 0.5 0.5 0.5 0.5", "bad_class"),
    ],
)
def test_bad_lines_of_yolo(line: str, code: str, tmp_path: Path) -> None:
    (tmp_path / "labels").mkdir()
    (tmp_path / "data.yaml").write_text("names: [car]\n")
    (tmp_path / "labels/a.txt").write_text(f"0 0.5 0.5 0.5 0.5\n{line}\n")
    (tmp_path / "labels/missing.txt").write_text("0 0.5 0.5 0.5 0.5\n")
    exchange = Exchange(SIZES)

    found = read(tmp_path, find_format("yolo"), exchange)

    assert found["a.jpg"].boxes == (Box("car", 50, 25, 100, 50),)
    assert problems(exchange) == [(code, "labels/a.txt:2"), ("missing_image", "labels/missing.txt")]


@pytest.mark.parametrize(
    "text",
    ["names: {0: a, 2: b}", "names: [a, a]", "names: [yes]", "a: [", "[" * 10_000, "names: !!python/object:x {}"],
)
def test_bad_names_of_yolo(text: str, tmp_path: Path) -> None:
    (tmp_path / "data.yaml").write_text(text)
    (tmp_path / "a.txt").write_text("0 0.5 0.5 0.5 0.5\n")

    with pytest.raises(InputError, match=r"data\.yaml"):
        read(tmp_path, find_format("yolo"), Exchange(SIZES))


@pytest.mark.parametrize("suffixes", [(".png", ".jpg")])
def test_images_that_differ_only_in_their_suffix(suffixes: tuple[str, ...], tmp_path: Path) -> None:
    labels = [Annotation(f"a{suffix}", 200, 100, (), (Box(suffix, 1, 2, 3, 4),)) for suffix in suffixes]

    for name in ("voc", "labelme", "imagenet"):
        write(labels, tmp_path / name, find_format(name), Exchange())
        found = read(tmp_path / name, find_format(name), Exchange())
        assert {image: one.boxes[0].label for image, one in found.items()} == {f"a{s}": s for s in suffixes}
    yolo = Exchange()
    write(labels, tmp_path / "yolo", find_format("yolo"), yolo)
    assert yolo.report.counts == {"same_file": 1}


@pytest.mark.parametrize("name", ["voc", "labelme", "imagenet", "yolo"])
def test_names_do_not_lead_out_of_the_folder(name: str, tmp_path: Path) -> None:
    labels = [Annotation(image, 200, 100) for image in ("../a.jpg", "/etc/b.jpg", "c/../../d.jpg")]
    exchange = Exchange()

    write(labels, tmp_path / "labels", find_format(name), exchange)

    assert exchange.report.counts == {"bad_name": 3}
    assert [path.name for path in tmp_path.iterdir()] == ["labels"]


def test_paths_of_other_machines_become_names(tmp_path: Path) -> None:
    images = [{"id": 1, "file_name": "C:\\photos\\north\\a.jpg"}, {"id": 2, "file_name": "/home/x/../y/./b.jpg"}]

    found, _ = read_text(json.dumps(coco(images=images)), "coco", tmp_path / "a.json")

    assert list(found) == ["photos/north/a.jpg", "home/y/b.jpg"]


@pytest.mark.parametrize(
    ("name", "like"),
    [("coco", "cvat"), ("labelme", "cvat"), ("csv", "cvat"), ("voc", "cvat"), ("openimages", "cvat")],
)
def test_a_wrong_format_is_told_what_it_looks_like(name: str, like: str, tmp_path: Path) -> None:
    write([Annotation("a.jpg", 200, 100)], tmp_path / "a.xml", find_format(like), Exchange())

    with pytest.raises(InputError, match=f"like {like}"):
        require_format(tmp_path / "a.xml", find_format(name))


def test_a_folder_is_known_though_its_first_files_are_empty(tmp_path: Path) -> None:
    (tmp_path / "labels").mkdir()
    for number in range(4):
        (tmp_path / f"labels/{number}.txt").touch()
    sorted((tmp_path / "labels").iterdir())[-1].write_text("0 0.5 0.5 0.25 0.1\n")

    found = detect(tmp_path)

    assert found is not None
    assert found.name == "yolo"


def test_a_disk_that_cannot_be_read_makes_no_image_bad(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("cat/a.bmp", "cat/b.png", "cat/c.tif"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"BM\x89PNG\r\n\x1a\nII*\0" * 9)
    assert [ImageFolder(tmp_path).size(name) for name in ("cat/a.bmp", "cat/b.png", "cat/c.tif")] == [None] * 3

    def fail(*_: object, **__: object) -> None:
        raise OSError(errno.EIO, "Input/output error", "a.bmp")

    monkeypatch.setattr(Image, "open", fail)
    with pytest.raises(OSError, match="Input/output error"):
        ImageFolder(tmp_path).size("cat/a.bmp")


def test_a_folder_of_classes(tmp_path: Path) -> None:
    for name in ("train/cat/a.jpg", "test/dog/a.jpg", "loose.jpg"):
        path = tmp_path / "in" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (20, 10)).save(path)
    (tmp_path / "in/train/cat/broken.jpg").write_text("no image")
    exchange = Exchange()

    found = read(tmp_path / "in", find_format("folder"), exchange)

    assert {name: (one.classes, one.width, dict(one.attributes)) for name, one in found.items()} == {
        "train/cat/a.jpg": (("cat",), 20, {"split": "train"}),
        "test/dog/a.jpg": (("dog",), 20, {"split": "test"}),
    }
    assert sorted(problems(exchange)) == [("no_class", "loose.jpg"), ("not_an_image", "train/cat/broken.jpg")]
