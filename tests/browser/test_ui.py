"""The Dagster UI on a finished run, in a real browser."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect, sync_playwright

from tests.browser.flags import FLAGS
from tests.installation import Installation


@pytest.fixture(scope="module")
def page(chromium: str) -> Iterator[Page]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        page = browser.new_page(viewport={"width": 1400, "height": 900})
        page.set_default_timeout(60_000)
        yield page
        browser.close()


def test_an_asset_shows_its_preview(served: tuple[Installation, str], page: Page) -> None:
    page.goto(f"{served[1]}/assets/image_manifest?view=partitions&partition=shapes")
    page.get_by_text("Show markdown").first.click(timeout=60_000)
    picture = page.get_by_role("img", name="preview")
    expect(picture).to_be_visible(timeout=60_000)
    assert picture.evaluate("image => image.complete && image.naturalWidth > 200")


def test_a_check_shows_that_it_passed_and_what_it_promises(served: tuple[Installation, str], page: Page) -> None:
    page.goto(f"{served[1]}/assets/labels?view=checks&checkDetail=labels_in_vocabulary")
    expect(page.get_by_text("labels_in_vocabulary").first).to_be_visible(timeout=60_000)
    expect(page.get_by_text("Succeeded").first).to_be_visible(timeout=60_000)
    expect(page.get_by_text("Every label is one of the data set's classes.").first).to_be_visible(timeout=60_000)


def test_the_launchpad_offers_training_parameters(served: tuple[Installation, str], page: Page) -> None:
    page.goto(f"{served[1]}/locations/cv_pipelines/jobs/loop/playground")
    expect(page.get_by_text("trained_model").first).to_be_visible(timeout=60_000)
