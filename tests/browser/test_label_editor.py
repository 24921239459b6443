"""Labels drawn in a real browser: they are where they were drawn, and none is lost."""

import json
import os
import re
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, Page, Route, expect

from cv_pipelines.annotations.store.classes import add_class
from cv_pipelines.annotations.store.events import writing
from cv_pipelines.images.datasets import add_dataset
from cv_pipelines.images.ingest import ingest
from cv_pipelines.images.sources.sampling import Sampling
from cv_pipelines.images.sources.video import VideoSource
from cv_pipelines.images.versions import MANIFEST
from tests.browsers import enter, keep, opened
from tests.installation import COMMAND, free_port
from tests.label_street import Street
from tests.web_site import EVIL, Site

NAME = EVIL.replace("/", "")
RINGS = [[[20.5, 20.25], [120.5, 20], [120, 110], [20, 110]], [[50, 50], [80, 50], [80, 80]]]
HOLED = [2, 20.0, 20.0, 100.5, 90.0, {"outline": RINGS, "attributes": {"iscrowd": 0, "note": "<b>"}}]
LABELS = re.compile(r"/labels$")


@pytest.fixture
def person(browser: Browser, site: Site, url: str) -> Iterator[Callable[..., Page]]:
    """`person(role)`: a page of a browser of their own; what a script says is a failure."""
    with ExitStack() as stack:

        def come(role: str = "annotator", address: str = url, *allowed: str) -> Page:
            page = stack.enter_context(opened(browser, "Failed to load resource", *allowed))
            enter(page, address, site.tokens[role])
            return page

        yield come


def show(page: Page, url: str, image: str, dataset: str = "street", query: str = "") -> None:
    page.goto(f"{url}/datasets/{dataset}/images/{image}{query}")
    ready(page)


def ready(page: Page) -> None:
    expect(page.locator("#name")).not_to_have_text("…")
    expect(page.locator("#picture")).to_have_js_property("complete", True)
    expect(page.locator("#state")).not_to_be_empty()


def on_screen(page: Page, x: float, y: float) -> tuple[float, float]:
    """Where a pixel of the image is on the screen, by where the browser shows the picture."""
    box = page.locator("#picture").bounding_box()
    assert box
    width, height = page.locator("#picture").evaluate("one => [one.offsetWidth, one.offsetHeight]")
    return box["x"] + x * box["width"] / width, box["y"] + y * box["height"] / height


def pixel_under(page: Page, x: float, y: float) -> tuple[float, float]:
    """Which pixel of the image is at a place of the screen."""
    (left, top), (right, bottom) = on_screen(page, 0, 0), on_screen(page, 400, 300)
    return (x - left) / (right - left) * 400, (y - top) / (bottom - top) * 300


def drag(page: Page, start: tuple[float, float], end: tuple[float, float]) -> None:
    """From one pixel of the image to another."""
    page.mouse.move(*on_screen(page, *start))
    page.mouse.down()
    page.mouse.move(*on_screen(page, (start[0] + end[0]) / 2, (start[1] + end[1]) / 2))
    page.mouse.move(*on_screen(page, *end))
    page.mouse.up()


def draw(page: Page, start: tuple[float, float], end: tuple[float, float]) -> None:
    page.keyboard.press("b")
    drag(page, start, end)


def click(page: Page, x: float, y: float, **options: Any) -> None:
    page.mouse.click(*on_screen(page, x, y), **options)


def saved(page: Page, seconds: float = 5) -> None:
    expect(page.locator("#state")).to_have_text("Saved", timeout=seconds * 1000)


def objects(page: Page) -> Any:
    return page.get_by_role("listbox", name="Objects").get_by_role("option")


def exported(site: Site, folder: Path, name: str) -> list[dict[str, Any]]:
    """What `cv-pipelines labels export` says of the objects of an image, as COCO."""
    target = folder / "street.json"
    site.installation.run("labels", "export", "street", str(target), "--format", "coco", "--skip-bad")
    coco = json.loads(target.read_text())
    image = next(one["id"] for one in coco["images"] if one["file_name"] == name)
    classes = {one["id"]: one["name"] for one in coco["categories"]}
    of_image = (one for one in coco["annotations"] if one["image_id"] == image)
    return [{**one, "class": classes[one["category_id"]]} for one in of_image]


