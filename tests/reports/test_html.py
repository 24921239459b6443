import base64
import io
from html.parser import HTMLParser
from pathlib import Path

import pyarrow as pa
import pytest
from PIL import Image

from cv_pipelines.catalog import Catalog
from cv_pipelines.errors import InputError
from cv_pipelines.images.datasets import add_dataset
from cv_pipelines.images.manifest import IMAGES, QUARANTINE
from cv_pipelines.reports.html import render_report, write_report
from cv_pipelines.reports.summary import read_loop
from cv_pipelines.storage.bundles import put_bundle, put_table


class Page(HTMLParser):
    """A page taken apart: its tags, its text, and its pictures by their titles."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.text: list[str] = []
        self.pictures: dict[str, bytes] = {}
        self.addresses: list[str] = []
        self.states: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        self.tags.add(tag)
        self.addresses += [value or "" for name, value in attrs if name in ("src", "href")]
        if tag == "img":
            self.pictures[values["alt"] or ""] = base64.b64decode((values["src"] or "").partition("base64,")[2])
        if values.get("class") in ("passed", "failed", "warned"):
            self.states.append(values["class"] or "")

    def handle_data(self, data: str) -> None:
        self.text += [data.strip()] if data.strip() else []


@pytest.fixture
def page(finished: Catalog) -> Page:
    return Page(render_report(finished, read_loop(finished, "pets")))


def test_names_with_markup_are_shown_and_not_obeyed(page: Page) -> None:
    assert not page.tags & {"i", "u", "script"}
    for name in ('<b>bold</b> & "co"', "5 $ or $6", "<i>cat</i>/näh.png", "<u>w</u>"):
        assert name in page.text
    assert "not an image, but <script>alert(1)</script>" in page.text


def test_the_page_needs_nothing_but_itself(page: Page) -> None:
    assert page.addresses
    assert all(address.startswith("data:image/") for address in page.addresses)
    assert "link" not in page.tags


def test_the_figures_are_rounded_for_people(page: Page) -> None:
    assert "50.0 %" in page.text
    assert "test accuracy, 95 %: 12.5 to 87.5" in page.text
    assert {"1,234", "500", "99", "trained_model-3", "image_manifest-3"} <= set(page.text)


def test_checks_say_whether_they_stop_anything_and_name_rows(page: Page) -> None:
    assert page.states == ["passed", "failed", "warned"]
    assert {"Too few.", "Unbalanced."} <= set(page.text)
    assert {'<b>bold</b> & "co", 1', '1, <b>bold</b> & "co"'} & set(page.text)


def test_pictures_can_be_looked_at(page: Page) -> None:
    assert set(page.pictures) == {
        "Images",
        "Images of each class",
        "Training",
        "Confusion on the test split",
        "Can its confidence be believed?",
        "Mistakes on the test split",
        "Drift",
    }
    for data in page.pictures.values():
        with Image.open(io.BytesIO(data)) as picture:
            picture.load()
            assert min(picture.size) > 50


def test_the_mistakes_are_those_images_that_the_model_gets_wrong(page: Page) -> None:
    """Two of four images are wrong: the sheet of the mistakes is half as large."""
    sizes = [Image.open(io.BytesIO(page.pictures[name])).size for name in ("Images", "Mistakes on the test split")]
    assert sizes[0][0] * sizes[0][1] > 1.5 * sizes[1][0] * sizes[1][1]


def test_a_model_without_mistakes_has_no_picture_of_them(finished: Catalog) -> None:
    loop = read_loop(finished, "pets")
    evaluation = loop.bundles["model_evaluation"]
    assert evaluation is not None
    right = evaluation.table("answers").to_pandas().assign(predicted=lambda answers: answers["label"])
    parts = {"answers": put_table(finished.store, pa.Table.from_pandas(right))}
    judged = put_bundle(finished.store, "model_evaluation", "trained_model-3-e", evaluation.facts, parts)
    finished.once("model_evaluation", {"model": "trained_model-3", "again": True}, lambda _: judged)
    found = Page(render_report(finished, read_loop(finished, "pets")))
    assert "Confusion on the test split" in found.pictures
    assert "Mistakes on the test split" not in found.pictures


def test_a_report_before_anything_was_made_says_so(catalog: Catalog) -> None:
    add_dataset(catalog.database, "pets", "/nowhere")
    with pytest.raises(InputError, match="'pets' has not run yet: cv-pipelines run pets"):
        read_loop(catalog, "pets")


def test_a_report_of_a_loop_that_stopped_early_shows_what_there_is(catalog: Catalog) -> None:
    add_dataset(catalog.database, "pets", "/nowhere")
    parts = {
        "images": put_table(catalog.store, IMAGES.empty_table()),
        "quarantine": put_table(catalog.store, QUARANTINE.empty_table()),
    }
    facts = {"images": 0, "quarantined": 0, "duplicates": 0, "images_per_second": None}
    catalog.publish("image_manifest", "pets", put_bundle(catalog.store, "image_manifest", "m", facts, parts))
    found = Page(render_report(catalog, read_loop(catalog, "pets")))
    assert "Nothing has been checked yet." in found.text
    assert found.text.count("–") >= 4


def test_drift_that_was_measured_on_nothing_does_not_stop_the_report(finished: Catalog) -> None:
    facts = {"images": 0, "indices": {}, "limit": 0.2}
    finished.publish("prediction_drift", "pets", put_bundle(finished.store, "prediction_drift", "d", facts, {}))
    assert "Drift" in Page(render_report(finished, read_loop(finished, "pets"))).pictures


def test_the_report_is_written_as_one_file_and_again_over_it(finished: Catalog, tmp_path: Path) -> None:
    loop = read_loop(finished, "pets")
    path = write_report(finished, loop, tmp_path / "new" / "reports")
    assert path == tmp_path / "new" / "reports" / "pets.html"
    first = path.read_text(encoding="utf-8")
    assert "<i>cat</i>/näh.png" in Page(first).text
    assert write_report(finished, loop, path.parent) == path
    assert list(path.parent.iterdir()) == [path]
