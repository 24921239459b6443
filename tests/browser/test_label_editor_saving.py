"""What is drawn in the large view is saved once, and nothing of anybody's is lost."""

import os
import re
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Page, Route, expect

from cv_pipelines.annotations.store.events import Author, Change, append, history, writing
from tests.browser.label_editor import click, draw, objects, ready, saved, show
from tests.browsers import keep
from tests.installation import COMMAND, free_port
from tests.label_street import Street
from tests.web_site import Site

LABELS = re.compile(r"/labels$")


def test_a_reload_in_the_middle_loses_nothing(
    street: Street, url: str, person: Callable[..., Page], tmp_path: Path
) -> None:
    image = street.images["05.jpg"]
    page = person()
    show(page, url, image)
    page.route(LABELS, lambda route: route.abort())
    draw(page, (20, 20), (60, 60))
    draw(page, (100, 20), (160, 60))
    expect(page.locator("#state")).to_contain_text("trying again")
    keep(page, "editor-away", tmp_path)
    page.reload()
    expect(objects(page)).to_have_count(2)
    assert street.label(image) == (0, None)
    page.unroute(LABELS)
    page.reload()
    saved(page)

    assert len(street.boxes(image)) == 2


def test_an_answer_that_gets_lost_is_no_conflict(street: Street, url: str, person: Callable[..., Page]) -> None:
    image = street.images["06.jpg"]
    page = person()
    show(page, url, image)
    lost: list[int] = []

    def lose(route: Route) -> None:
        lost.append(route.fetch().status)
        route.abort()

    page.route(LABELS, lose, times=1)
    draw(page, (20, 20), (60, 60))
    draw(page, (100, 20), (160, 60))
    saved(page)

    assert lost == [200]
    assert (street.label(image)[0], len(street.boxes(image))) == (2, 2)
    expect(page.get_by_role("dialog")).to_have_count(0)


@contextmanager
def killable(site: Site, port: int) -> Iterator[Callable[[], None]]:
    """An application on a port of its own; yields what kills it."""
    with (site.installation.state / "killed.log").open("a") as log:
        process = subprocess.Popen(
            [COMMAND, "web", "--port", str(port)],
            env=site.installation.environment,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            start_new_session=True,
        )

    def kill() -> None:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate(timeout=30)

    try:
        assert process.stdout is not None
        assert "http://" in process.stdout.readline()
        yield kill
    finally:
        kill()


def test_a_server_that_is_killed_while_saving_loses_nothing(
    street: Street, person: Callable[..., Page], tmp_path: Path
) -> None:
    one, two = street.images["07.jpg"], street.images["08.jpg"]
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    with killable(street.site, port) as kill:
        page = person("annotator", url)
        show(page, url, one)
        draw(page, (20, 20), (60, 60))
        kill()
        draw(page, (100, 20), (160, 60))
        draw(page, (200, 20), (260, 60))
        expect(page.locator("#state")).to_contain_text("Kept in this browser")
    with killable(street.site, port):
        saved(page, 30)
        show(page, url, two)
        expect(objects(page)).to_have_count(0)

    assert [round(box[1]) for box in street.boxes(one)] == [20, 100, 200]


def test_two_people_on_one_image_overwrite_nothing_and_choose(
    street: Street, url: str, person: Callable[..., Page], tmp_path: Path
) -> None:
    image = street.images["09.jpg"]
    ann, adam = person(), person("admin")
    for page in (ann, adam):
        show(page, url, image)
    draw(adam, (200, 200), (300, 280))
    saved(adam)
    draw(ann, (20, 20), (80, 80))
    dialog = ann.get_by_role("dialog")
    expect(dialog).to_contain_text("admin has saved other labels")
    keep(ann, "editor-conflict", tmp_path)
    assert len(street.boxes(image)) == 1
    ann.reload()  # before it is decided: nothing is lost
    ready(ann)
    dialog.get_by_role("button", name="Keep both together").click()
    saved(ann)
    assert [round(box[1]) for box in street.boxes(image)] == [200, 20]

    draw(adam, (10, 200), (50, 280))
    expect(adam.get_by_role("dialog")).to_contain_text("annotator has saved")
    adam.get_by_role("dialog").get_by_role("button", name="Take theirs").click()
    expect(objects(adam)).to_have_count(2)
    saved(adam)
    assert len(street.boxes(image)) == 2
    adam.keyboard.press("Control+z")  # mine are there again
    saved(adam)
    assert [round(box[1]) for box in street.boxes(image)] == [200, 10]


def test_who_puts_the_choice_off_and_goes_on_overwrites_nothing(
    street: Street, url: str, person: Callable[..., Page]
) -> None:
    image = street.images["16.jpg"]
    page = person()
    show(page, url, image)
    street.say(image, {"classes": [1]})
    draw(page, (20, 20), (80, 80))
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("bob has saved")
    page.keyboard.press("Escape")
    expect(page.locator("#state")).to_contain_text("1 image needs a decision")
    draw(page, (120, 20), (180, 80))
    expect(dialog).to_contain_text("2 × car")
    assert street.label(image) == (1, {"classes": [1]})
    dialog.get_by_role("button", name="Keep mine").click()
    saved(page)

    assert street.label(image)[0] == 2
    assert len(street.boxes(image)) == 2