def test_a_box_is_in_an_export_where_it_was_drawn(
    street: Street, url: str, person: Callable[..., Page], tmp_path: Path
) -> None:
    page = person()
    show(page, url, street.images["00.jpg"])
    keep(page, "editor-empty", tmp_path)
    page.keyboard.press("2")
    draw(page, (40, 50), (160.5, 140))
    expect(objects(page)).to_have_count(1)
    keep(page, "editor-box", tmp_path)
    saved(page)
    [box] = exported(street.site, tmp_path, "00.jpg")

    assert box["class"] == "person"
    assert box["bbox"] == pytest.approx([40, 50, 120.5, 90], abs=0.5)


def test_a_photo_taken_on_its_side_is_upright_and_so_are_its_boxes(
    street: Street, url: str, person: Callable[..., Page], tmp_path: Path
) -> None:
    page = person()
    show(page, url, street.images["turned.jpg"])
    expect(page.locator("#picture")).to_have_js_property("naturalWidth", 400)
    draw(page, (300, 20), (390, 60))
    saved(page)
    [box] = exported(street.site, tmp_path, "turned.jpg")

    assert box["bbox"] == pytest.approx([300, 20, 90, 40], abs=0.5)


def test_boxes_are_moved_resized_classed_deleted_and_each_step_is_undone(
    street: Street, url: str, person: Callable[..., Page], tmp_path: Path
) -> None:
    image = street.images["01.jpg"]
    page = person()
    show(page, url, image)
    page.keyboard.press("1")
    draw(page, (50, 50), (150, 150))
    page.keyboard.press("v")
    drag(page, (100, 100), (140, 80))
    drag(page, (190, 130), (230, 160))
    page.keyboard.press("3")
    saved(page)
    keep(page, "editor-selected", tmp_path)
    assert street.boxes(image) == [[2, *(pytest.approx(one, abs=1) for one in (90, 30, 140, 130))]]

    page.keyboard.press("ArrowRight")
    page.keyboard.press("Shift+ArrowDown")
    page.keyboard.press("Control+d")
    expect(objects(page)).to_have_count(2)
    page.keyboard.press("Delete")
    expect(objects(page)).to_have_count(1)
    saved(page)
    assert street.boxes(image) == [[2, *(pytest.approx(one, abs=1) for one in (91, 40, 140, 130))]]

    drag(page, (150, 100), (900, 900))  # not out of the image
    saved(page)
    assert street.boxes(image)[0][1:3] == pytest.approx([260, 170], abs=0.1)

    for _ in range(10):
        page.keyboard.press("Control+z")
    expect(objects(page)).to_have_count(0)
    saved(page)
    assert street.label(image)[1] is None
    page.keyboard.press("Control+y")
    saved(page)
    assert street.boxes(image) == [[0, *(pytest.approx(one, abs=1) for one in (50, 50, 100, 100))]]


def test_polygons_are_drawn_point_by_point_and_their_points_changed(
    street: Street, url: str, person: Callable[..., Page], tmp_path: Path
) -> None:
    image = street.images["02.jpg"]
    page = person()
    show(page, url, image)
    page.keyboard.press("p")
    for x, y in ((50, 50), (150, 50), (170, 170), (150, 150)):
        click(page, x, y)
    keep(page, "editor-polygon-drawing", tmp_path)
    page.keyboard.press("Backspace")
    click(page, 50, 150)
    page.keyboard.press("Enter")
    page.keyboard.press("v")
    drag(page, (50, 150), (30, 150))
    drag(page, (100, 50), (100, 20))
    saved(page)
    keep(page, "editor-polygon", tmp_path)
    [shape] = exported(street.site, tmp_path, "02.jpg")

    wanted = [50, 50, 100, 20, 150, 50, 170, 170, 30, 150]
    assert shape["segmentation"][0] == pytest.approx(wanted, abs=0.6)
    page.keyboard.down("Alt")
    click(page, 100, 20)
    page.keyboard.up("Alt")
    saved(page)
    assert len((street.label(image)[1] or {})["boxes"][0][5]["outline"][0]) == 4


def test_outlines_with_holes_and_attributes_stay_exactly_as_they_came(
    street: Street, url: str, person: Callable[..., Page], tmp_path: Path
) -> None:
    image = street.images["03.jpg"]
    street.say(image, {"classes": [1], "boxes": [HOLED], "attributes": {"split": "val"}})
    page = person()
    show(page, url, image)
    click(page, 65, 55)  # in the hole is nothing
    expect(page.locator(".objects [aria-selected=true]")).to_have_count(0)
    draw(page, (200, 200), (250, 240))
    saved(page)
    keep(page, "editor-hole", tmp_path)
    label = street.label(image)[1] or {}

    assert label["boxes"][0] == HOLED
    assert (label["classes"], label["attributes"], len(label["boxes"])) == ([1], {"split": "val"}, 2)


