"""The large view as a page: keys, names, pictures, frames, and who may only look."""

import re
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Page, Route, expect

from cv_pipelines.annotations.store.classes import add_class
from cv_pipelines.annotations.store.events import writing
from cv_pipelines.images.datasets import add_dataset
from cv_pipelines.images.ingest import ingest
from cv_pipelines.images.sources.sampling import Sampling
from cv_pipelines.images.sources.video import VideoSource
from cv_pipelines.images.versions import MANIFEST
from tests.browser.label_editor import drag, draw, objects, ready, saved, show
from tests.browsers import keep
from tests.label_street import Street
from tests.web_site import EVIL, Site

NAME = EVIL.replace("/", "")
RINGS = [[[20.5, 20.25], [120.5, 20], [120, 110], [20, 110]], [[50, 50], [80, 50], [80, 80]]]
HOLED = [2, 20.0, 20.0, 100.5, 90.0, {"outline": RINGS, "attributes": {"iscrowd": 0, "note": "<b>"}}]


def test_a_double_click_in_the_grid_leads_to_it_and_g_back(
    street: Street, url: str, person: Callable[..., Page]
) -> None:
    image = street.images["13.jpg"]
    page = person()
    page.goto(f"{url}/datasets/street?sort=name")
    page.get_by_role("img", name="13.jpg").dblclick()
    expect(page).to_have_url(f"{url}/datasets/street/images/{image}?sort=name")
    ready(page)
    expect(page.get_by_role("link", name="Next image")).to_have_attribute(
        "href", f"/datasets/street/images/{street.images['14.jpg']}?sort=name"
    )
    page.keyboard.press("g")
    expect(page.get_by_role("img", name="13.jpg")).to_be_visible()


def test_all_is_done_with_keys_alone(
    street: Street, url: str, person: Callable[..., Page], tmp_path: Path
) -> None:
    image = street.images["10.jpg"]
    page = person()
    show(page, url, image)
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_contain_text("take back the last point")
    keep(page, "editor-keys", tmp_path)
    page.keyboard.press("Escape")
    for key in (
        "b",
        "3",
        "Enter",
        "Shift+ArrowLeft",
        "Control+Shift+ArrowRight",
        "Escape",
        "Escape",
        "Shift+Digit2",
    ):
        page.keyboard.press(key)
    expect(page.get_by_role("button", name="person").first).to_have_attribute("aria-pressed", "true")
    page.keyboard.press("j")
    page.keyboard.press("c")
    page.get_by_role("combobox", name="Part of the name").fill("ca")
    keep(page, "editor-chooser", tmp_path)
    page.keyboard.press("Enter")
    saved(page)
    label = street.label(image)[1] or {}

    assert label["classes"] == [1]
    [(number, left, top, width, height)] = label["boxes"]
    assert (number, width - height) == (0, pytest.approx(10, abs=0.1))
    assert (left + width / 2, top + height / 2) == pytest.approx((195, 150), abs=1)
    page.keyboard.press("Delete")
    page.keyboard.press("Shift+Digit2")
    saved(page)
    assert street.label(image)[1] == {}


def test_a_suggestion_of_the_model_is_shown_as_one_and_accepted(
    street: Street, url: str, person: Callable[..., Page], tmp_path: Path
) -> None:
    image = street.images["11.jpg"]
    page = person()

    def suggest(route: Route) -> None:
        answer = route.fetch()
        route.fulfill(response=answer, json={**answer.json(), "suggestion": {"class": 2, "probability": 0.934}})

    page.route(re.compile(f"{image}/label"), suggest)
    show(page, url, image)
    expect(page.locator("#suggestion")).to_contain_text("The model suggests sign 93\u00a0%")
    keep(page, "editor-suggestion", tmp_path)
    page.keyboard.press("a")
    saved(page)
    expect(page.locator("#suggestion")).to_be_hidden()

    assert street.label(image)[1] == {"classes": [2]}


def test_who_may_only_look_changes_nothing(street: Street, url: str, person: Callable[..., Page]) -> None:
    image = street.images["12.jpg"]
    street.say(image, {"boxes": [[0, 50, 50, 100, 100]]})
    page = person("viewer")
    show(page, url, image)
    expect(page.locator("#state")).to_have_text("You may look, but not label")
    draw(page, (200, 200), (300, 280))
    page.keyboard.press("v")
    drag(page, (100, 100), (140, 80))
    page.keyboard.press("Delete")
    page.keyboard.press("Shift+Digit1")

    expect(objects(page)).to_have_count(1)
    assert street.label(image)[0] == 1


