"""Labels drawn in a real browser: they are where they were drawn, and none is lost."""

import json
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from playwright.sync_api import Browser, Page, expect, sync_playwright

from cv_pipelines.annotations.store.classes import add_class
from cv_pipelines.annotations.store.events import Author, Change, append, writing
from tests.browser.flags import FLAGS
from tests.web_site import EVIL, Site, fill

WIDTH, HEIGHT = 400, 300
SCREEN = {"width": 1366, "height": 768}


@dataclass(frozen=True)
class Street:
    """A data set of photos without labels: 400 x 300 pixels each, the last one taken on its side."""

    site: Site
    images: list[str]
    turned: str

    def say(self, image: str, content: dict[str, Any], who: str = "bob") -> None:
        """Let somebody else label an image."""
        with writing(self.site.catalog.database, "street") as connection:
            append(connection, "street", [Change(image, json.dumps(content))], Author(who))

    def exported(self, folder: Path) -> dict[str, list[dict[str, Any]]]:
        """What `cv-pipelines labels export` says of each image."""
        target = folder / "street.json"
        target.unlink(missing_ok=True)
        self.site.installation.run("labels", "export", "street", str(target), "--format", "coco", "--skip-bad")
        coco = json.loads(target.read_text())
        names = {one["id"]: one["file_name"] for one in coco["images"]}
        classes = {one["id"]: one["name"] for one in coco["categories"]}
        found: dict[str, list[dict[str, Any]]] = {name: [] for name in names.values()}
        for one in coco["annotations"]:
            found[names[one["image_id"]]].append({**one, "class": classes[one["category_id"]]})
        return found


@pytest.fixture(scope="module")
def street(
    site: Site, tmp_path_factory: pytest.TempPathFactory, picture: Callable[..., NDArray[np.uint8]]
) -> Street:
    folder = tmp_path_factory.mktemp("street")
    for number in range(8):
        Image.fromarray(picture(number, WIDTH, HEIGHT)).save(folder / f"photo-{number}.jpg", quality=92)
    exif = Image.Exif()
    exif[0x0112], exif[0x010F] = 6, "a camera"
    upright = picture(99, WIDTH, HEIGHT)
    Image.fromarray(np.rot90(upright).copy()).save(folder / "turned.jpg", quality=92, exif=exif)
    ids = fill(site.catalog, "street", folder)
    with writing(site.catalog.database, "street") as connection:
        for name in ("car", "person", "sign"):
            add_class(connection, "street", name, "test")
    index = site.catalog.open(site.catalog.require("image_manifest", "street")).table("images", ["sources"])
    names = [one[0] for one in index["sources"].to_pylist()]
    return Street(site, [one for one, name in zip(ids, names, strict=True) if name != "turned.jpg"],
                  ids[names.index("turned.jpg")])


@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def person(browser: Browser, site: Site) -> Iterator[Callable[..., Page]]:
    """`person(url, role)`: a page of somebody who has logged in; what a script says is a failure."""
    said: list[str] = []
    contexts = []

    def enter(url: str, role: str = "annotator") -> Page:
        context = browser.new_context(viewport=SCREEN)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: said.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: said.append(str(error)))
        page.on("dialog", lambda dialog: (said.append(dialog.message), dialog.dismiss()))
        page.goto(f"{url}/login")
        page.get_by_label("Token").fill(site.tokens[role])
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", name="Data sets")).to_be_visible()
        return page

    yield enter
    for context in contexts:
        context.close()
    assert [one for one in said if "Failed to load resource" not in one] == []


def keep(page: Page, name: str, folder: Path) -> None:
    """A screenshot, where CV_SCREENSHOTS or the test's own folder is."""
    page.screenshot(path=Path(os.environ.get("CV_SCREENSHOTS", folder)) / f"{name}.png")


def show(page: Page, url: str, image: str, dataset: str = "street") -> None:
    page.goto(f"{url}/datasets/{dataset}/images/{image}")
    expect(page.locator("#picture")).to_have_js_property("complete", True)
    expect(page.locator("#state")).not_to_be_empty()
    expect(page.locator("#name")).not_to_have_text("…")


def on_screen(page: Page, x: float, y: float) -> tuple[float, float]:
    """Where a pixel of the image is on the screen, by where the browser shows the picture."""
    box = page.locator("#picture").bounding_box()
    assert box
    width, height = page.locator("#picture").evaluate("one => [one.offsetWidth, one.offsetHeight]")
    return box["x"] + x * box["width"] / width, box["y"] + y * box["height"] / height


def drag(page: Page, start: tuple[float, float], end: tuple[float, float]) -> None:
    """From one pixel of the image to another."""
    page.mouse.move(*on_screen(page, *start))
    page.mouse.down()
    page.mouse.move(*on_screen(page, *((start[0] + end[0]) / 2, (start[1] + end[1]) / 2)))
    page.mouse.move(*on_screen(page, *end))
    page.mouse.up()


def saved(page: Page) -> None:
    expect(page.locator("#state")).to_have_text("Saved")


def objects(page: Page) -> Any:
    return page.get_by_role("listbox", name="Objects").get_by_role("option")


def test_a_box_is_in_an_export_where_it_was_drawn(
    street: Street, url: str, person: Callable[..., Page], tmp_path: Path
) -> None:
    page = person(url)
    show(page, url, street.images[0])
    keep(page, "editor-empty", tmp_path)
    page.keyboard.press("b")
    page.keyboard.press("2")
    drag(page, (40, 50), (160.5, 140))
    expect(objects(page)).to_have_count(1)
    keep(page, "editor-box", tmp_path)
    saved(page)
    [box] = street.exported(tmp_path)["photo-0.jpg"] if False else sum(street.exported(tmp_path).values(), [])

    assert box["class"] == "person"
    assert box["bbox"] == pytest.approx([40, 50, 120.5, 90], abs=0.5)
