"""How quick the label page is in a browser: 60,000 images, 200 a page; times as shares of what is promised.

The machine's own Chromium against a server of one process, as `cv-pipelines web` starts it. Every round begins
with a browser that has no picture yet; the server's thumbnails are made by a first visit, whose time is told, too.
"""

import os
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from benchmarks.measure import Figure, UnavailableError, figure, photos
from cv_pipelines.annotations.store.classes import add_class
from cv_pipelines.annotations.store.events import writing
from cv_pipelines.catalog import Catalog
from cv_pipelines.database.engine import open_database
from cv_pipelines.images.datasets import add_dataset
from cv_pipelines.images.manifest import IMAGES as MANIFEST
from cv_pipelines.settings import ROOT
from cv_pipelines.storage.bundles import put_bundle, put_table
from cv_pipelines.storage.local import LocalStore
from cv_pipelines.storage.packs import Pack, Place
from cv_pipelines.web.tokens import Role, create_token

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

IMAGES, DISTINCT, PAGES, PRESSES = 60_000, 400, 20, 100
TILES_MS, PICTURES_MS, NEXT_MS, PRESS_MS, GROWTH = 300.0, 1500.0, 300.0, 20.0, 1.2
_FLAGS = ["--no-sandbox", "--disable-gpu"]
_PICTURES = """async () => {
    const all = () => [...document.querySelectorAll('.tile img')];
    const there = () => all().length && all().every((one) => one.complete && one.naturalWidth);
    const parsed = (done) => document.addEventListener('DOMContentLoaded', done);
    if (document.readyState === 'loading') await new Promise(parsed); // looking would hold it up
    while (!there()) {
        if (performance.now() > 120_000) throw new Error('the pictures do not come');
        await new Promise((next) => setTimeout(next, 5));
    }
    return performance.now();
}"""
_TILES = "() => performance.getEntriesByType('navigation')[0].domInteractive"
_WATCH = """() => {
    window.turned = new Promise((done) => {
        let pressed = 0;
        window.addEventListener('keydown', (event) => (pressed = event.timeStamp), { capture: true, once: true });
        const seen = new MutationObserver((records) => {
            if (!records.some(({ addedNodes }) => [...addedNodes].some((one) => one.id === 'tiles'))) return;
            seen.disconnect();
            document.body.offsetHeight;
            done(performance.now() - pressed);
        });
        seen.observe(document.querySelector('.work'), { childList: true });
    });
}"""
_PRESSES = """() => {
    window.presses = [];
    let pressed = 0, before = null;
    window.addEventListener('keydown', (event) => {
        pressed = event.timeStamp;
        before = document.activeElement;
    }, { capture: true });
    window.addEventListener('keydown', () => {
        if (document.activeElement === before) return;
        document.body.offsetHeight; // all that has to be laid out anew
        window.presses.push(performance.now() - pressed);
    });
}"""


def measure(rounds: int) -> list[Figure]:
    """The times of one person before the label page."""
    try:
        from playwright.sync_api import sync_playwright
    except ImportError as error:
        raise UnavailableError("Playwright is missing") from error
    chromium = shutil.which("chromium")
    if chromium is None:
        raise UnavailableError("Chromium is missing: apt-get install chromium")
    with tempfile.TemporaryDirectory() as folder:
        token = _fill(Path(folder))
        with _served(Path(folder)) as url, sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=chromium, args=_FLAGS)
            cold = _visit(browser, url, token)
            done = [_visit(browser, url, token) for _ in range(rounds)]
            browser.close()
    return _figures(cold, done)


def _figures(cold: dict[str, float], done: list[dict[str, float]]) -> list[Figure]:
    def share(name: str, key: str, promised: float, more: str = "") -> Figure:
        ratios = [one[key] / promised for one in done]
        middle = statistics.median(one[key] for one in done)
        return figure(name, ratios, 1.0, True, f"{middle:.0f} ms of {promised:.0f} ms{more}")

    growth = [one["nodes_last"] / one["nodes_first"] for one in done]
    nodes = f"{done[-1]['nodes_first']:.0f} nodes at first, {done[-1]['nodes_last']:.0f} at most"
    unprepared = statistics.median(one["next_cold"] for one in done)
    middle = statistics.median(one["press"] for one in done)
    return [
        share("200 of 60,000 tiles in the page", "tiles", TILES_MS),
        share(
            "all their pictures", "pictures", PICTURES_MS, f"; {cold['pictures']:.0f} ms where none was made yet"
        ),
        share("the next page", "next", NEXT_MS, f"; {unprepared:.0f} ms where it was not fetched ahead"),
        share(
            "a key labels and moves on",
            "press_95",
            PRESS_MS,
            f" at the 95th percentile, {middle:.1f} ms the median",
        ),
        figure(f"nodes over {PAGES} pages", growth, GROWTH, True, nodes),
    ]


