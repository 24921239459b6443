"""Training from the page in a real browser: started, followed to its end, cancelled, promoted."""

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from cv_pipelines.database.engine import open_database
from cv_pipelines.execution.run_progress import ProgressWriter
from cv_pipelines.models.registry import ledger as promotions_of
from cv_pipelines.tasks.ledger.claims import claim
from cv_pipelines.tasks.ledger.closing import close
from cv_pipelines.tasks.ledger.ledger import Ledger
from cv_pipelines.tasks.ledger.queries import find_task, list_tasks
from cv_pipelines.tasks.ledger.supervision import begin_or_resume
from cv_pipelines.tasks.problem import TaskError
from cv_pipelines.web.static_files import static
from cv_pipelines.web.tokens import Role, create_token
from tests.browsers import keep, opened
from tests.installation import Installation
from tests.web_site import Site, serve_web

MINUTES = 60_000
HISTORY = [
    {"loss": 1.2 / n + 0.05, "val_loss": 1.3 / n + 0.12, "accuracy": 1 - 0.6 / n, "val_accuracy": 0.94 - 0.6 / n}
    for n in range(1, 13)
]


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    with opened(browser, "status of 4") as page:
        yield page


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory, finished: Installation) -> Iterator[tuple[Installation, str]]:
    """A copy of `finished` with a daemon and the web application, and the address of that."""
    installation = Installation(tmp_path_factory.mktemp("stack"))
    shutil.copytree(finished.state, installation.state, dirs_exist_ok=True)
    with installation.dev(), serve_web(installation) as url:
        yield installation, url


def enter(page: Page, url: str, token: str, path: str) -> None:
    page.goto(f"{url}/login?next={path}")
    page.get_by_label("Token").fill(token)
    page.keyboard.press("Enter")
    expect(page.get_by_role("link", name="Train")).to_be_visible(timeout=MINUTES)


def newest(ledger: Ledger) -> str:
    return str(list_tasks(ledger, kind="train_model", limit=1).rows[0].id)


def test_a_training_is_started_followed_judged_and_promoted(
    stack: tuple[Installation, str], page: Page, browser: Browser, tmp_path: Path
) -> None:
    installation, url = stack
    database = open_database(f"sqlite:///{installation.state / 'cv.sqlite'}")
    tokens = {role: create_token(database, role.word, role, "test") for role in (Role.ANNOTATOR, Role.ADMIN)}
    before = promotions_of(database, "shapes")
    enter(page, url, tokens[Role.ANNOTATOR], "/datasets/shapes/train")
    expect(page.get_by_text("Nothing was trained from here yet")).to_be_visible()
    keep(page, "train-empty", tmp_path)

    page.get_by_label("Epochs").fill("8")
    page.get_by_label("Save the model as").fill("too-slow")
    page.get_by_text("Advanced").click()
    page.get_by_label("Learning rate").fill("0.00001")
    page.get_by_role("button", name="Start training").dblclick()
    state = page.locator("#training").get_by_role("status")
    expect(state).to_have_text("running", timeout=MINUTES)
    expect(page.get_by_role("list", name="Steps").get_by_text("train", exact=True)).to_be_visible(timeout=MINUTES)
    expect(page.get_by_role("img", name="Loss: ")).to_be_visible(timeout=MINUTES)
    expect(state).to_have_text("running")
    keep(page, "train-running", tmp_path)
    assert len(list_tasks(Ledger(database), kind="train_model").rows) == 1, "a double click is one training"

    other = browser.new_page()
    enter(other, url, tokens[Role.ADMIN], "/datasets/shapes/train")
    expect(other.locator("#training h2").first).to_contain_text("too-slow")
    expect(state).to_have_text("succeeded", timeout=2 * MINUTES)
    expect(page.get_by_text("The gate has kept it back.")).to_be_visible()
    expect(page.get_by_role("table", name="True classes in rows")).to_be_visible()
    expect(page.get_by_role("cell", name="succeeded")).to_be_visible()
    expect(page.get_by_role("button", name="Make it the champion")).to_have_count(0)
    keep(page, "train-done", tmp_path, whole=True)
    page.emulate_media(color_scheme="dark")
    keep(page, "train-done-dark", tmp_path, whole=True)

    expect(other.get_by_text("The gate has kept it back.")).to_be_visible(timeout=MINUTES)
    other.get_by_label("Promote it all the same").fill("the lab <b>wants</b> it")
    other.get_by_role("button", name="Make it the champion").click()
    expect(other.get_by_text("the champion", exact=True)).to_be_visible()
    keep(other, "train-promoted", tmp_path)
    other.close()
    entry = promotions_of(database, "shapes")[0]
    assert (entry.who, entry.why, entry.previous) == ("admin", "the lab <b>wants</b> it", before[0].model)
    (model,) = [one for one in installation.json("model", "list") if one["name"] == "too-slow"]
    assert (model["version"], model["alias"]) == (entry.model, "champion")
    assert installation.json("model", "show", "shapes/too-slow")["version"] == entry.model
    database.dispose()


def test_a_training_that_fails_shows_the_end_of_its_log(
    stack: tuple[Installation, str], page: Page, tmp_path: Path
) -> None:
    installation, url = stack
    database = open_database(f"sqlite:///{installation.state / 'cv.sqlite'}")
    enter(page, url, create_token(database, "second", Role.ANNOTATOR, "test"), "/datasets/shapes/train")
    page.get_by_label("Architecture").select_option("InceptionV3")
    page.get_by_label("Image size").fill("32")
    page.get_by_role("button", name="Start training").click()

    expect(page.get_by_role("alert")).to_contain_text(
        "InceptionV3 cannot take images of 32 x 32", timeout=2 * MINUTES
    )
    expect(page.get_by_label("Log", exact=True)).to_contain_text("trained_model: Execution of step")
    keep(page, "train-log", tmp_path, whole=True)
    database.dispose()


