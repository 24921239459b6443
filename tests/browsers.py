"""Chromium for tests of our own pages: pages that fail on what a script says, logging in, screenshots."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Dialog, Page, expect, sync_playwright

from tests.browser.flags import FLAGS

expect.set_options(timeout=30_000)  # of a busy machine; what has to be quicker says so itself


@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        yield browser
        browser.close()


@contextmanager
def opened(browser: Browser, *allowed: str) -> Iterator[Page]:
    """A page of a browser of its own, on a common small screen.

    What the content policy refuses, or a script says, is a failure, unless words of it are allowed.
    """
    context = browser.new_context(viewport={"width": 1366, "height": 768})
    page = context.new_page()
    said: list[str] = []

    def dismiss(dialog: Dialog) -> None:
        said.append(dialog.message)
        dialog.dismiss()

    page.on("console", lambda message: said.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("dialog", dismiss)
    yield page
    context.close()
    assert [one for one in said if not any(word in one for word in ("status of 401", *allowed))] == []


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    with opened(browser) as page:
        yield page


def enter(page: Page, url: str, token: str) -> None:
    page.goto(f"{url}/datasets")
    page.get_by_label("Token").fill(token)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Data sets")).to_be_visible()


def keep(page: Page, name: str, folder: Path, whole: bool = False) -> None:
    """A screenshot of what is seen, or of the whole page, where CV_SCREENSHOTS or the test's own folder is."""
    page.screenshot(path=Path(os.environ.get("CV_SCREENSHOTS", folder)) / f"{name}.png", full_page=whole)
