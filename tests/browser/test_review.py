"""Two people disagree, and a third settles it by keys, in a real browser."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from cv_pipelines.annotations.store.assignments import assign
from cv_pipelines.annotations.store.classes import classes_of
from cv_pipelines.annotations.store.events import Author, Change, append, history, writing
from cv_pipelines.images.versions import MANIFEST
from cv_pipelines.web.tokens import Role, create_token
from tests.browsers import enter, keep
from tests.web_site import Site


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A page on a common small screen; whatever the content policy refuses, or a script says, is a failure."""
    page = browser.new_page(viewport={"width": 1366, "height": 768})
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: said.append(str(error)))
    yield page
    page.close()
    assert [one for one in said if "status of 401" not in one and "status of 409" not in one] == []


def ids_of(site: Site) -> list[str]:
    manifest = site.catalog.open(site.catalog.require(MANIFEST, "shapes"))
    ids: list[str] = manifest.table("images", ["image_id"])["image_id"].to_pylist()
    return ids


def say(site: Site, who: str, images: list[str], name: str, content: str = '{{"classes":[{0}]}}') -> None:
    with site.catalog.database.connect() as connection:
        number = next(one.number for one in classes_of(connection, "shapes") if one.name == name)
    changes = [Change(image, content.format(number)) for image in images]
    with writing(site.catalog.database, "shapes") as connection:
        append(connection, "shapes", changes, Author(who))


def newest(site: Site, image: str) -> tuple[str, str, bool]:
    with site.catalog.database.connect() as connection:
        head = history(connection, "shapes", image)[0]
    return head.who, head.content, head.adjudicates


def test_disputes_are_settled_by_keys_and_the_figures_follow(
    site: Site, url: str, page: Page, tmp_path: Path
) -> None:
    ids = ids_of(site)
    say(site, "ann", ids[:6], "disc")
    say(site, "bob", ids[:2], "bar")
    say(site, "bob", ids[2:5], "disc")
    say(site, "cid", ids[1:4], "frame")
    say(site, "bob", [ids[5]], "disc", '{{"boxes":[[{0},3,4,22,15],[{0},20,10,20,20]]}}')
    enter(page, url, site.tokens["admin"])
    page.goto(f"{url}/datasets/shapes/review")
    tile = page.locator(".tiles div", has_text="in dispute")
    expect(page.get_by_text("5 images in dispute")).to_be_visible()
    expect(tile.locator("dd")).to_contain_text("5")
    expect(page.get_by_role("group", name="Who is right").get_by_role("button")).to_have_count(2)
    page.wait_for_load_state("networkidle")
    keep(page, "review", tmp_path)

    page.keyboard.press("1")
    expect(page.get_by_text("4 images in dispute")).to_be_visible()
    expect(page.get_by_role("status").first).to_contain_text("settled: as ann says")
    expect(tile.locator("dd")).to_contain_text("4")
    assert newest(site, ids[0])[::2] == ("admin", True)

    expect(page.get_by_role("group", name="Who is right").get_by_role("button")).to_have_count(3)
    say(site, "cid", [ids[1]], "disc")
    page.keyboard.press("2")
    expect(page.get_by_role("status").first).to_contain_text("meanwhile")
    keep(page, "review-conflict", tmp_path)
    assert newest(site, ids[1])[0] == "cid", "nothing was settled that nobody has seen"

    page.keyboard.press("u")
    expect(page.get_by_text("another answer replaces it")).to_be_visible()
    page.keyboard.press("2")
    expect(page.get_by_role("status").first).to_contain_text("settled: as bob says")
    for _ in range(3):
        page.keyboard.press("ArrowRight")
    expect(page.locator(".picture .shape")).to_have_count(2)
    page.wait_for_load_state("networkidle")
    keep(page, "review-boxes", tmp_path)
    page.emulate_media(color_scheme="dark")
    keep(page, "review-boxes-dark", tmp_path)
    page.get_by_role("button", name="bob is right").click()
    expect(page.get_by_text("You have seen all disputes")).to_be_visible()
    assert "boxes" in newest(site, ids[5])[1]


