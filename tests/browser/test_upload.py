"""Uploading in a real browser: files, folders, an archive, what is refused, cancel and retry, the ingest."""

import io
import re
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, FilePayload, Page, Route, expect

from cv_pipelines.images.datasets import find_dataset
from cv_pipelines.images.sources.factory import open_source
from tests.browsers import keep
from tests.installation import Installation, answers
from tests.web_site import Site


@pytest.fixture
def page(browser: Browser, site: Site, url: str) -> Iterator[Page]:
    """The upload page, of somebody who has logged in; a script that fails is a failure."""
    page = browser.new_page(viewport={"width": 1366, "height": 768})
    said: list[str] = []
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("console", lambda message: said.append(message.text) if "Content Security" in message.text else None)
    page.goto(f"{url}/login?next=/upload")
    page.get_by_label("Token").fill(site.tokens["annotator"])
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Upload images")).to_be_visible()
    page.wait_for_load_state("load")  # with its script
    yield page
    page.close()
    assert said == []


def images(write_image: Callable[..., Path], folder: Path, count: int, seed: int = 900) -> list[Path]:
    return [write_image(folder / f"{n:02}.png", seed=seed + n, width=60, height=40) for n in range(count)]


def held(site: Site, dataset: str) -> set[str]:
    return {one.path for one in open_source(find_dataset(site.catalog.database, dataset).source).items()}


def test_images_and_an_archive_are_uploaded_and_looked_at(
    site: Site, page: Page, write_image: Callable[..., Path], tmp_path: Path
) -> None:
    expect(page.get_by_role("button", name="Upload")).to_be_disabled()
    page.get_by_label("Data set").fill("roses")
    paths = images(write_image, tmp_path, 3)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("all/rose/a.png", paths[0].read_bytes())
        archive.writestr("all/tulip/b.png", paths[1].read_bytes())
        archive.writestr("all/<img src=x onerror=alert(1)>.mp4", b"-")
        archive.writestr("../evil.png", b"-")
    packed = FilePayload(name="all.zip", mimeType="application/zip", buffer=buffer.getvalue())
    page.locator("#choose").set_input_files([*paths])
    page.locator("#choose").set_input_files([packed])
    keep(page, "upload-chosen", tmp_path)
    page.get_by_role("button", name="Upload 4 files").click()

    expect(page.get_by_role("status")).to_contain_text("4 of 4 files")
    expect(page.get_by_text("taken, but 2 of its files were not")).to_be_visible()
    expect(page.get_by_text("a path that leads out of the archive")).to_be_visible()
    expect(page.get_by_text("Waiting to be looked at")).to_be_visible()
    keep(page, "upload-done", tmp_path)
    assert held(site, "roses") == {"00.png", "01.png", "02.png", "rose/a.png", "tulip/b.png"}

    page.get_by_role("link", name="Data sets").click()
    row = page.get_by_role("row").filter(has_text="roses")
    expect(row.get_by_text("waiting to be ingested")).to_be_visible()
    keep(page, "datasets-ingest", tmp_path)
    row.get_by_role("link", name="Upload more").click()
    expect(page.get_by_label("Data set")).to_have_value("roses")
    expect(page.get_by_text("Waiting to be looked at")).to_be_visible()
    tabs = page.get_by_role("navigation", name="Pages of roses").get_by_role("link")
    expect(tabs).to_have_text(["Label", "Train", "Review", "Upload"])
    expect(tabs.last).to_have_attribute("aria-current", "page")
    keep(page, "upload-more", tmp_path)
    tabs.first.click()
    expect(page).to_have_url(re.compile("/datasets/roses$"))


def test_a_folder_keeps_its_classes(
    site: Site, page: Page, write_image: Callable[..., Path], tmp_path: Path
) -> None:
    for kind in ("disc", "bar"):
        images(write_image, tmp_path / "photos" / kind, 2)
    (tmp_path / "photos" / ".DS_Store").write_bytes(b"-")
    page.get_by_label("Data set").fill("from-a-folder")
    page.locator("#choose-folder").set_input_files(tmp_path / "photos")
    page.get_by_role("button", name="Upload 4 files").click()

    expect(page.get_by_role("status")).to_contain_text("4 of 4 files")
    expect(page.get_by_text("Waiting to be looked at")).to_be_visible()
    assert held(site, "from-a-folder") == {f"{kind}/0{n}.png" for kind in ("disc", "bar") for n in (0, 1)}