def test_zoomed_in_what_is_drawn_is_exact_to_a_fraction_of_a_pixel(
    street: Street, url: str, person: Callable[..., Page], tmp_path: Path
) -> None:
    image = street.images["04.jpg"]
    page = person()
    show(page, url, image)
    under = (840, 270)  # browsers tell whole pixels of the screen
    page.mouse.move(*under)
    before = pixel_under(page, *under)
    for _ in range(9):
        page.mouse.wheel(0, -200)
    expect(page.locator("#percent")).to_have_text("3239 %")
    assert pixel_under(page, *under) == pytest.approx(before, abs=0.02)
    page.keyboard.down(" ")
    page.mouse.down()
    page.mouse.move(under[0] + 60, under[1] - 45)
    page.mouse.up()
    page.keyboard.up(" ")
    draw(page, (330.25, 75.5), (337.75, 81.5))
    saved(page)
    keep(page, "editor-zoomed", tmp_path)

    assert street.boxes(image)[0][1:] == pytest.approx([330.25, 75.5, 7.5, 6], abs=0.06)


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


def test_a_double_click_in_the_grid_leads_to_it_and_g_back(
    street: Street, url: str, person: Callable[..., Page]
) -> None:
    image = street.images["13.jpg"]
    page = person()
    page.goto(f"{url}/datasets/street?sort=name")
    page.get_by_role("img", name="13.jpg").dblclick()
    expect(page).to_have_url(f"{url}/datasets/street/images/{image}?sort=name")
    ready(page)
    expect(page.get_by_role("link", name="Next image")).to_have_attribute(
        "href", f"/datasets/street/images/{street.images['14.jpg']}?sort=name"
    )
    page.keyboard.press("g")
    expect(page.get_by_role("img", name="13.jpg")).to_be_visible()


def test_all_is_done_with_keys_alone(
    street: Street, url: str, person: Callable[..., Page], tmp_path: Path
) -> None:
    image = street.images["10.jpg"]
    page = person()
    show(page, url, image)
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_contain_text("take back the last point")
    keep(page, "editor-keys", tmp_path)
    page.keyboard.press("Escape")
    for key in (
        "b",
        "3",
        "Enter",
        "Shift+ArrowLeft",
        "Control+Shift+ArrowRight",
        "Escape",
        "Escape",
        "Shift+Digit2",
    ):
        page.keyboard.press(key)
    expect(page.get_by_role("button", name="person").first).to_have_attribute("aria-pressed", "true")
    page.keyboard.press("j")
    page.keyboard.press("c")
    page.get_by_role("combobox", name="Part of the name").fill("ca")
    keep(page, "editor-chooser", tmp_path)
    page.keyboard.press("Enter")
    saved(page)
    label = street.label(image)[1] or {}

    assert label["classes"] == [1]
    [(number, left, top, width, height)] = label["boxes"]
    assert (number, width - height) == (0, pytest.approx(10, abs=0.1))
    assert (left + width / 2, top + height / 2) == pytest.approx((195, 150), abs=1)
    page.keyboard.press("Delete")
    page.keyboard.press("Shift+Digit2")
    saved(page)
    assert street.label(image)[1] == {}


def test_a_suggestion_of_the_model_is_shown_as_one_and_accepted(
    street: Street, url: str, person: Callable[..., Page], tmp_path: Path
) -> None:
    image = street.images["11.jpg"]
    page = person()

    def suggest(route: Route) -> None:
        answer = route.fetch()
        route.fulfill(response=answer, json={**answer.json(), "suggestion": {"class": 2, "probability": 0.934}})

    page.route(re.compile(f"{image}/label"), suggest)
    show(page, url, image)
    expect(page.locator("#suggestion")).to_contain_text("The model suggests sign 93\u00a0%")
    keep(page, "editor-suggestion", tmp_path)
    page.keyboard.press("a")
    saved(page)
    expect(page.locator("#suggestion")).to_be_hidden()

    assert street.label(image)[1] == {"classes": [2]}


def test_who_may_only_look_changes_nothing(street: Street, url: str, person: Callable[..., Page]) -> None:
    image = street.images["12.jpg"]
    street.say(image, {"boxes": [[0, 50, 50, 100, 100]]})
    page = person("viewer")
    show(page, url, image)
    expect(page.locator("#state")).to_have_text("You may look, but not label")
    draw(page, (200, 200), (300, 280))
    page.keyboard.press("v")
    drag(page, (100, 100), (140, 80))
    page.keyboard.press("Delete")
    page.keyboard.press("Shift+Digit1")

    expect(objects(page)).to_have_count(1)
    assert street.label(image)[0] == 1