def test_an_admin_assigns_and_takes_back(site: Site, url: str, page: Page, tmp_path: Path) -> None:
    for name in ("eve", "fay"):
        create_token(site.catalog.database, name, Role.ANNOTATOR, "test")
    enter(page, url, site.tokens["admin"])
    page.goto(f"{url}/datasets/shapes/review")
    page.get_by_label("eve").check()
    page.get_by_label("fay").check()
    page.get_by_label("Images").fill("20")
    page.get_by_label("Chosen from").select_option("all")
    page.get_by_role("button", name="Assign").click()

    expect(page.get_by_text("20 images assigned, 4 of them to two people.")).to_be_visible()
    row = page.get_by_role("row", name=re.compile("^eve"))
    expect(row).to_contain_text("0 of 12")
    keep(page, "review-assigned", tmp_path)
    page.screenshot(path=tmp_path / "whole.png", full_page=True)
    row.get_by_role("button", name="Take back").click()
    question = page.get_by_role("dialog", name="Take images back?")
    expect(question).to_contain_text("The 12 images that eve has not labelled yet")
    keep(page, "review-take-back", tmp_path)
    question.get_by_role("button", name="Cancel").click()
    expect(question).to_be_hidden()
    expect(row).to_contain_text("0 of 12")
    row.get_by_role("button", name="Take back").click()
    question.get_by_role("button", name="Take back").click()
    expect(row).to_have_count(0)


def test_keys_settle_nothing_behind_a_question(site: Site, url: str, page: Page) -> None:
    ids = ids_of(site)
    create_token(site.catalog.database, "gus", Role.ANNOTATOR, "test")
    say(site, "ann", ids[7:8], "disc")
    say(site, "bob", ids[7:8], "bar")
    with writing(site.catalog.database, "shapes") as connection:
        assign(connection, "shapes", ids[8:9], ["gus"], "admin")
    enter(page, url, site.tokens["admin"])
    page.goto(f"{url}/datasets/shapes/review")
    expect(page.get_by_role("button", name="ann is right")).to_be_visible()
    page.get_by_role("row", name=re.compile("^gus")).get_by_role("button", name="Take back").click()
    page.keyboard.press("1")
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(page.get_by_role("button", name="ann is right")).to_be_visible()
    assert not newest(site, ids[7])[2], "nobody has settled it"


def test_a_key_that_is_held_settles_one_and_the_keyboard_keeps_its_place(site: Site, url: str, page: Page) -> None:
    ids = ids_of(site)
    say(site, "ann", ids[6:9], "disc")
    say(site, "bob", ids[6:9], "bar")
    enter(page, url, site.tokens["admin"])
    page.goto(f"{url}/datasets/shapes/review")
    left = page.get_by_text(re.compile(r"^\d+ images? in dispute$"))
    before = int(left.inner_text().split()[0])
    page.keyboard.down("1")
    expect(page.get_by_role("status").first).to_contain_text("settled: as ann says")
    page.keyboard.down("1")  # as a key repeats
    page.keyboard.down("1")
    page.keyboard.up("1")
    expect(left).to_have_text(f"{before - 1} images in dispute")

    page.get_by_role("button", name=re.compile("^bob is right: ")).focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("status").first).to_contain_text("settled: as bob says")
    expect(page.locator("#dispute")).to_be_focused()


def test_the_next_one_is_settled_while_those_that_follow_are_still_fetched(
    site: Site, url: str, page: Page
) -> None:
    ids = ids_of(site)
    say(site, "ann", ids[9:16], "disc")
    say(site, "bob", ids[9:16], "bar")
    enter(page, url, site.tokens["admin"])
    page.goto(f"{url}/datasets/shapes/review")
    page.wait_for_load_state("networkidle")
    left = page.get_by_text(re.compile(r"^\d+ images? in dispute$"))
    before = int(left.inner_text().split()[0])
    page.route("**/review/disputes?*", lambda _: None)  # which never answers
    for settled in range(1, 5):
        page.keyboard.press("1")
        expect(left).to_have_text(re.compile(rf"^{before - settled} "))
        expect(page.get_by_title("The one settled last")).to_be_enabled()
