"""Labels saved by eight annotators at once, over HTTP, on both databases; and pages of queues of a million images.

Each annotator sends one change a request: at the pace of a quick person, and then as fast as answers come.
"""

import os
import random
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from hashlib import sha256
from pathlib import Path
from time import perf_counter, process_time
from types import SimpleNamespace
from typing import Any, cast

import httpx
import numpy as np
import pyarrow as pa

from benchmarks.measure import Figure, figure
from cv_pipelines.annotations.store.classes import add_class
from cv_pipelines.annotations.store.events import Author, Change, append, writing
from cv_pipelines.catalog import Catalog
from cv_pipelines.database.engine import open_database, reading
from cv_pipelines.images.datasets import add_dataset
from cv_pipelines.images.manifest import IMAGES as MANIFEST
from cv_pipelines.settings import ROOT
from cv_pipelines.storage.bundles import put_bundle, put_table
from cv_pipelines.storage.local import LocalStore
from cv_pipelines.web.image_index import ImageIndex
from cv_pipelines.web.labelling.label_index import LabelIndex
from cv_pipelines.web.labelling.queues import Choice, cut_after, least_sure_first, place_in
from cv_pipelines.web.labelling.selection import Listed, select
from cv_pipelines.web.tokens import Role, create_token
from tests.installation import Installation
from tests.servers import run_postgres
from tests.web_site import serve_web

ANNOTATORS, PEOPLE_SECONDS, SAVES = 8, 0.4, 60
IMAGES, MANY = 60_000, 1_000_000
SAVED_MS, LOADED_SECONDS, PAGE_MS = 100.0, 1.0, 50.0
_CLASSES = 10
_ROWS = 200
CHOICES = (Choice(), Choice("unlabelled"), Choice("unsure"), Choice(sort="newest"), Choice(search="IMG_0012"))


def measure(rounds: int) -> list[Figure]:
    """Saved within 100 ms at the 95th percentile; 60,000 labels read in 1 s, pages of a million within 50 ms."""
    ids = _ids(IMAGES)
    figures = []
    for kind in ("SQLite", "Postgres"):
        with _served(kind, ids) as (url, tokens, fsync):
            paced = [_save(url, tokens, ids, number, PEOPLE_SECONDS) for number in range(rounds)]
            flat_out = [_save(url, tokens, ids, rounds + number, 0) for number in range(rounds)]
        name = f"save with {ANNOTATORS} annotators, {kind}, 95th percentile / {SAVED_MS:g} ms"
        median = statistics.median(one for times in paced for one in times) * 1000
        fastest = statistics.median(ANNOTATORS * len(some) / sum(some) for some in flat_out)
        detail = (
            f"median {median:.0f} ms; as fast as it goes {fastest:.0f} saves/s, "
            f"95th percentile {_high(flat_out[0]):.0f} ms; a sync to disk takes {fsync * 1000:.1f} ms"
        )
        figures.append(figure(name, [_high(some) / SAVED_MS for some in paced], 1.0, True, detail))
    return [*figures, *_indexes(rounds)]


def _save(url: str, tokens: list[str], ids: list[str], number: int, pause: float) -> list[float]:
    """The seconds that each save has taken; each annotator has images of their own."""

    def label(person: int) -> list[float]:
        start = (number * ANNOTATORS + person) * SAVES
        seconds = []
        with httpx.Client(
            base_url=url, headers={"Authorization": f"Bearer {tokens[person]}"}, timeout=60
        ) as client:
            client.get("/datasets/many/classes")
            for image_id in ids[start : start + SAVES]:
                time.sleep(pause * random.uniform(0.5, 1.5))  # noqa: S311
                change = {"image_id": image_id, "seen": 1, "classes": [random.randrange(_CLASSES)]}  # noqa: S311
                begun = perf_counter()
                answer = client.post("/datasets/many/labels", json={"changes": [change]})
                seconds.append(perf_counter() - begun)
                if len(answer.raise_for_status().json()["saved"]) != 1:
                    raise RuntimeError(f"not saved: {answer.text}")
        return seconds

    with ThreadPoolExecutor(ANNOTATORS) as pool:
        return [one for some in pool.map(label, range(ANNOTATORS)) for one in some]


def _high(seconds: list[float]) -> float:
    return float(np.percentile(seconds, 95)) * 1000