def test_names_that_are_html_are_text(site: Site, url: str, person: Callable[..., Page], tmp_path: Path) -> None:
    [image] = site.catalog.open(site.catalog.require(MANIFEST, "odd")).table("images", ["image_id"])[0].to_pylist()
    page = person()
    show(page, url, image, "odd")
    draw(page, (5, 5), (60, 60))
    saved(page)
    page.keyboard.press("c")
    keep(page, "editor-odd", tmp_path)

    expect(objects(page)).to_contain_text(NAME)
    expect(page.locator(".tags")).to_contain_text(NAME)
    expect(page.locator("#found")).to_contain_text(NAME)
    expect(page.locator("#name")).to_contain_text("script")


def test_brightness_and_contrast_are_kept_for_the_data_set(
    street: Street, url: str, person: Callable[..., Page], tmp_path: Path
) -> None:
    page = person()
    show(page, url, street.images["13.jpg"])
    page.get_by_role("button", name="Look", exact=True).click()
    page.get_by_label("Brightness").fill("1.5")
    page.get_by_label("Logarithmic scale").check()
    keep(page, "editor-look", tmp_path)
    show(page, url, street.images["14.jpg"])
    picture = page.locator("#picture")
    expect(picture).to_have_css("filter", 'url("#log") brightness(1.5)')
    page.get_by_role("button", name="Look", exact=True).click()
    page.get_by_role("button", name="As it is").click()
    expect(picture).to_have_css("filter", "none")


def test_frames_of_a_video_tell_their_exact_times_and_follow_each_other(
    site: Site, url: str, person: Callable[..., Page], make_video: Callable[..., Path], tmp_path: Path
) -> None:
    video = make_video(tmp_path / "drive.mp4", frames=8, rate=25)
    add_dataset(site.catalog.database, "drive", str(video))
    outcome = ingest(site.catalog, VideoSource(video, Sampling(every=1)), 1)
    site.catalog.publish(MANIFEST, "drive", outcome.reference, "run")
    table = outcome.bundle.table("images", ["image_id", "sources"])
    order = sorted(
        zip((held[0] for held in table["sources"].to_pylist()), table["image_id"].to_pylist(), strict=True)
    )
    page = person()
    show(page, url, order[2][1], "drive")
    expect(page.locator("#time")).to_have_text("0:00.080")
    expect(page.locator("#time")).to_have_attribute("title", "drive.mp4, exactly 2/25 s")
    keep(page, "editor-frame", tmp_path)
    page.keyboard.press(".")
    expect(page.locator("#time")).to_have_text("0:00.120")
    expect(page).to_have_url(re.compile(order[3][1]))
    page.get_by_role("link", name="Earlier frame").click()
    page.keyboard.press(",")
    expect(page.locator("#time")).to_have_text("0:00.040")
    with httpx.Client(base_url=url, headers=site.bearer("viewer")) as client:
        first = client.get(f"/datasets/drive/images/{order[0][1]}/frame").json()
    assert (first["previous"], first["next"]) == (None, order[1][1])


def test_it_is_good_to_look_at_in_the_dark_and_with_many_objects(
    street: Street, url: str, person: Callable[..., Page], tmp_path: Path
) -> None:
    image = street.images["15.jpg"]
    with writing(street.site.catalog.database, "street") as connection:
        for number in range(20):
            add_class(connection, "street", f"a class with a long name {number}", "test")
    boxes = [[at % 20, 5 + 18.5 * (at % 20), 5 + 24 * (at // 20), 15, 19] for at in range(200)]
    street.say(image, {"classes": [1, 2], "boxes": [HOLED, *boxes]})
    page = person()
    page.emulate_media(color_scheme="dark")
    show(page, url, image)
    expect(objects(page)).to_have_count(201)
    page.get_by_role("listbox", name="Objects").focus()
    for _ in range(3):
        page.keyboard.press("ArrowDown")
    keep(page, "editor-dark", tmp_path)
    expect(objects(page).nth(2)).to_have_attribute("aria-selected", "true")
    page.keyboard.press("l")
    page.keyboard.press("k")
    page.keyboard.press("k")
    keep(page, "editor-dark-outline", tmp_path)
