"""Queues of the label page in a real browser: what is alike, asked for, assigned, disputed, or not used."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from cv_pipelines.annotations.store.assignments import assign
from cv_pipelines.annotations.store.classes import add_class
from cv_pipelines.annotations.store.events import Author, Change, append, writing
from cv_pipelines.images.datasets import add_dataset, find_dataset
from cv_pipelines.images.ingest import ingest
from cv_pipelines.images.sources.folder import FolderSource
from cv_pipelines.images.versions import MANIFEST
from cv_pipelines.models.embedding import embeddings_schema
from cv_pipelines.storage.bundles import put_bundle, put_table
from cv_pipelines.web.tokens import Role, create_token
from tests.browsers import enter, keep, opened
from tests.web_site import Site

CLASSES = [f"kind {number}" for number in range(12)]


@pytest.fixture(scope="module")
def ids(site: Site, tmp_path_factory: pytest.TempPathFactory, write_image: Callable[..., Path]) -> list[str]:
    """The data set `plain`: twelve images that the champion sees in a row, and a file that is none."""
    folder = tmp_path_factory.mktemp("plain")
    for number in range(12):
        write_image(folder / f"{number:03}.png", seed=number + 2000, width=48, height=36)
    (folder / "broken.png").write_bytes(b"no image")
    catalog = site.catalog
    add_dataset(catalog.database, "plain", str(folder))
    outcome = ingest(catalog, FolderSource(Path(find_dataset(catalog.database, "plain").source)), 1)
    catalog.publish(MANIFEST, "plain", outcome.reference, "run")
    with writing(catalog.database, "plain") as connection:
        for one in CLASSES:
            add_class(connection, "plain", one, "test")
    found: list[str] = outcome.bundle.table("images", ["image_id"])["image_id"].to_pylist()
    angles = np.linspace(0, 1, len(found))
    vectors = np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float16)
    rows = [pa.array(found), pa.FixedSizeListArray.from_arrays(vectors.ravel(), 2)]
    publish(site, "image_embeddings", "embeddings", pa.table(rows, embeddings_schema(2)))
    asked = pa.table({"rank": [1, 2, 3], "image_id": [found[7], found[2], found[9]]})
    publish(site, "label_queue", "queue", asked)
    return found


def publish(site: Site, asset: str, part: str, table: pa.Table) -> None:
    bundle = put_bundle(site.catalog.store, asset, "1", {}, {part: put_table(site.catalog.store, table)})
    site.catalog.publish(asset, "plain", bundle, "run")


def say(site: Site, image: str, content: object, who: str) -> None:
    with writing(site.catalog.database, "plain") as connection:
        append(connection, "plain", [Change(image, json.dumps(content))], Author(who))


@pytest.fixture(scope="module")
def token(site: Site) -> str:
    return create_token(site.catalog.database, "ann", Role.ANNOTATOR, "test")


@pytest.fixture
def ann(browser: Browser, url: str, token: str, ids: list[str]) -> Iterator[Page]:
    with opened(browser) as page:
        enter(page, url, token)
        page.goto(f"{url}/datasets/plain")
        expect(tiles(page)).to_have_count(len(ids))
        yield page


def tiles(page: Page) -> Locator:
    return page.get_by_role("listbox", name="Images").get_by_role("option")


def shown(page: Page) -> list[str]:
    return [one.get_attribute("data-id") or "" for one in tiles(page).all()]


def choose(page: Page, queue: str, count: int) -> list[str]:
    page.get_by_label("Queue").select_option(queue)
    expect(page.locator(".place").first).to_contain_text(f"of {count}")
    expect(tiles(page)).to_have_count(count)
    return shown(page)


def test_enter_leads_to_the_editor_and_back_to_the_same_image(ann: Page, ids: list[str], url: str) -> None:
    for _ in range(4):
        ann.keyboard.press("ArrowRight")
    ann.keyboard.press("Enter")
    expect(ann).to_have_url(f"{url}/datasets/plain/images/{ids[4]}")
    expect(ann.locator("#state")).to_have_text("Saved")
    ann.keyboard.press("g")
    expect(ann.locator(".tile.current")).to_have_attribute("data-id", ids[4])
    expect(ann.locator(".tile.current")).to_be_focused()

    ann.keyboard.press("Enter")
    expect(ann.locator("#state")).to_have_text("Saved")
    ann.go_back()
    expect(ann.locator(".tile.current")).to_have_attribute("data-id", ids[4])


def test_m_shows_what_is_like_an_image_unlabelled_ones_first(
    ann: Page, site: Site, ids: list[str], tmp_path: Path
) -> None:
    say(site, ids[1], {"classes": [0]}, "bob")
    ann.keyboard.press("m")
    expect(ann.locator(".like")).to_contain_text("Most like")
    assert shown(ann) == [*ids[2:], ids[1]]
    ann.wait_for_load_state("networkidle")
    keep(ann, "similar", tmp_path)
    everything = ann.get_by_role("button", name="Un-label this queue")
    expect(everything).to_be_disabled()  # the queue is the grid's, not what is seen here

    ann.keyboard.press("2")
    expect(ann.locator("#state")).to_have_text("all saved")
    expect(ann.locator(".tile.current")).to_have_attribute("data-id", ids[3])
    ann.keyboard.press("u")
    expect(ann.locator("#state")).to_have_text("all saved")
    ann.get_by_role("link", name="Back to all images").click()
    expect(tiles(ann)).to_have_count(len(ids))
    expect(everything).to_be_enabled()


def test_queues_show_what_is_asked_for_assigned_and_in_dispute(
    ann: Page, site: Site, ids: list[str], tmp_path: Path
) -> None:
    assert choose(ann, "asked", 3) == [ids[7], ids[2], ids[9]]
    keep(ann, "queue-asked", tmp_path)
    with writing(site.catalog.database, "plain") as connection:
        assign(connection, "plain", [ids[5], ids[6]], ["ann"], "admin")
    assert choose(ann, "mine", 2) == [ids[5], ids[6]]
    ann.keyboard.press("1")
    expect(ann.locator("#state")).to_have_text("all saved")
    choose(ann, "all", len(ids))
    assert choose(ann, "mine", 1) == [ids[6]]

    say(site, ids[5], {"classes": [3]}, "bob")
    for _ in range(20):  # the server may still be reading what people say
        choose(ann, "all", len(ids))
        ann.get_by_label("Queue").select_option("disagreement")
        if ann.locator(".place", has_text="of 1").count():
            break
        ann.wait_for_timeout(200)
    assert choose(ann, "disagreement", 1) == [ids[5]]


def test_files_that_are_not_used_are_a_table_with_reasons(ann: Page, tmp_path: Path) -> None:
    ann.get_by_label("Queue").select_option("quarantined")
    row = ann.get_by_role("row", name="broken.png")
    expect(row).to_be_visible()
    expect(row.get_by_role("cell")).to_contain_text("Not a JPEG")
    expect(ann.get_by_role("button", name="Un-label this queue")).to_be_disabled()
    expect(ann.get_by_text("cv-pipelines dataset quarantine")).to_be_visible()  # whose options are named
    keep(ann, "queue-quarantined", tmp_path)
    for key in ("1", "0", "u", "a", "m", "Enter", "ArrowRight"):
        ann.keyboard.press(key)  # there is no image: nothing happens, and nothing fails
    expect(row).to_be_visible()


def test_a_tile_with_many_classes_and_boxes_stays_a_tile(
    ann: Page, site: Site, ids: list[str], tmp_path: Path
) -> None:
    boxes = [[number % 12, number % 40, number % 30, 4, 4] for number in range(1200)]
    say(site, ids[11], {"boxes": boxes, "classes": list(range(12))}, "bob")
    for scheme in ("light", "dark"):
        ann.emulate_media(color_scheme=scheme)
        ann.reload()
        last = tiles(ann).nth(11)
        expect(last.locator(".dot")).to_have_count(12)
        expect(last.locator(".boxes")).to_have_text("1,200 boxes")
        ann.wait_for_load_state("networkidle")
        keep(ann, f"grid-many-{scheme}", tmp_path)
        heights = {tile.bounding_box()["height"] for tile in tiles(ann).all()}  # type: ignore[index]
        assert max(heights) - min(heights) < 1
        assert last.locator(".boxes").evaluate("words => words.scrollWidth <= words.clientWidth"), "all is seen"