def test_what_fails_says_why_and_can_be_tried_again_and_a_broken_connection_is_by_itself(
    site: Site, page: Page, write_image: Callable[..., Path], tmp_path: Path
) -> None:
    broken = 0

    def sometimes(route: Route) -> None:
        nonlocal broken
        broken += 1
        if broken == 1:
            route.abort("connectionreset")
        elif broken == 2:
            route.fulfill(status=500, json={"detail": "This is a mistake of ours <b>."})
        else:
            route.continue_()

    page.route("**/files?name=*", sometimes)
    page.get_by_label("Data set").fill("retried")
    page.locator("#choose").set_input_files(images(write_image, tmp_path, 3))
    bad = [FilePayload(name="film.mp4", mimeType="video/mp4", buffer=b"-")]
    page.locator("#choose").set_input_files(bad)
    page.get_by_role("button", name="Upload 4 files").click()

    expect(page.get_by_role("status")).to_contain_text("2 of 4 files")
    expect(page.get_by_text("This is a mistake of ours <b>.")).to_be_visible()
    expect(page.get_by_text("a video: add it as a data set of its own")).to_be_visible()
    keep(page, "upload-failed", tmp_path)
    page.emulate_media(color_scheme="dark")
    keep(page, "upload-failed-dark", tmp_path)
    page.get_by_role("button", name="Try again what failed").click()
    expect(page.get_by_role("status")).to_contain_text("3 of 4 files")
    assert held(site, "retried") == {"00.png", "01.png", "02.png"}


def test_an_upload_is_cancelled_and_goes_on_where_it_was(
    site: Site, page: Page, write_image: Callable[..., Path], tmp_path: Path
) -> None:
    held_up: list[Route] = []
    page.route("**/files?name=01.png", lambda route: held_up.append(route))
    page.get_by_label("Data set").fill("cancelled")
    page.locator("#choose").set_input_files(images(write_image, tmp_path, 3))
    page.get_by_role("button", name="Upload 3 files").click()
    expect(page.get_by_role("status")).to_contain_text("1 of 3 files")
    page.get_by_role("button", name="Cancel").click()

    expect(page.get_by_role("button", name="Upload 2 files")).to_be_enabled()
    assert held(site, "cancelled") == {"00.png"}
    page.unroute("**/files?name=01.png")
    page.get_by_role("button", name="Upload 2 files").click()
    expect(page.get_by_role("status")).to_contain_text("3 of 3 files")


def test_web_and_dev_work_together_on_one_state(
    installation: Installation, browser: Browser, write_image: Callable[..., Path], tmp_path: Path
) -> None:
    """From files on a disk to images on a page, on a machine where nothing was before."""
    site = Site(installation, None, {})  # type: ignore[arg-type]
    token = installation.run("token", "create", "ann", "--role", "annotator").stdout.strip()
    with installation.dev() as ui, site.serve() as url:
        page = browser.new_page(viewport={"width": 1366, "height": 768})
        page.goto(f"{url}/login?next=/upload")
        page.get_by_label("Token").fill(token)
        page.keyboard.press("Enter")
        page.get_by_label("Data set").fill("fresh")
        for number, kind in enumerate(("disc", "bar")):
            images(write_image, tmp_path / "photos" / kind, 3, seed=10 * number)
        page.locator("#choose-folder").set_input_files(tmp_path / "photos")
        page.get_by_role("button", name="Upload 6 files").click()

        expect(page.get_by_text("Done. The images are in the data set.")).to_be_visible(timeout=120_000)
        keep(page, "upload-ingested", tmp_path)
        page.get_by_role("link", name="Open the data set").click()
        expect(page.get_by_role("listbox", name="Images").get_by_role("option")).to_have_count(6)
        assert answers(f"{ui}/server_info")
        page.close()


def test_a_file_that_is_too_large_is_not_sent_and_says_what_is_the_most(page: Page, tmp_path: Path) -> None:
    for name, size in (("huge.png", 512 * 1024**2 + 1), ("huge.zip", 2 * 1024**3 + 1)):
        with (tmp_path / name).open("wb") as file:
            file.truncate(size)
        page.locator("#choose").set_input_files(tmp_path / name)

    expect(page.get_by_text("It is too large: 512.0 MiB is the most for an image.")).to_be_visible()
    expect(page.get_by_text("It is too large: 2.00 GiB is the most for an archive.")).to_be_visible()
    expect(page.get_by_role("button", name="Upload", exact=True)).to_be_disabled()
    keep(page, "upload-too-large", tmp_path)