def test_what_was_put_off_is_decided_from_another_image_which_is_left_whole(
    street: Street, url: str, person: Callable[..., Page]
) -> None:
    image, other = street.images["17.jpg"], street.images["18.jpg"]
    page = person()
    show(page, url, image)
    street.say(image, {"classes": [1]})
    draw(page, (20, 20), (80, 80))
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("bob has saved")
    page.keyboard.press("Escape")
    show(page, url, other)
    page.keyboard.press("p")
    for place in ((20, 20), (80, 20)):  # half a polygon
        click(page, *place)

    page.get_by_role("button", name="Decide").click()
    expect(page).to_have_url(f"{url}/datasets/street/images/{image}")
    dialog.get_by_role("button", name="Keep mine").click()
    saved(page)
    page.keyboard.press("Enter")  # would close a polygon that had come along

    expect(objects(page)).to_have_count(1)
    page.go_back()
    expect(page).to_have_url(f"{url}/datasets/street/images/{other}")
    ready(page)
    expect(objects(page)).to_have_count(0)
    assert street.label(image) == (2, street.label(image)[1])


def test_going_to_another_image_at_once_loses_nothing(
    street: Street, url: str, person: Callable[..., Page]
) -> None:
    first = min(street.images.values())
    before = len(street.boxes(first))
    page = person()
    show(page, url, first, query="?size=large")
    held: list[Route] = []
    page.route(LABELS, lambda route: held.append(route))
    draw(page, (310, 210), (390, 290))
    with page.expect_response(re.compile(f"{first}/label$")):  # fetched ahead: as it was before it was saved
        page.keyboard.press("PageDown")
    ready(page)
    expect(page.locator("#state")).to_have_text("Saving…")
    held[0].continue_()
    page.unroute(LABELS)
    expect(page).not_to_have_url(re.compile(first))
    saved(page)
    assert len(street.boxes(first)) == before + 1
    page.keyboard.press("PageUp")
    expect(page).to_have_url(f"{url}/datasets/street/images/{first}?size=large")
    expect(objects(page)).to_have_count(before + 1)
    page.keyboard.press("Control+z")
    expect(objects(page)).to_have_count(before)
    page.go_back()
    page.go_back()
    expect(page).to_have_url(re.compile(first))
    page.keyboard.press("g")
    expect(page).to_have_url(f"{url}/datasets/street?size=large#{first}")


def says_of(street: Street, image: str) -> tuple[str, str, str]:
    """Origin, model and note of what stands of an image."""
    with street.site.catalog.database.connect() as connection:
        head = history(connection, "street", image)[0]
    return head.origin, head.model, head.note


def test_undo_leads_back_to_what_somebody_else_has_drawn_and_it_stays_theirs(
    street: Street, url: str, person: Callable[..., Page]
) -> None:
    image = street.images["13.jpg"]
    first = Change(image, '{"boxes":[[0,30.0,30.0,40.0,40.0]],"classes":[1]}')
    with writing(street.site.catalog.database, "street") as connection:
        append(connection, "street", [first], Author("m-1", "model", "m-1"))
    page = person()
    show(page, url, image)
    expect(page.locator("#origin")).to_have_text("The model's label: nobody has looked yet.")
    draw(page, (200, 100), (260, 160))
    saved(page)
    expect(page.locator("#origin")).to_have_text("Labelled by you.")
    page.keyboard.press("Control+z")
    saved(page)
    expect(page.locator("#origin")).to_have_text("The model's label: nobody has looked yet.")
    assert says_of(street, image) == ("model", "m-1", "undone to version 1")
    assert street.boxes(image) == [[0, 30, 30, 40, 40]]

    page.keyboard.press("Control+y")
    saved(page)
    assert says_of(street, image) == ("person", "", "")
    page.context.route("**/labels", lambda route: route.abort())
    page.keyboard.press("Control+z")
    expect(page.locator("#state")).to_contain_text("trying again")
    page.reload()
    ready(page)
    expect(objects(page)).to_have_count(1)
    page.context.unroute("**/labels")
    saved(page, 30)
    assert (street.label(image)[0], says_of(street, image)[0]) == (5, "model")


def test_an_undo_that_comes_too_late_is_chosen_or_not_and_stays_theirs_too(
    street: Street, url: str, person: Callable[..., Page]
) -> None:
    image = street.images["14.jpg"]
    street.say(image, {"boxes": [[0, 30.0, 30.0, 40.0, 40.0]], "classes": []}, "bob")
    version, _ = street.label(image)
    page = person()
    show(page, url, image)
    draw(page, (200, 100), (260, 160))
    saved(page)
    street.say(image, {"boxes": [[2, 5.0, 5.0, 20.0, 20.0]], "classes": []}, "cid")
    page.keyboard.press("Control+z")
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("cid has saved other labels")
    expect(dialog).to_contain_text("1 × car")
    dialog.get_by_role("button", name="Keep mine").click()
    saved(page)
    assert street.boxes(image) == [[0, 30, 30, 40, 40]]
    assert says_of(street, image)[2] == f"undone to version {version}"
