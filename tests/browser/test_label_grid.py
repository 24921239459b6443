"""The label page in a real browser: labels by keys that survive reloads, quarrels and a server that dies."""

import os
import signal
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from cv_pipelines.annotations.store.classes import add_class
from cv_pipelines.annotations.store.events import history, writing
from cv_pipelines.annotations.store.shown import count_since
from cv_pipelines.database.engine import reading
from cv_pipelines.database.label_tables import label_events
from cv_pipelines.images.datasets import add_dataset, find_dataset
from cv_pipelines.images.ingest import ingest
from cv_pipelines.images.sources.folder import FolderSource
from cv_pipelines.images.versions import MANIFEST
from cv_pipelines.models.prediction import PREDICTIONS
from cv_pipelines.storage.bundles import put_bundle, put_table
from cv_pipelines.web.tokens import Role, create_token
from tests.browsers import enter, keep, opened
from tests.installation import free_port
from tests.web_site import EVIL, Site

CLASSES = ["cat", "dog", "horse", "cow", "sheep", "goat", "hen", "duck", "goose", "bee", "wasp", EVIL]


@dataclass(frozen=True)
class Field:
    """A data set without labels, and who may label it."""

    site: Site
    name: str
    ids: list[str]
    tokens: dict[str, str]

    def events(self, image_id: str) -> list[tuple[int, str, str | None]]:
        """Versions, authors and contents of an image, the oldest first."""
        with reading(self.site.catalog.database) as connection:
            rows = history(connection, self.name, image_id)
            return [(row.version, row.who, row.content) for row in reversed(rows)]

    @property
    def labelled(self) -> int:
        with reading(self.site.catalog.database) as connection:
            return count_since(connection, {self.name: 0}).get(self.name, (0, 0))[1]

    @property
    def count(self) -> int:
        """Of all events."""
        with reading(self.site.catalog.database) as connection:
            return len(connection.execute(label_events.select().where(label_events.c.dataset == self.name)).all())

    def predict(self) -> None:
        """Publish what a model sees: cats, of which it is the surer the further on they are."""
        sure = np.linspace(0.5, 1, 230)
        columns = {
            "image_id": self.ids,
            "predicted": ["cat"] * 230,
            "probability": sure,
            "second_probability": 1 - sure,
        }
        rest = {"entropy": np.linspace(0.7, 0, 230), "model_version": ["m1"] * 230, "data_version": ["d1"] * 230}
        table = pa.table({**columns, **rest}).cast(PREDICTIONS)
        store = self.site.catalog.store
        parts = {"predictions": put_table(store, table)}
        bundle = put_bundle(store, "predictions", "1", {"model": "m1", "images": 230}, parts)
        self.site.catalog.publish("predictions", self.name, bundle, "run")


@pytest.fixture(scope="module")
def people(site: Site) -> dict[str, str]:
    roles = {"ann": Role.ANNOTATOR, "bob": Role.ANNOTATOR, "vera": Role.VIEWER}
    return {name: create_token(site.catalog.database, name, role, "test") for name, role in roles.items()}


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory, write_image: Callable[..., Path]) -> Path:
    folder = tmp_path_factory.mktemp("plain")
    for number in range(230):
        write_image(folder / f"{number:03}.png", seed=number + 1000, width=48, height=36)
    return folder


@pytest.fixture
def field(site: Site, people: dict[str, str], pictures: Path, request: pytest.FixtureRequest) -> Field:
    """A fresh data set for each test."""
    name, catalog = request.node.name.removeprefix("test_")[:40].strip("_").replace("_", "-"), site.catalog
    add_dataset(catalog.database, name, str(pictures))
    outcome = ingest(catalog, FolderSource(Path(find_dataset(catalog.database, name).source)), 1)
    catalog.publish(MANIFEST, name, outcome.reference, "run")
    with writing(catalog.database, name) as connection:
        for one in CLASSES:
            add_class(connection, name, one, "test")
    ids: list[str] = outcome.bundle.table("images", ["image_id"])["image_id"].to_pylist()
    return Field(site, name, ids, people)


@pytest.fixture
def ann(browser: Browser, url: str, field: Field) -> Iterator[Page]:
    with opened(browser) as page:
        go(page, url, field, "ann")
        yield page


def go(page: Page, url: str, field: Field, who: str) -> None:
    enter(page, url, field.tokens[who])
    page.goto(f"{url}/datasets/{field.name}")
    expect(tiles(page)).to_have_count(200)


def tiles(page: Page) -> Locator:
    return page.get_by_role("listbox", name="Images").get_by_role("option")


def current(page: Page) -> Locator:
    return page.locator(".tile.current")


def saved(page: Page) -> None:
    expect(page.locator("#state")).to_have_attribute("data-waiting", "0")
    expect(page.locator("#state")).to_have_text("all saved")
    expect(page.locator(".tile.unsaved")).to_have_count(0)


