"""What is labelled on the grid is saved once, whoever is quicker and whatever dies."""

import os
import signal
from pathlib import Path

from playwright.sync_api import Browser, Page, expect

from tests.browser.label_field import Field, go, saved, tiles
from tests.browsers import keep, opened
from tests.installation import free_port
from tests.web_site import Site


def test_of_two_people_on_one_image_the_second_sees_what_the_first_has_said_and_chooses(
    field: Field, ann: Page, browser: Browser, url: str, tmp_path: Path
) -> None:
    with opened(browser) as bob:
        go(bob, url, field, "bob")
        ann.keyboard.press("1")
        saved(ann)
        for key in "22":
            bob.keyboard.press(key)
        saved(bob)
        first, second = tiles(bob).nth(0), tiles(bob).nth(1)
        expect(first).to_contain_text("ann says: cat")
        expect(first.locator(".label")).to_have_text("cat")
        expect(second.locator(".label")).to_have_text("dog")
        expect(bob.get_by_role("alert")).to_contain_text("1 label of yours was not taken")
        keep(bob, "grid-conflict", tmp_path)
        assert [who for _, who, _ in field.events(field.ids[0])] == ["ann"]

        bob.reload()  # it is not forgotten
        expect(first).to_contain_text("ann says: cat")
        bob.get_by_role("button", name="Look and choose…").click()
        keep(bob, "grid-conflicts", tmp_path)
        bob.get_by_role("dialog").get_by_role("button", name="Say dog").click()
        saved(bob)
        expect(bob.locator("#news")).to_be_hidden()
        assert [(who, said) for _, who, said in field.events(field.ids[0])] == [
            ("ann", '{"classes":[0]}'),
            ("bob", '{"classes":[1]}'),
        ]
        ann.keyboard.press("ArrowLeft")
        ann.keyboard.press("3")  # ann has not seen bob's
        expect(tiles(ann).first).to_contain_text("bob says: dog")
        tiles(ann).first.get_by_role("button", name="Keep that").click()
        expect(ann.locator("#news")).to_be_hidden()
        assert len(field.events(field.ids[0])) == 2


def test_a_server_that_is_killed_while_one_labels_loses_nothing_and_says_nothing_twice(
    field: Field, browser: Browser, site: Site, tmp_path: Path
) -> None:
    port = str(free_port())
    with opened(browser, "net::ERR") as page:
        with site.serve("--port", port) as url:
            go(page, url, field, "ann")
            for _ in range(10):
                page.keyboard.press("1")
            kill(site, port)
        for _ in range(10):
            page.keyboard.press("2")
        expect(page.locator("#state")).to_contain_text("kept here, trying again")
        expect(page.locator(".tile.unsaved").nth(9)).to_be_visible()
        keep(page, "grid-away", tmp_path)
        page.keyboard.press("u")
        page.keyboard.press("3")
        with site.serve("--port", port):
            expect(page.locator("#state")).to_have_text("all saved", timeout=30_000)

    contents = [[content for _, _, content in field.events(one)] for one in field.ids[:20]]
    assert contents[:19] == [['{"classes":[0]}']] * 10 + [['{"classes":[1]}']] * 9
    assert contents[19][-1] == '{"classes":[2]}'
    assert len(contents[19]) in (1, 3)  # what may have been sent is taken back by an event of its own


def kill(site: Site, port: str) -> None:
    """The server on a port, with no time to say good-bye."""
    for one in Path("/proc").glob("[0-9]*/cmdline"):
        words = one.read_bytes().split(b"\0")
        if port.encode() in words and b"web" in words:
            os.kill(int(one.parent.name), signal.SIGKILL)


def test_what_was_not_sent_when_the_page_was_closed_is_sent_by_the_next(
    field: Field, browser: Browser, url: str
) -> None:
    with opened(browser, "net::ERR") as page:
        go(page, url, field, "ann")
        page.context.route("**/labels", lambda route: route.abort())
        for _ in range(3):
            page.keyboard.press("4")
        expect(page.locator("#state")).to_contain_text("3 kept here")
        page.goto(f"{url}/datasets")
        assert field.count == 0
        page.context.unroute("**/labels")
        page.goto(f"{url}/datasets/{field.name}")
        saved(page)
        expect(tiles(page).nth(2).locator(".label")).to_have_text("cow")
    assert field.count == 3


def test_who_is_logged_out_is_told_and_goes_on_after_logging_in(
    field: Field, ann: Page, url: str, tmp_path: Path
) -> None:
    ann.context.clear_cookies()
    for _ in range(3):
        ann.keyboard.press("1")
    expect(ann.locator("#state")).to_contain_text("logged out: 3 kept here")
    keep(ann, "grid-logged-out", tmp_path)
    assert field.count == 0
    ann.get_by_role("link", name="Log in again").click()
    ann.get_by_label("Token").fill(field.tokens["ann"])
    ann.keyboard.press("Enter")
    saved(ann)
    assert field.labelled == 3


def test_under_another_persons_name_nothing_is_sent(field: Field, browser: Browser, url: str) -> None:
    with opened(browser, "status of 403") as page:
        go(page, url, field, "ann")
        page.context.clear_cookies()
        other = page.context.new_page()
        go(other, url, field, "bob")
        page.keyboard.press("1")
        expect(page.locator("#state")).to_contain_text("1 kept here")
        other.reload()
        saved(other)
        assert field.count == 0