def test_axes_of_a_curve_have_round_numbers_that_hold_all_values(site: Site, url: str, page: Page) -> None:
    enter(page, url, site.tokens["viewer"], "/datasets/shapes/train")
    ends: list[list[float]] = [[0, 1], [0.31, 0.94], [0, 0], [1, 1], [-3, 1e9], [0, 1e-7]]
    code = f"async (ends) => {{ const {{ ticks }} = await import('{static('train/curve.js')}');"
    axes = page.evaluate(f"{code} return ends.map(([least, most]) => ticks(least, most)); }}", ends)

    assert axes[0] == pytest.approx([0, 0.5, 1]) or axes[0] == pytest.approx([0, 0.2, 0.4, 0.6, 0.8, 1])
    for (least, most), marks in zip(ends, axes, strict=True):
        assert 2 <= len(marks) <= 8
        assert marks == sorted(marks)
        assert marks[0] <= least + 1e-12
        assert marks[-1] >= most * (1 - 1e-9)


def test_progress_is_seen_within_two_seconds_and_a_failure_with_its_reason(
    site: Site, url: str, page: Page, tmp_path: Path
) -> None:
    ledger = Ledger(site.catalog.database)
    enter(page, url, site.tokens["annotator"], "/datasets/shapes/train")
    page.get_by_label("Architecture").select_option("MobileNetV2")
    page.get_by_role("button", name="Start training").click()
    expect(page.get_by_text("Place 1 in the queue. It waits to be picked up.")).to_be_visible()
    keep(page, "train-queued", tmp_path)
    assert claim(ledger) == 1
    attempt = int(find_task(ledger, newest(ledger)).attempt)
    tell = ProgressWriter(ledger.database, "run-1", "trained_model", attempt, pytest.fail)
    assert begin_or_resume(ledger, attempt, "run-1") is not None
    expect(page.locator("#training").get_by_role("status")).to_have_text("running", timeout=2000)
    for epoch in (1, 12):
        tell._next = tell._next_curve = 0.0
        tell("training epochs", epoch, 30)
        tell.epochs(HISTORY[:epoch])
        expect(page.get_by_text(f"training epochs {epoch} of 30")).to_be_visible(timeout=2000)
        expect(page.get_by_role("img", name=f"in validation after epoch {epoch}").first).to_be_visible(
            timeout=2000
        )
    page.get_by_text("Figures of the epochs").click()
    expect(page.get_by_role("row", name=re.compile("^12 "))).to_be_visible()
    keep(page, "train-curve", tmp_path)

    why = TaskError(source="input", code="image_size", message="MobileNetV2 needs larger images.")
    close(ledger, attempt, why)
    expect(page.get_by_role("alert")).to_have_text(why.message, timeout=MINUTES)  # Dagster is loaded for its log
    page.reload()
    expect(page.get_by_role("img", name="after epoch 12").first).to_be_visible()
    keep(page, "train-failed", tmp_path)


def test_cancelling_asks_first(site: Site, url: str, page: Page, tmp_path: Path) -> None:
    enter(page, url, site.tokens["annotator"], "/datasets/shapes/train")
    page.get_by_role("button", name="Start training").click()
    cancel = page.get_by_role("button", name="Cancel …")
    cancel.click()
    question = page.get_by_role("dialog", name="Cancel this training?")
    expect(question).to_be_visible()
    keep(page, "train-cancel", tmp_path)
    question.get_by_role("button", name="Let it go on").click()
    expect(question).to_be_hidden()
    cancel.click()
    question.get_by_role("button", name="Cancel the training").click()

    expect(page.locator("#training").get_by_role("status")).to_have_text("cancelled")
    expect(cancel).to_have_count(0)


def test_a_name_that_is_taken_is_told_and_the_rest_stays(site: Site, url: str, page: Page, tmp_path: Path) -> None:
    enter(page, url, site.tokens["annotator"], "/datasets/shapes/train")
    for _ in range(2):
        page.get_by_label("Epochs").fill("7")
        page.get_by_label("Save the model as").fill("twice")
        page.get_by_role("button", name="Start training").click()

    expect(page.get_by_role("alert")).to_contain_text("take another name")
    expect(page.get_by_label("Epochs")).to_have_value("7")
    keep(page, "train-name-taken", tmp_path)


def test_who_comes_back_to_the_page_often_asks_no_oftener_and_is_not_interrupted(
    site: Site, url: str, page: Page
) -> None:
    enter(page, url, site.tokens["annotator"], "/datasets/shapes/train")
    page.get_by_role("button", name="Start training").click()
    state = page.locator("#training").get_by_role("status")
    expect(state).to_have_text("queued")
    held: list[Route] = []
    with page.expect_request("**/trainings/*"):
        page.route("**/trainings/*", lambda route: held.append(route))
    for _ in range(3):
        page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    expect(state).to_have_text("queued")
    assert len(held) == 1, "one request at a time"

    page.get_by_role("button", name="Cancel …").click()
    with page.expect_response(re.compile(r"/train\?training=")):  # the part of the page, as it is now
        held[0].fulfill(json={**held[0].fetch().json(), "error": "It is tried again."})
    page.unroute("**/trainings/*")
    expect(page.get_by_role("dialog")).to_be_visible()