def test_fifty_images_are_labelled_with_keys_and_are_there_after_a_reload(
    field: Field, ann: Page, tmp_path: Path
) -> None:
    for number in range(50):
        ann.keyboard.press(str(number % 9 + 1))
    saved(ann)
    expect(current(ann)).to_have_attribute("data-id", field.ids[50])
    expect(current(ann)).to_be_focused()
    keep(ann, "grid-labelled", tmp_path)

    wanted = [[(1, "ann", f'{{"classes":[{number % 9}]}}')] for number in range(50)]
    assert [field.events(one) for one in field.ids[:50]] == wanted
    assert (field.count, field.labelled) == (50, 50)
    ann.reload()
    expect(ann.locator(".done")).to_contain_text("50 of 230 labelled")
    expect(tiles(ann).nth(49)).to_have_attribute("aria-label", f"{name_of(ann, 49)}, sheep")
    expect(tiles(ann).nth(50)).to_have_attribute("aria-label", f"{name_of(ann, 50)}, unlabelled")
    expect(current(ann)).to_have_attribute("data-id", field.ids[50])


def name_of(page: Page, at: int) -> str:
    return tiles(page).nth(at).get_attribute("data-name") or ""


def test_many_steps_are_undone_over_a_reload_too(field: Field, ann: Page) -> None:
    for key in "123":
        ann.keyboard.press(key)
    ann.keyboard.press("ArrowLeft")
    ann.keyboard.press("5")  # the third image anew
    saved(ann)
    ann.reload()
    ann.keyboard.press("u")
    saved(ann)
    expect(tiles(ann).nth(2)).to_have_attribute("aria-label", f"{name_of(ann, 2)}, horse")
    for _ in range(3):
        ann.keyboard.press("u")
    saved(ann)

    expect(ann.locator(".done")).to_contain_text("0 of 230 labelled")
    assert field.labelled == 0
    assert [content for _, _, content in field.events(field.ids[2])][-1] is None
    expect(ann.get_by_role("button", name="Undo")).to_be_disabled()
    ann.keyboard.press("u")
    saved(ann)
    assert field.count == 8


def test_a_press_and_its_undo_before_the_server_answers_end_as_undone(field: Field, ann: Page) -> None:
    for key in ("1", "u", "2", "u", "3"):
        ann.keyboard.press(key)
    saved(ann)
    ann.keyboard.press("u")
    ann.keyboard.press("u")
    saved(ann)

    assert field.labelled == 0
    expect(tiles(ann).first).to_have_attribute("aria-label", f"{name_of(ann, 0)}, unlabelled")


def test_many_are_chosen_labelled_and_unlabelled_with_a_question(field: Field, ann: Page, tmp_path: Path) -> None:
    tiles(ann).nth(1).click()
    tiles(ann).nth(8).click(modifiers=["Shift"])
    tiles(ann).nth(3).click(modifiers=["ControlOrMeta"])
    tiles(ann).nth(11).click(modifiers=["ControlOrMeta"])
    expect(ann.locator('.tile[aria-selected="true"]')).to_have_count(8)
    expect(ann.locator("#chosen")).to_have_text("8 chosen")
    keep(ann, "grid-chosen", tmp_path)
    ann.keyboard.press("0")
    saved(ann)
    assert field.labelled == 8
    assert {field.events(one)[-1][2] for one in field.ids[:12] if field.events(one)} == {'{"classes":[9]}'}
    expect(current(ann)).to_have_attribute("data-id", field.ids[12])

    ann.keyboard.press("ControlOrMeta+a")
    ann.keyboard.press("Delete")
    question = ann.get_by_role("dialog", name="Take labels away?")
    expect(question).to_contain_text("The labels of 8 images will be away.")
    keep(ann, "grid-question", tmp_path)
    ann.keyboard.press("Escape")
    saved(ann)
    assert field.labelled == 8
    ann.keyboard.press("Delete")
    question.get_by_role("button", name="Un-label 8").click()
    expect(ann.locator(".done")).to_contain_text("0 of 230 labelled")
    saved(ann)
    assert field.labelled == 0
    ann.keyboard.press("u")
    saved(ann)
    assert field.labelled == 8


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
    ann.reload()
    expect(ann.locator(".grid")).to_have_attribute("data-side", "256")
    expect(tiles(ann).first.locator("img")).to_have_js_property("naturalWidth", 240)  # five times its own
    keep(ann, "grid-large", tmp_path)


