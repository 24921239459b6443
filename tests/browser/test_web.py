"""The web application in a real browser: log in, look at images, log out."""

import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.browser.flags import FLAGS
from tests.web_site import EVIL, Site


@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A page on a common small screen; whatever the content policy refuses, or a script says, is a failure."""
    page = browser.new_page(viewport={"width": 1366, "height": 768})
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("dialog", lambda dialog: (said.append(dialog.message), dialog.dismiss()))
    yield page
    page.close()
    assert [one for one in said if "status of 401" not in one] == []


def enter(page: Page, url: str, token: str) -> None:
    page.goto(f"{url}/datasets")
    page.get_by_label("Token").fill(token)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Data sets")).to_be_visible()


def keep(page: Page, name: str, folder: Path) -> None:
    """A screenshot, where CV_SCREENSHOTS or the test's own folder is."""
    page.screenshot(path=Path(os.environ.get("CV_SCREENSHOTS", folder)) / f"{name}.png")


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
    tiles = page.get_by_role("list", name="Images").get_by_role("listitem")
    expect(tiles).to_have_count(200)
    first = tiles.first.get_by_role("img")
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
