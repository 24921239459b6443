"""`cv-pipelines detections`: what a person sees, and what is there afterwards."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from cv_pipelines.catalog import Catalog
from cv_pipelines.cli.main import main
from cv_pipelines.settings import load_settings
from tests.detections.street import BOXES, label_street, make_street

SEEN: list[dict[str, Any]] = [
    {"image_id": image, "category_id": box.label, "bbox": list(box[1:5]), "score": 0.5}
    for image, name in (("i1", "north/0001"), ("i3", "0002"))
    for box in BOXES[image]
]
PATHS = {"i1": "north/0001", "i3": "0002"}


@pytest.fixture
def street(catalog: Catalog, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Catalog]:
    """The data set `street`, which commands find by the environment, and results.json beside it."""
    monkeypatch.setenv("CV_DATABASE_URL", catalog.database.url.render_as_string(hide_password=False))
    monkeypatch.setenv("CV_STORE_URL", (tmp_path / "catalog" / "store").as_uri())
    monkeypatch.chdir(tmp_path)
    load_settings.cache_clear()
    make_street(catalog)
    label_street(catalog)
    Path("results.json").write_text(json.dumps([{**one, "image_id": PATHS[one["image_id"]]} for one in SEEN]))
    yield catalog
    load_settings.cache_clear()


def run(*words: str) -> Result:
    return CliRunner().invoke(main, ["detections", *words])


def read(*words: str) -> Any:
    return json.loads(run(*words, "--json").stdout)


def test_from_a_file_to_figures(street: Catalog) -> None:
    told = run("import", "street", "results.json", "--name", "yolo")
    assert told.exit_code == 0, told.output
    assert "4 detections of 2 classes on 2 images can be used." in told.output
    assert "Next: cv-pipelines detections evaluate street" in told.output

    told = run("evaluate", "street")
    assert told.exit_code == 0, told.output
    assert "yolo" in told.output
    assert "traffic_light" in told.output

    facts = read("evaluate", "street")
    assert [facts[name] for name in ("images", "objects", "AP", "voc_ap_11_points")] == [2, 4, 1, 1]
    assert facts["per_class"]["car"]["detections"] == 3
    assert facts["AP_small"] == 1
    assert facts["detections_name"] == "yolo"


def test_json_of_an_import(street: Catalog) -> None:
    first, again = read("import", "street", "results.json"), read("import", "street", "results.json")

    assert (first["stored"], first["unchanged"], again["unchanged"]) == (True, False, True)
    assert first["version"] == again["version"]
    assert (first["classes"], first["problem_counts"]) == ({"car": 3, "traffic_light": 1}, {})


def test_one_mistake_stores_nothing_unless_it_may_be_left_out(street: Catalog) -> None:
    Path("bad.json").write_text(json.dumps([{**SEEN[0], "image_id": "0009"}, {**SEEN[0], "image_id": "0002"}]))

    refused = run("import", "street", "bad.json")
    assert refused.exit_code == 1
    assert "bad.json[0]" in refused.output
    assert "the data set has no image '0009'" in refused.output
    assert "Nothing has been stored" in refused.output
    assert street.current("detections", "street") is None

    assert run("import", "street", "bad.json", "--skip-bad").exit_code == 0
    told = read("import", "street", "bad.json")
    assert (told["stored"], told["problem_counts"]) == (False, {"unknown_image": 1})


def test_mistakes_in_the_command(street: Catalog) -> None:
    assert "'cv-pipelines detections import street FILE'" in run("evaluate", "street").output
    assert "There is no data set 'streat'" in run("evaluate", "streat").output
    assert "There is no 'none.json'" in run("import", "street", "none.json").output
    Path("truth.json").write_text(json.dumps({"images": [], "annotations": [], "categories": []}))
    assert "looks like COCO's ground truth" in run("import", "street", "truth.json").output