def test_more_classes_than_keys_are_found_by_name(field: Field, ann: Page, tmp_path: Path) -> None:
    ann.keyboard.press("c")
    ann.keyboard.type("as")
    expect(ann.get_by_role("listbox", name="Classes").get_by_role("option")).to_have_count(1)
    keep(ann, "grid-palette", tmp_path)
    ann.keyboard.press("Enter")
    saved(ann)
    expect(tiles(ann).first.locator(".label")).to_have_text("wasp")
    ann.keyboard.press("c")
    ann.keyboard.type("script")
    ann.keyboard.press("Enter")
    expect(tiles(ann).nth(1).locator(".label .text")).to_have_text(EVIL)
    for key in ("Shift+1", "Shift+2"):
        ann.keyboard.press(key)
    saved(ann)
    assert field.events(field.ids[2])[-1][2] == '{"classes":[0,1]}'


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


def test_suggestions_are_shown_as_such_and_accepted(field: Field, ann: Page, tmp_path: Path) -> None:
    field.predict()
    ann.reload()
    last = tiles(ann).nth(199)
    expect(last.locator(".label")).to_have_text("cat?93 %")
    expect(last).to_have_attribute("aria-label", f"{name_of(ann, 199)}, the model suggests cat")
    ann.keyboard.press("a")
    ann.keyboard.press("2")
    saved(ann)
    keep(ann, "grid-suggestions", tmp_path)
    assert [field.events(one) for one in field.ids[:2]] == [[(1, "ann", f'{{"classes":[{n}]}}')] for n in (0, 1)]

    ann.get_by_role("button", name="Accept suggestions…").click()
    dialog = ann.get_by_role("dialog", name="Accept suggestions")
    expect(dialog.get_by_role("button", name="Accept 23")).to_be_enabled()
    dialog.get_by_role("slider").fill("75")
    expect(dialog).to_contain_text("115 images without a label")
    keep(ann, "grid-accept", tmp_path)
    dialog.get_by_role("button", name="Accept 115").click()
    expect(ann.locator(".done")).to_contain_text("117 of 230 labelled")
    expect(last.locator(".label.model")).to_have_text("cat")
    assert field.labelled == 117
    last.click()
    ann.keyboard.press("a")  # what the model has said becomes one's own
    saved(ann)
    assert [who for _, who, _ in field.events(field.ids[199])] == ["ann", "ann"]


def test_classes_are_added_renamed_recoloured_and_retired_with_a_question(
    field: Field, browser: Browser, url: str, tmp_path: Path
) -> None:
    with opened(browser, "status of 422") as page:
        go(page, url, field, "ann")
        change_classes(page, tmp_path)


def change_classes(ann: Page, tmp_path: Path) -> None:
    ann.keyboard.press("1")
    saved(ann)
    ann.get_by_role("button", name="Edit classes…").click()
    dialog = ann.get_by_role("dialog", name="Classes of")
    dialog.get_by_label("Name of a new class").fill("<b>ox</b>")
    ann.keyboard.press("Enter")
    expect(ann.locator("#class-list")).to_contain_text("<b>ox</b>")
    expect(ann.get_by_text("There are no classes yet.")).to_be_hidden()
    dialog.get_by_label("Name of cat", exact=True).fill("tomcat")
    ann.keyboard.press("Enter")
    expect(tiles(ann).first.locator(".label")).to_have_text("tomcat")
    dialog.get_by_label("Name of dog", exact=True).fill("horse")
    ann.keyboard.press("Enter")
    expect(dialog.get_by_role("alert")).to_contain_text("already")
    dialog.get_by_label("Colour of tomcat").fill("#00ff00")
    expect(tiles(ann).first.locator("circle")).to_have_attribute("fill", "#00ff00")
    keep(ann, "grid-classes", tmp_path)
    dialog.get_by_role("button", name="Retire tomcat").click()
    question = ann.get_by_role("dialog", name="Retire 'tomcat'?")
    expect(question).to_contain_text("1 image bears it.")
    keep(ann, "grid-retire", tmp_path)
    question.get_by_role("button", name="Retire").click()
    expect(ann.locator("#class-list")).not_to_contain_text("tomcat")
    dialog.get_by_role("button", name="Done").click()
    expect(tiles(ann).first.locator(".label")).to_have_text("unlabelled")
    ann.keyboard.press("1")
    saved(ann)
    expect(tiles(ann).nth(1).locator(".label")).to_have_text("dog")


def test_the_labels_of_a_queue_are_taken_away_with_a_question(field: Field, ann: Page) -> None:
    ann.keyboard.press("ControlOrMeta+a")
    ann.keyboard.press("1")
    expect(tiles(ann)).to_have_count(30)
    ann.keyboard.press("2")
    saved(ann)
    assert field.labelled == 201
    ann.get_by_label("Class", exact=True).select_option(label="cat")
    expect(ann.get_by_text("1 – 200 of 200").first).to_be_visible()
    ann.get_by_role("button", name="Un-label this queue…").click()
    question = ann.get_by_role("dialog", name="Take all labels of this queue away?")
    question.get_by_role("button", name="Un-label 200").click()
    expect(ann.get_by_text("No image of this queue is like that.")).to_be_visible()
    assert field.labelled == 1
