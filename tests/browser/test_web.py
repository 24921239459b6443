"""The web application in a real browser: log in, look at images, log out."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browsers import enter, keep
from tests.web_site import EVIL, Site


def test_a_person_logs_in_sees_images_pages_on_and_logs_out(
    site: Site, url: str, page: Page, tmp_path: Path
) -> None:
    page.goto(f"{url}/datasets")
    expect(page.get_by_label("Token")).to_be_focused()
    keep(page, "login", tmp_path)
    enter(page, url, site.tokens["annotator"])
    keep(page, "datasets", tmp_path)

    page.get_by_role("link", name="shapes").click()
    expect(page.get_by_text("1 – 200 of 230").first).to_be_visible()
    tiles = page.get_by_role("listbox", name="Images").get_by_role("option")
    expect(tiles).to_have_count(200)
    first = tiles.first.locator("img")
    expect(first).to_have_js_property("naturalWidth", 144)
    assert re.fullmatch("bar|disc|frame", tiles.first.locator(".text").inner_text())
    page.wait_for_load_state("networkidle")
    keep(page, "images", tmp_path)
    page.emulate_media(color_scheme="dark")
    keep(page, "images-dark", tmp_path)

    page.get_by_role("link", name="Next →").first.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_text("201 – 230 of 230").first).to_be_visible()
    expect(tiles).to_have_count(30)

    page.get_by_role("button", name="Log out").click()
    expect(page.get_by_label("Token")).to_be_visible()
    page.goto(f"{url}/datasets/shapes")
    expect(page.get_by_label("Token")).to_be_visible()


LOADED = """() => performance.getEntriesByType('resource')
    .filter((one) => /[.](js|css)$/.test(one.name)).map((one) => [one.name, one.transferSize])"""


@pytest.mark.parametrize("path", ["", "/review", "/train", "/images/FIRST"])
def test_a_browser_asks_for_styles_and_modules_once(site: Site, url: str, page: Page, path: str) -> None:
    enter(page, url, site.tokens["annotator"])
    page.goto(f"{url}/datasets/shapes")
    first = page.locator(".tile").first.get_attribute("data-id") or ""
    address = f"{url}/datasets/shapes{path.replace('FIRST', first)}"
    page.goto(address, wait_until="networkidle")
    page.goto(f"{url}/datasets", wait_until="networkidle")
    page.goto(address, wait_until="networkidle")

    loaded = page.evaluate(LOADED)
    assert len(loaded) > 4
    assert [name for name, size in loaded if size] == []


def test_names_that_are_html_stay_text(site: Site, url: str, page: Page) -> None:
    enter(page, url, site.tokens["viewer"])
    page.goto(f"{url}/datasets/odd")

    expect(page.get_by_text(EVIL.replace("/", "")).first).to_be_visible()


def test_a_wrong_token_is_told_and_the_page_stays(url: str, page: Page, tmp_path: Path) -> None:
    page.goto(f"{url}/login")
    page.get_by_label("Token").fill("cv_wrong")
    with page.expect_response("**/login"):
        page.get_by_role("button", name="Log in").click()

    expect(page.get_by_role("alert")).to_contain_text("not valid")
    keep(page, "wrong-token", tmp_path)


@pytest.mark.parametrize("answer", [b"", b"\0\0\0\0" * 25, b"\0\0\1\0half a picture"])
def test_pictures_that_do_not_come_together_come_alone(site: Site, url: str, page: Page, answer: bytes) -> None:
    enter(page, url, site.tokens["viewer"])
    page.route("**/thumbnails?*", lambda route: route.fulfill(body=answer))
    page.goto(f"{url}/datasets/shapes")
    tiles = page.get_by_role("listbox", name="Images").get_by_role("option")
    for place in (0, 24, 25):
        expect(tiles.nth(place).locator("img")).to_have_js_property("naturalWidth", 144)