def _visit(browser: "Browser", url: str, token: str) -> dict[str, float]:
    """One person comes, pages and labels; times in ms."""
    context = browser.new_context(viewport={"width": 1366, "height": 768})
    page = context.new_page()
    page.goto(f"{url}/login")
    page.get_by_label("Token").fill(token)
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="Data sets").wait_for()
    page.goto(f"{url}/datasets/many", wait_until="commit")
    pictures = float(page.evaluate(_PICTURES))
    times = {"tiles": float(page.evaluate(_TILES)), "pictures": pictures}
    times["next_cold"] = _turn(page)
    page.wait_for_load_state("networkidle")
    times["nodes_first"] = _nodes(page)
    turns, nodes = [], []
    for _ in range(PAGES):
        page.wait_for_timeout(1500)  # a person looks at it; the next page is fetched meanwhile
        turns.append(_turn(page))
        nodes.append(_nodes(page))
    times |= {"next": statistics.median(turns), "nodes_last": max(nodes)}
    page.evaluate(_PRESSES)
    for number in range(PRESSES):
        page.keyboard.press(str(number % 9 + 1))
        page.wait_for_timeout(30)
    presses = page.evaluate("window.presses")
    if len(presses) != PRESSES:
        raise RuntimeError(f"{len(presses)} of {PRESSES} presses have moved on")
    times |= {"press": statistics.median(presses), "press_95": statistics.quantiles(presses, n=20)[-1]}
    page.wait_for_selector('#state[data-waiting="0"]')
    context.close()
    return times


def _turn(page: "Page") -> float:
    page.evaluate(_WATCH)
    page.keyboard.press("n")
    return float(page.evaluate("window.turned"))


def _nodes(page: "Page") -> float:
    """Without those that say what an image is labelled with: an earlier round has labelled some."""
    return float(page.evaluate("document.querySelectorAll(':not(.label *)').length"))


@contextmanager
def _served(state: Path) -> Iterator[str]:
    command = [str(Path(sys.executable).with_name("cv-pipelines")), "web", "--port", "0"]
    environment = {**os.environ, "CV_STATE": str(state), "DAGSTER_HOME": str(ROOT)}
    with (state / "web.log").open("w") as log:
        server = subprocess.Popen(
            command, env=environment, stdout=subprocess.PIPE, stderr=log, text=True, start_new_session=True
        )
        try:
            line = server.stdout.readline() if server.stdout else ""
            yield line.split("is at ")[1].split(";")[0]
        finally:
            os.killpg(server.pid, signal.SIGTERM)
            server.communicate(timeout=30)


def _fill(state: Path) -> str:
    """A data set whose images are some hundred photos, under names of their own each; returns a token."""
    catalog = Catalog(open_database(f"sqlite:///{state}/cv.sqlite"), LocalStore(state / "store"))
    add_dataset(catalog.database, "many", str(state))
    places = _pack(catalog, state)
    rows = sorted((sha256(str(n).encode()).hexdigest(), n) for n in range(IMAGES))
    given: dict[str, list[Any]] = {
        "image_id": [one for one, _ in rows],
        "sources": [[f"camera-{n % 40}/IMG_{n:06}.jpg"] for _, n in rows],
        "uri": [places[n % len(places)] for _, n in rows],
        "width": [400] * IMAGES,
        "height": [534] * IMAGES,
    }
    columns = [given.get(field.name, [None] * IMAGES) for field in MANIFEST]
    parts = {"images": put_table(catalog.store, pa.table(columns, schema=MANIFEST))}
    reference = put_bundle(catalog.store, "image_manifest", "1", {"images": IMAGES}, parts)
    catalog.publish("image_manifest", "many", reference, "run")
    with writing(catalog.database, "many") as connection:
        for number in range(9):
            add_class(connection, "many", f"class {number + 1}", "me")
    token = create_token(catalog.database, "ann", Role.ANNOTATOR, "benchmark")
    catalog.database.dispose()
    return token


def _pack(catalog: Catalog, state: Path) -> list[str]:
    """Photos in one pack; where each is."""
    files = sorted(path for path in photos(state, DISTINCT).rglob("*") if path.is_file())[:DISTINCT]
    pack = Pack()
    held = [pack.add(path.read_bytes(), sha256(path.read_bytes()).hexdigest()) for path in files]
    key = pack.put(catalog.store)
    return [str(Place(key, *place)) for place in held]


if __name__ == "__main__":
    for one in measure(1):
        print(one)
