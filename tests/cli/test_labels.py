"""`cv-pipelines labels`: what a person sees, and what is there afterwards."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from PIL import Image

from cv_pipelines.cli.main import main

GOOD = {
    "images": [{"id": 1, "file_name": "cat/a.jpg", "width": 40, "height": 30}],
    "categories": [{"id": 1, "name": "cat"}],
    "annotations": [{"id": 1, "image_id": 1, "category_id": 1, "bbox": [4, 3, 20, 15], "iscrowd": 1}],
}
BAD = GOOD | {
    "annotations": [*GOOD["annotations"], {"id": 2, "image_id": 9, "category_id": 1, "bbox": [1, 2, 3, 4]}]
}


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """`run(*words)`: a command in a folder with good.json, bad.json and an image."""
    monkeypatch.chdir(tmp_path)
    Path("good.json").write_text(json.dumps(GOOD))
    Path("bad.json").write_text(json.dumps(BAD))
    Path("images/cat").mkdir(parents=True)
    Image.new("RGB", (40, 30)).save("images/cat/a.jpg")
    return lambda *words: CliRunner().invoke(main, ["labels", *words])


def test_convert(run: Callable[..., Result]) -> None:
    told = run("convert", "good.json", "out", "--to", "yolo")

    assert told.exit_code == 0
    assert "the attribute 'iscrowd'" in told.output
    assert Path("out/labels/cat/a.txt").read_text() == "0 0.350000000 0.350000000 0.500000000 0.500000000\n"


def test_what_has_been_written_by_one_is_read_by_the_next(run: Callable[..., Result]) -> None:
    chain = ["voc", "labelme", "imagenet", "yolo", "cvat", "openimages", "labelstudio", "csv", "coco"]
    names = {"cvat": "c.xml", "openimages": "o.csv", "csv": "t.csv", "labelstudio": "l.json", "coco": "end.json"}
    source, before = "good.json", "coco"
    for name in chain:
        done = run("convert", source, names.get(name, name), "--from", before, "--to", name, "--images", "images")
        assert done.exit_code == 0, done.output
        source, before = names.get(name, name), name

    (box,) = json.loads(Path("end.json").read_text())["annotations"]
    assert box["bbox"] == pytest.approx([4, 3, 20, 15], abs=1e-6)


def test_one_mistake_writes_nothing_unless_it_may_be_left_out(run: Callable[..., Result]) -> None:
    refused = run("convert", "bad.json", "out.csv", "--to", "csv", "--json")
    report = json.loads(refused.stdout)

    assert (refused.exit_code, report["written"], report["problem_counts"]) == (1, False, {"missing_image": 1})
    assert sorted(path.name for path in Path().iterdir()) == ["bad.json", "good.json", "images"]

    assert run("convert", "bad.json", "out.csv", "--to", "csv", "--skip-bad").exit_code == 0
    assert len(Path("out.csv").read_text().splitlines()) == 2


@pytest.mark.parametrize("target", ["out", "out.csv"])
def test_a_source_that_ends_too_early_leaves_nothing(target: str, run: Callable[..., Result]) -> None:
    Path("cut.json").write_text(json.dumps(GOOD)[:-9])

    done = run("convert", "cut.json", target, "--to", "csv" if "." in target else "voc", "--skip-bad")

    assert done.exit_code == 1
    assert "'cut.json' is not JSON near line 1" in done.output
    assert sorted(path.name for path in Path().iterdir()) == ["bad.json", "cut.json", "good.json", "images"]


def test_mistakes_in_the_command(run: Callable[..., Result]) -> None:
    assert (
        "does not look like voc, but like coco"
        in run("convert", "good.json", "x", "--from", "voc", "--to", "csv").output
    )
    assert "There is no format 'coca'" in run("convert", "good.json", "x", "--to", "coca").output
    assert "There is 'bad.json' already" in run("convert", "good.json", "bad.json", "--to", "csv").output
    assert "There is no 'none.json'" in run("convert", "none.json", "x", "--to", "csv").output
    assert "no folder" in run("convert", "good.json", "none/x.csv", "--to", "csv").output
    assert json.loads(Path("bad.json").read_text()) == BAD


def test_folder_and_back(run: Callable[..., Result]) -> None:
    assert run("convert", "images", "classes.csv", "--to", "csv").exit_code == 0
    assert run("convert", "classes.csv", "copies", "--to", "folder").exit_code == 0

    assert Path("copies/cat/a.jpg").read_bytes() == Path("images/cat/a.jpg").read_bytes()


def test_check(run: Callable[..., Result]) -> None:
    Path("images/cat/a.jpg").rename("images/cat/b.jpg")
    done = run("check", "good.json", "--images", "images", "--json")
    found = json.loads(done.stdout)

    assert done.exit_code == 1
    assert found["counts"] == {"missing_image": 1, "too_few": 1}

    Path("images/2024").mkdir()
    Path("images/cat/b.jpg").rename("images/2024/a.jpg")
    moved = json.loads(run("check", "good.json", "--images", "images", "--json").stdout)
    assert moved["counts"] == {"too_few": 1}, "an image is found by its file name where no other has it"

    clean = run("check", "good.json", "--least", "1")
    assert (clean.exit_code, clean.stdout) == (0, "The checks found nothing.\n")


def test_formats(run: Callable[..., Result]) -> None:
    names = [one["name"] for one in json.loads(run("formats", "--json").stdout)]

    assert {
        "coco",
        "voc",
        "yolo",
        "labelme",
        "cvat",
        "openimages",
        "imagenet",
        "folder",
        "csv",
        "labelstudio",
    } <= set(names)
