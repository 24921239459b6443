"""COCO with a million boxes on 100,000 images into the label store and out again; versions of a million events.

Each in a fresh process, in processor time, for one core does all of it; import and export against `json.load`.
"""

import json
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from hashlib import sha256
from pathlib import Path
from time import process_time

import pyarrow as pa

from benchmarks.labels import BOXES, IMAGES, MEMORY, MOST, write_coco
from benchmarks.measure import Figure, figure
from cv_pipelines.annotations.exporting import export_labels
from cv_pipelines.annotations.formats.coco import COCO
from cv_pipelines.annotations.importing import import_labels, importer
from cv_pipelines.annotations.store.events import Author, Change, append, writing
from cv_pipelines.annotations.store.versions import state_of
from cv_pipelines.catalog import Catalog
from cv_pipelines.database.engine import open_database
from cv_pipelines.images.datasets import add_dataset, find_dataset
from cv_pipelines.images.manifest import IMAGES as MANIFEST
from cv_pipelines.settings import ROOT
from cv_pipelines.storage.bundles import put_bundle, put_table
from cv_pipelines.storage.local import LocalStore

EVENTS, NEW = 1_000_000, 100
VERSION_SECONDS, INCREMENT_SECONDS = 5.0, 0.2


def measure(rounds: int) -> list[Figure]:
    """Within six times the load and 500 MB; a version within 5 s, and within 200 ms after 100 more events."""
    with tempfile.TemporaryDirectory() as path:
        folder = Path(path)
        write_coco(folder / "instances.json")
        _fill(_catalog(folder))
        found = [{what: _run(what, folder) for what in _STEPS} for _ in range(rounds)]
    figures = []
    for what in ("import", "export"):
        if any(one[what]["told"] != BOXES for one in found):
            raise RuntimeError(f"the {what} lost boxes")
        best, load = (min(one[step]["cpu"] for one in found) for step in (what, "load"))
        detail = f"{best:.1f} s of processor time, json.load {load:.1f} s"
        ratios = [one[what]["cpu"] / one["load"]["cpu"] for one in found]
        figures.append(figure(f"{what} of {BOXES:,} boxes, store / json.load", ratios, MOST, True, detail))
        peaks = [one[what]["peak"] / MEMORY for one in found]
        detail = f"{max(peaks) * MEMORY / 1e6:,.0f} MB"
        figures.append(figure("its memory / 500 MB", peaks, 1.0, True, detail))
    for what, limit in (("version", VERSION_SECONDS), ("increment", INCREMENT_SECONDS)):
        seconds = [one[what]["told"] for one in found]
        name = (
            f"version of {EVENTS:,} events / {limit:g} s"
            if what == "version"
            else f"after {NEW} more / {limit:g} s"
        )
        figures.append(figure(name, [one / limit for one in seconds], 1.0, True, f"{min(seconds) * 1000:,.0f} ms"))
    return figures


def _load(folder: Path) -> float:
    with (folder / "instances.json").open() as file:
        return len(json.load(file)["annotations"])


def _import(folder: Path) -> float:
    """Into an empty store, whose manifest is there."""
    catalog = _catalog(folder)
    dataset = find_dataset(catalog.database, "street")
    source = folder / "instances.json"
    done = import_labels(catalog, dataset, source, COCO, importer("me", source))
    if done.written is None or done.written.events + done.written.unchanged != done.labels:
        raise RuntimeError("the import was not made")
    return done.exchange.report.boxes


def _export(folder: Path) -> float:
    target = folder / "out.json"
    target.unlink(missing_ok=True)
    exchange, _ = export_labels(_catalog(folder), "street", target, COCO)
    return exchange.report.boxes


def _version(folder: Path) -> float:
    with writing(_catalog(folder).database, "many") as connection:
        started = process_time()
        state_of(connection, "many")
        return process_time() - started


def _increment(folder: Path) -> float:
    with writing(_catalog(folder).database, "many") as connection:
        before = state_of(connection, "many")
        append(connection, "many", _changes(NEW, "[1,2,3,4]"), Author("me"))
        started = process_time()
        after = state_of(connection, "many", before)
        seconds = process_time() - started
        if after != state_of(connection, "many"):
            raise RuntimeError("the version of what is new is another one than that of all")
        connection.rollback()
    return seconds


_STEPS: dict[str, Callable[[Path], float]] = {
    "load": _load,
    "import": _import,
    "export": _export,
    "version": _version,
    "increment": _increment,
}


def _run(what: str, folder: Path) -> dict[str, float]:
    if what == "import":
        _empty(_catalog(folder))
    command = [sys.executable, "-m", "benchmarks.label_store", what, str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT)
    result: dict[str, float] = json.loads(done.stdout)
    return result


def _main(what: str, folder: Path) -> None:
    cpu = process_time()
    told = _STEPS[what](folder)
    status = Path("/proc/self/status").read_text().splitlines()
    peak = next(int(line.split()[1]) for line in status if line.startswith("VmHWM")) * 1024
    print(json.dumps({"cpu": process_time() - cpu, "peak": peak, "told": told}))


def _catalog(folder: Path) -> Catalog:
    return Catalog(open_database(f"sqlite:///{folder}/cv.sqlite"), LocalStore(folder / "store"))


def _empty(catalog: Catalog) -> None:
    from cv_pipelines.database.label_tables import label_class_events, label_events

    with catalog.database.begin() as connection:
        for table in (label_events, label_class_events):
            connection.execute(table.delete().where(table.c.dataset == "street"))


def _fill(catalog: Catalog) -> None:
    """The manifest of the images of the file, and a million events of another data set."""
    add_dataset(catalog.database, "street", str(ROOT))
    names = [f"camera-{n % 40}/IMG_{n:07}.jpg" for n in range(IMAGES)]
    rows = sorted((sha256(name.encode()).hexdigest(), name) for name in names)
    given = {"image_id": [one for one, _ in rows], "sources": [[name] for _, name in rows]}
    given |= {"width": [1920] * IMAGES, "height": [1080] * IMAGES}
    columns = [given.get(field.name, [None] * IMAGES) for field in MANIFEST]
    parts = {"images": put_table(catalog.store, pa.table(columns, schema=MANIFEST))}
    catalog.publish("image_manifest", "street", put_bundle(catalog.store, "image_manifest", "1", {}, parts))
    with writing(catalog.database, "many") as connection:
        append(connection, "many", _changes(EVENTS // 2, "[0,1,2,3,4]"), Author("me"))
        append(connection, "many", _changes(EVENTS // 2, "[1,1,2,3,4]"), Author("me"))


def _changes(count: int, box: str) -> Iterator[Change]:
    return (Change(sha256(str(n).encode()).hexdigest(), f'{{"boxes":[{box}]}}') for n in range(count))


if __name__ == "__main__":
    if len(sys.argv) > 1:
        _main(sys.argv[1], Path(sys.argv[2]))
    else:
        for one in measure(1):
            print(one)