@contextmanager
def _served(kind: str, ids: list[str]) -> Iterator[tuple[str, list[str], float]]:
    """An application on a data set of labelled images; its address, tokens, and seconds of a sync to disk."""
    with ExitStack() as opened:
        state = Path(opened.enter_context(tempfile.TemporaryDirectory()))
        database = f"sqlite:///{state / 'cv.sqlite'}"
        if kind == "Postgres":
            database = opened.enter_context(run_postgres(durable=True)).new_database()
        catalog = Catalog(open_database(database), LocalStore(state / "store"))
        opened.callback(catalog.database.dispose)
        _fill(catalog, ids)
        tokens = [create_token(catalog.database, f"a{n}", Role.ANNOTATOR, "bench") for n in range(ANNOTATORS)]
        installation = Installation(state, {"CV_DATABASE_URL": database})
        yield opened.enter_context(serve_web(installation)), tokens, _sync_seconds(state)


def _fill(catalog: Catalog, ids: list[str]) -> None:
    add_dataset(catalog.database, "many", str(ROOT))
    given: dict[str, list[Any]] = {"image_id": ids, "sources": [[f"{one[:8]}.jpg"] for one in ids]}
    given |= {"width": [640] * len(ids), "height": [480] * len(ids)}
    columns = [given.get(field.name, [None] * len(ids)) for field in MANIFEST]
    parts = {"images": put_table(catalog.store, pa.table(columns, schema=MANIFEST))}
    catalog.publish("image_manifest", "many", put_bundle(catalog.store, "image_manifest", "1", {}, parts))
    with writing(catalog.database, "many") as connection:
        for number in range(_CLASSES):
            add_class(connection, "many", f"class {number}", "bench")
        append(connection, "many", _changes(ids), Author("source", "import"))


def _changes(ids: list[str]) -> Iterator[Change]:
    return (Change(one, f'{{"classes":[{number % _CLASSES}]}}') for number, one in enumerate(ids))


def _ids(count: int) -> list[str]:
    return sorted(sha256(str(number).encode()).hexdigest() for number in range(count))


def _sync_seconds(folder: Path) -> float:
    with (folder / "sync").open("wb") as file:
        times = []
        for _ in range(20):
            file.write(bytes(4096))
            file.flush()
            begun = perf_counter()
            os.fsync(file.fileno())
            times.append(perf_counter() - begun)
    return statistics.median(times)


def _indexes(rounds: int) -> list[Figure]:
    """In processor time: one core does all of it."""
    with tempfile.TemporaryDirectory() as folder:
        database = open_database(f"sqlite:///{folder}/cv.sqlite")
        ids = _ids(IMAGES)
        with writing(database, "many") as connection:
            add_class(connection, "many", "class", "bench")
            append(connection, "many", _changes(ids), Author("me"))
        images, loads = _index(ids), []
        for _ in range(rounds):
            labels = LabelIndex(images, "many")
            with reading(database) as connection:
                loads.append(_cpu(lambda labels=labels, connection=connection: labels.catch_up(connection)))  # type: ignore[misc]
        database.dispose()
    name = f"labels of {IMAGES:,} images read / {LOADED_SECONDS:g} s"
    detail = f"{min(loads) * 1000:.0f} ms of processor time"
    return [figure(name, [one / LOADED_SECONDS for one in loads], 1.0, True, detail), _pages(rounds)]


def _pages(rounds: int) -> Figure:
    images = _index(_ids(MANY))
    labels = LabelIndex(images, "many")
    random_ = np.random.default_rng(0)
    labels.event = random_.permutation(MANY) * (random_.random(MANY) < 0.75)
    sure = SimpleNamespace(least_sure_first=least_sure_first(random_.random(MANY).astype(np.float32)))
    opened = cast(Any, SimpleNamespace(images=images, labels=labels, predictions=sure))

    def page(choice: Choice) -> None:
        mask, order = select(opened, choice, Listed())
        cut = cut_after(mask, order, place_in(order, MANY // 2), _ROWS)
        images.ids_at(cut.rows)

    page(Choice())
    times = [max(_cpu(lambda one=one: page(one)) for one in CHOICES) for _ in range(rounds)]  # type: ignore[misc]
    name = f"the slowest page of {MANY:,} images / {PAGE_MS:g} ms"
    detail = f"{min(times) * 1000:.0f} ms of processor time, of {len(CHOICES)} queues, orders and searches"
    return figure(name, [one * 1000 / PAGE_MS for one in times], 1.0, True, detail)


def _index(ids: list[str]) -> ImageIndex:
    names = pa.array([f"camera-{number % 40}/IMG_{number:07}.jpg" for number in range(len(ids))])
    size = np.full(len(ids), 640, np.int32)
    return ImageIndex(cast(Any, SimpleNamespace(ids=pa.array(ids))), names, size, size)


def _cpu(work: Callable[[], object]) -> float:
    begun = process_time()
    work()
    return process_time() - begun


if __name__ == "__main__":
    for one in measure(1):
        print(one)