def test_names_that_are_html_are_text(site: Site, url: str, person: Callable[..., Page], tmp_path: Path) -> None:
    [image] = site.catalog.open(site.catalog.require(MANIFEST, "odd")).table("images", ["image_id"])[0].to_pylist()
    page = person()
    show(page, url, image, "odd")
    draw(page, (5, 5), (60, 60))
    saved(page)
    page.keyboard.press("c")
    keep(page, "editor-odd", tmp_path)

    expect(objects(page)).to_contain_text(NAME)
    expect(page.locator(".tags")).to_contain_text(NAME)
    expect(page.locator("#found")).to_contain_text(NAME)
    expect(page.locator("#name")).to_contain_text("script")


def test_brightness_and_contrast_are_kept_for_the_data_set(
    street: Street, url: str, person: Callable[..., Page], tmp_path: Path
) -> None:
    page = person()
    show(page, url, street.images["13.jpg"])
    page.get_by_role("button", name="Look", exact=True).click()
    page.get_by_label("Brightness").fill("1.5")
    page.get_by_label("Logarithmic scale").check()
    keep(page, "editor-look", tmp_path)
    show(page, url, street.images["14.jpg"])
    picture = page.locator("#picture")
    expect(picture).to_have_css("filter", 'url("#log") brightness(1.5)')
    page.get_by_role("button", name="Look", exact=True).click()
    page.get_by_role("button", name="As it is").click()
    expect(picture).to_have_css("filter", "none")


def test_frames_of_a_video_tell_their_exact_times_and_follow_each_other(
    site: Site, url: str, person: Callable[..., Page], make_video: Callable[..., Path], tmp_path: Path
) -> None:
    video = make_video(tmp_path / "drive.mp4", frames=8, rate=25)
    add_dataset(site.catalog.database, "drive", str(video))
    outcome = ingest(site.catalog, VideoSource(video, Sampling(every=1)), 1)
    site.catalog.publish(MANIFEST, "drive", outcome.reference, "run")
    table = outcome.bundle.table("images", ["image_id", "sources"])
    order = sorted(
        zip((held[0] for held in table["sources"].to_pylist()), table["image_id"].to_pylist(), strict=True)
    )
    page = person()
    show(page, url, order[2][1], "drive")
    expect(page.locator("#time")).to_have_text("0:00.080")
    expect(page.locator("#time")).to_have_attribute("title", "drive.mp4, exactly 2/25 s")
    keep(page, "editor-frame", tmp_path)
    page.keyboard.press(".")
    expect(page.locator("#time")).to_have_text("0:00.120")
    expect(page).to_have_url(re.compile(order[3][1]))
    page.get_by_role("link", name="Earlier frame").click()
    page.keyboard.press(",")
    expect(page.locator("#time")).to_have_text("0:00.040")
    with httpx.Client(base_url=url, headers=site.bearer("viewer")) as client:
        first = client.get(f"/datasets/drive/images/{order[0][1]}/frame").json()
    assert (first["previous"], first["next"]) == (None, order[1][1])


def test_it_is_good_to_look_at_in_the_dark_and_with_many_objects(
    street: Street, url: str, person: Callable[..., Page], tmp_path: Path
) -> None:
    image = street.images["15.jpg"]
    with writing(street.site.catalog.database, "street") as connection:
        for number in range(20):
            add_class(connection, "street", f"a class with a long name {number}", "test")
    boxes = [[at % 20, 5 + 18.5 * (at % 20), 5 + 24 * (at // 20), 15, 19] for at in range(200)]
    street.say(image, {"classes": [1, 2], "boxes": [HOLED, *boxes]})
    page = person()
    page.emulate_media(color_scheme="dark")
    show(page, url, image)
    expect(objects(page)).to_have_count(201)
    page.get_by_role("listbox", name="Objects").focus()
    for _ in range(3):
        page.keyboard.press("ArrowDown")
    keep(page, "editor-dark", tmp_path)
    expect(objects(page).nth(2)).to_have_attribute("aria-selected", "true")
    page.keyboard.press("l")
    page.keyboard.press("k")
    page.keyboard.press("k")
    keep(page, "editor-dark-outline", tmp_path)
