"""Labels drawn in a real browser: they are where they were drawn, and none is lost."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.label_editor import click, drag, draw, objects, pixel_under, saved, show
from tests.browsers import keep
from tests.label_street import Street
from tests.web_site import Site

RINGS = [[[20.5, 20.25], [120.5, 20], [120, 110], [20, 110]], [[50, 50], [80, 50], [80, 80]]]
HOLED = [2, 20.0, 20.0, 100.5, 90.0, {"outline": RINGS, "attributes": {"iscrowd": 0, "note": "<b>"}}]


def exported(site: Site, folder: Path, name: str) -> list[dict[str, Any]]:
    """What `cv-pipelines labels export` says of the objects of an image, as COCO."""
    target = folder / "street.json"
    site.installation.run("labels", "export", "street", str(target), "--format", "coco", "--skip-bad")
    coco = json.loads(target.read_text())
    image = next(one["id"] for one in coco["images"] if one["file_name"] == name)
    classes = {one["id"]: one["name"] for one in coco["categories"]}
    of_image = (one for one in coco["annotations"] if one["image_id"] == image)
    return [{**one, "class": classes[one["category_id"]]} for one in of_image]


def test_a_box_is_in_an_export_where_it_was_drawn(
    street: Street, url: str, person: Callable[..., Page], tmp_path: Path
) -> None:
    page = person()
    show(page, url, street.images["00.jpg"])
    keep(page, "editor-empty", tmp_path)
    page.keyboard.press("2")
    draw(page, (40, 50), (160.5, 140))
    expect(objects(page)).to_have_count(1)
    keep(page, "editor-box", tmp_path)
    saved(page)
    [box] = exported(street.site, tmp_path, "00.jpg")

    assert box["class"] == "person"
    assert box["bbox"] == pytest.approx([40, 50, 120.5, 90], abs=0.5)


def test_a_photo_taken_on_its_side_is_upright_and_so_are_its_boxes(
    street: Street, url: str, person: Callable[..., Page], tmp_path: Path
) -> None:
    page = person()
    show(page, url, street.images["turned.jpg"])
    expect(page.locator("#picture")).to_have_js_property("naturalWidth", 400)
    draw(page, (300, 20), (390, 60))
    saved(page)
    [box] = exported(street.site, tmp_path, "turned.jpg")

    assert box["bbox"] == pytest.approx([300, 20, 90, 40], abs=0.5)


def test_boxes_are_moved_resized_classed_deleted_and_each_step_is_undone(
    street: Street, url: str, person: Callable[..., Page], tmp_path: Path
) -> None:
    image = street.images["01.jpg"]
    page = person()
    show(page, url, image)
    page.keyboard.press("1")
    draw(page, (50, 50), (150, 150))
    page.keyboard.press("v")
    drag(page, (100, 100), (140, 80))
    drag(page, (190, 130), (230, 160))
    page.keyboard.press("3")
    saved(page)
    keep(page, "editor-selected", tmp_path)
    assert street.boxes(image) == [[2, *(pytest.approx(one, abs=1) for one in (90, 30, 140, 130))]]

    page.keyboard.press("ArrowRight")
    page.keyboard.press("Shift+ArrowDown")
    page.keyboard.press("Control+d")
    expect(objects(page)).to_have_count(2)
    page.keyboard.press("Delete")
    expect(objects(page)).to_have_count(1)
    saved(page)
    assert street.boxes(image) == [[2, *(pytest.approx(one, abs=1) for one in (91, 40, 140, 130))]]

    drag(page, (150, 100), (900, 900))  # not out of the image
    saved(page)
    assert street.boxes(image)[0][1:3] == pytest.approx([260, 170], abs=0.1)

    for _ in range(10):
        page.keyboard.press("Control+z")
    expect(objects(page)).to_have_count(0)
    saved(page)
    assert street.label(image)[1] is None
    page.keyboard.press("Control+y")
    saved(page)
    assert street.boxes(image) == [[0, *(pytest.approx(one, abs=1) for one in (50, 50, 100, 100))]]


def test_polygons_are_drawn_point_by_point_and_their_points_changed(
    street: Street, url: str, person: Callable[..., Page], tmp_path: Path
) -> None:
    image = street.images["02.jpg"]
    page = person()
    show(page, url, image)
    page.keyboard.press("p")
    for x, y in ((50, 50), (150, 50), (170, 170), (150, 150)):
        click(page, x, y)
    keep(page, "editor-polygon-drawing", tmp_path)
    page.keyboard.press("Backspace")
    click(page, 50, 150)
    page.keyboard.press("Enter")
    page.keyboard.press("v")
    drag(page, (50, 150), (30, 150))
    drag(page, (100, 50), (100, 20))
    saved(page)
    keep(page, "editor-polygon", tmp_path)
    [shape] = exported(street.site, tmp_path, "02.jpg")

    wanted = [50, 50, 100, 20, 150, 50, 170, 170, 30, 150]
    assert shape["segmentation"][0] == pytest.approx(wanted, abs=0.6)
    page.keyboard.down("Alt")
    click(page, 100, 20)
    page.keyboard.up("Alt")
    saved(page)
    assert len((street.label(image)[1] or {})["boxes"][0][5]["outline"][0]) == 4


def test_outlines_with_holes_and_attributes_stay_exactly_as_they_came(
    street: Street, url: str, person: Callable[..., Page], tmp_path: Path
) -> None:
    image = street.images["03.jpg"]
    street.say(image, {"classes": [1], "boxes": [HOLED], "attributes": {"split": "val"}})
    page = person()
    show(page, url, image)
    click(page, 65, 55)  # in the hole is nothing
    expect(page.locator(".objects [aria-selected=true]")).to_have_count(0)
    draw(page, (200, 200), (250, 240))
    saved(page)
    keep(page, "editor-hole", tmp_path)
    label = street.label(image)[1] or {}

    assert label["boxes"][0] == HOLED
    assert (label["classes"], label["attributes"], len(label["boxes"])) == ([1], {"split": "val"}, 2)


def test_zoomed_in_what_is_drawn_is_exact_to_a_fraction_of_a_pixel(
    street: Street, url: str, person: Callable[..., Page], tmp_path: Path
) -> None:
    image = street.images["04.jpg"]
    page = person()
    show(page, url, image)
    under = (840, 270)  # browsers tell whole pixels of the screen
    page.mouse.move(*under)
    before = pixel_under(page, *under)
    for _ in range(9):
        page.mouse.wheel(0, -200)
    expect(page.locator("#percent")).to_have_text("3239 %")
    assert pixel_under(page, *under) == pytest.approx(before, abs=0.02)
    page.keyboard.down(" ")
    page.mouse.down()
    page.mouse.move(under[0] + 60, under[1] - 45)
    page.mouse.up()
    page.keyboard.up(" ")
    draw(page, (330.25, 75.5), (337.75, 81.5))
    saved(page)
    keep(page, "editor-zoomed", tmp_path)

    assert street.boxes(image)[0][1:] == pytest.approx([330.25, 75.5, 7.5, 6], abs=0.06)
