"""An ingest on Postgres and S3 that is killed again and again, and one whose folder does not stand still."""

import multiprocessing
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import psutil
import pytest

from cv_pipelines.catalog import Catalog, Outcome
from cv_pipelines.database.engine import open_database
from cv_pipelines.images.ingest import ingest
from cv_pipelines.images.sources.folder import FolderSource
from cv_pipelines.images.stored import stored_images
from cv_pipelines.settings import ROOT
from cv_pipelines.storage.factory import open_store
from tests.installation import wait_for
from tests.servers import S3, Postgres

FILES = 1000
KILLS = 10
INGEST = """
import sys
from pathlib import Path
from cv_pipelines.catalog import Catalog
from cv_pipelines.database.engine import open_database
from cv_pipelines.images import ingest as ingesting
from cv_pipelines.images.sources.folder import FolderSource
from cv_pipelines.storage.factory import open_store
if __name__ == "__main__":
    source, database, store = sys.argv[1:]
    ingesting._SAVE_SECONDS = 0.1
    catalog = Catalog(open_database(database), open_store(store))
    outcome = ingesting.ingest(catalog, FolderSource(Path(source)), 2)
    catalog.publish("image_manifest", "pictures", outcome.reference)
"""


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory, picture: Callable[..., Any]) -> Path:
    """Small pictures in two classes, some twice, some of which are none."""
    folder = tmp_path_factory.mktemp("many") / "pictures"
    for name in ("cat", "dog"):
        (folder / name).mkdir(parents=True)
    for number in range(FILES):
        path = folder / ("cat", "dog")[number % 2] / f"{number:05}.png"
        cv2.imwrite(str(path), np.roll(picture(number % (FILES - 50), 70, 66), number, axis=1))
        if number % 100 == 7:
            path.write_bytes(b"no image")
    return folder


def workers_of(process: int) -> list[psutil.Process]:
    return [one for one in psutil.process_iter() if process in _ancestors(one)]


def _ancestors(process: psutil.Process) -> list[int]:
    try:
        return [parent.pid for parent in process.parents()]
    except psutil.Error:
        return []


def rows(catalog: Catalog) -> list[dict[str, Any]]:
    table = catalog.open(catalog.require("image_manifest", "pictures")).table("images")
    found: list[dict[str, Any]] = table.drop_columns("uri").to_pylist()
    return found


def test_an_ingest_killed_at_ten_moments_gives_the_same_manifest(
    pictures: Path, postgres: Postgres, s3: S3, catalog: Catalog
) -> None:
    database, store = postgres.new_database(), s3.new_bucket()
    script = pictures.parent / "ingest.py"  # workers start from a file, not from -c
    script.write_text(INGEST)
    command = [sys.executable, str(script), str(pictures), database, store]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    chance = random.Random(7)
    for _ in range(KILLS):
        process = subprocess.Popen(command, env=environment, cwd=ROOT)
        time.sleep(chance.uniform(0.8, 2.5))
        workers = workers_of(process.pid)
        process.send_signal(signal.SIGKILL)
        process.wait()
        _, alive = psutil.wait_procs(workers, 10)
        assert alive == []  # nobody waits for ever for a parent that is gone
    subprocess.run(command, env=environment, cwd=ROOT, check=True, timeout=120)

    broken = Catalog(open_database(database), open_store(store))
    whole = ingest(catalog, FolderSource(pictures), 2)
    catalog.publish("image_manifest", "pictures", whole.reference)

    found = broken.require("image_manifest", "pictures")
    assert found.version == whole.reference.version
    assert rows(broken) == rows(catalog)
    images = stored_images(broken.open(found))
    assert all(images.read(image_id) for image_id in images.ids.to_pylist()[::50])
    assert list(broken.store.objects("ingests/")) == []


def _add_files(folder: Path, stop: Any) -> None:
    """What a camera does that writes into the folder, neither at once nor carefully."""
    originals = sorted((folder / "cat").glob("*.png"))[:200]
    number = 0
    while not stop.is_set():
        original = originals[number % len(originals)]
        path = folder / "dog" / f"new {number:05}.png"
        with path.open("wb") as file:
            data = original.read_bytes() + number.to_bytes(4, "big")
            file.write(data[: len(data) // 2])
            file.flush()
            time.sleep(0.001)
            file.write(data[len(data) // 2 :])
        if number % 10 == 9:
            (folder / "dog" / f"new {number - 5:05}.png").unlink(missing_ok=True)
        number += 1


def test_a_folder_that_grows_while_it_is_read_loses_nothing(
    pictures: Path, catalog: Catalog, tmp_path: Path
) -> None:
    folder = tmp_path / "growing"
    shutil.copytree(pictures, folder)
    context = multiprocessing.get_context("spawn")
    stop = context.Event()
    camera = context.Process(target=_add_files, args=(folder, stop))
    camera.start()
    wait_for(lambda: any((folder / "dog").glob("new *")))
    outcomes: list[Outcome] = []
    try:
        for _ in range(3):
            previous = outcomes[-1].reference if outcomes else None
            outcomes.append(ingest(catalog, FolderSource(folder), 2, previous=previous))
    finally:
        stop.set()
        camera.join()
    last = ingest(catalog, FolderSource(folder), 2, previous=outcomes[-1].reference)

    for outcome in (*outcomes, last):
        facts = outcome.bundle.facts
        assert facts["files"] == facts["images"] + facts["duplicates"] + facts["quarantined"] > FILES
    refused = last.bundle.table("quarantine").to_pylist()
    assert {row["code"] for row in refused} == {"not_an_image"}  # what was half written then is whole now
    assert len(refused) == FILES // 100
    assert last.bundle.facts["files"] == sum(1 for path in folder.rglob("*") if path.is_file())
