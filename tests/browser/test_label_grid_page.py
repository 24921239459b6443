"""The label page as a page: going around, choosing what is seen, and who may only look."""

from pathlib import Path

from playwright.sync_api import Page, expect

from tests.browser.label_field import Field, current, go, saved, tiles
from tests.browsers import keep


def test_after_the_last_tile_comes_the_next_page_and_the_document_does_not_grow(field: Field, ann: Page) -> None:
    ann.keyboard.press("End")
    ann.keyboard.press("1")
    expect(tiles(ann)).to_have_count(30)
    expect(ann.get_by_text("201 – 230 of 230").first).to_be_visible()
    expect(current(ann)).to_have_attribute("data-id", field.ids[200])
    ann.keyboard.press("u")  # back where it was
    expect(current(ann)).to_have_attribute("data-id", field.ids[199])
    expect(tiles(ann)).to_have_count(200)
    ann.keyboard.press("n")
    expect(tiles(ann)).to_have_count(30)
    ann.go_back()
    expect(tiles(ann)).to_have_count(200)
    saved(ann)


def test_arrows_move_and_choose(ann: Page, field: Field) -> None:
    columns = ann.evaluate(
        "getComputedStyle(document.querySelector('.grid')).gridTemplateColumns.split(' ').length"
    )
    for key in ("ArrowRight", "ArrowDown", "ArrowDown", "ArrowUp", "ArrowLeft"):
        ann.keyboard.press(key)
    expect(current(ann)).to_have_attribute("data-id", field.ids[columns])
    ann.keyboard.press("Shift+ArrowRight")
    expect(ann.locator('.tile[aria-selected="true"]')).to_have_count(2)
    ann.keyboard.press("Escape")
    expect(ann.locator('.tile[aria-selected="true"]')).to_have_count(1)
    expect(ann.locator('.tile[tabindex="0"]')).to_have_count(1)


def test_a_queue_is_chosen_searched_and_hidden_in_place(field: Field, ann: Page, tmp_path: Path) -> None:
    for key in "112":
        ann.keyboard.press(key)
    saved(ann)
    ann.get_by_label("Queue", exact=True).select_option("unlabelled")
    expect(ann.get_by_text("1 – 200 of 227").first).to_be_visible()
    ann.get_by_label("Queue", exact=True).select_option("all")
    ann.get_by_label("Class", exact=True).select_option(label="cat")
    expect(tiles(ann)).to_have_count(2)
    keep(ann, "grid-one-class", tmp_path)
    ann.get_by_label("Class", exact=True).select_option(label="any")
    expect(tiles(ann)).to_have_count(200)
    ann.keyboard.press("/")
    ann.keyboard.type("01")
    expect(tiles(ann)).to_have_count(sum("01" in f"{n:03}.png" for n in range(230)))
    expect(ann.get_by_label("Name", exact=True)).to_be_focused()
    ann.keyboard.type("zz")
    expect(ann.get_by_text("No image of this queue is like that.")).to_be_visible()
    keep(ann, "grid-none", tmp_path)
    ann.get_by_role("link", name="Without the search and filters").click()
    ann.keyboard.press("h")
    expect(ann.get_by_text("1 – 200 of 227").first).to_be_visible()
    ann.reload()
    expect(ann.get_by_label("Hide labelled")).to_be_checked()


def test_the_size_is_remembered(field: Field, ann: Page, tmp_path: Path) -> None:
    for _ in range(4):
        ann.keyboard.press("-")
    expect(ann.locator(".grid")).to_have_attribute("data-side", "64")
    keep(ann, "grid-small", tmp_path)
    for _ in range(6):
        ann.keyboard.press("+")
    expect(tiles(ann).first.locator("img")).to_have_js_property("naturalWidth", 240)  # five times its own
    ann.reload()
    expect(ann.locator(".grid")).to_have_attribute("data-side", "256")
    expect(tiles(ann).first.locator("img")).to_have_js_property("naturalWidth", 240)  # five times its own
    keep(ann, "grid-large", tmp_path)


def test_the_keys_are_shown(ann: Page, tmp_path: Path) -> None:
    ann.keyboard.press("?")
    expect(ann.get_by_role("dialog", name="Keys")).to_be_visible()
    keep(ann, "grid-keys", tmp_path)
    ann.emulate_media(color_scheme="dark")
    keep(ann, "grid-keys-dark", tmp_path)
    ann.keyboard.press("1")
    ann.keyboard.press("Escape")
    expect(ann.get_by_role("dialog")).to_have_count(0)
    expect(ann.locator("#labelled")).to_have_text("0")


def test_a_viewer_sees_all_and_changes_nothing(field: Field, page: Page, url: str, tmp_path: Path) -> None:
    go(page, url, field, "vera")
    for key in ("1", "0", "Delete", "a", "u", "ArrowRight"):
        page.keyboard.press(key)
    expect(current(page)).to_have_attribute("data-id", field.ids[1])
    for name in ("Edit classes…", "Undo", "Un-label", "Un-label this queue…"):
        expect(page.get_by_role("button", name=name)).to_have_count(0)
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keys")).not_to_contain_text("undo")
    page.keyboard.press("Escape")
    keep(page, "grid-viewer", tmp_path)
    assert field.count == 0
