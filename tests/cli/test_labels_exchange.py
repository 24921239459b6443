"""`cv-pipelines labels import` and `export`: what a person sees, and what is in the store afterwards."""

import json
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import Engine, func, select

from cv_pipelines.annotations.annotation import Annotation, Box
from cv_pipelines.annotations.exchange import Exchange
from cv_pipelines.annotations.formats.coco import COCO
from cv_pipelines.annotations.store.classes import retire_class
from cv_pipelines.annotations.store.events import Author, Change, append, writing
from cv_pipelines.catalog import Catalog
from cv_pipelines.cli.main import main
from cv_pipelines.database.engine import open_database
from cv_pipelines.database.label_tables import label_class_events, label_events
from cv_pipelines.storage.local import LocalStore
from tests.annotations.datasets import id_of, make_dataset
from tests.annotations.labels import write
from tests.installation import COMMAND, Installation

BOX = Box("disc", 1.0, 2.0, 3.5, 4.0)
IMAGES = [f"{kind}/00{number}.png" for kind in ("bar", "disc", "frame") for number in (0, 1)]


@pytest.fixture
def run(catalog: Catalog, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """`run(*words)`: a command in a folder with labels.json, about four images of the data set `shapes`."""
    make_dataset(catalog, dict.fromkeys(IMAGES, (24, 24)), "shapes")
    monkeypatch.setattr("cv_pipelines.cli.labels_exchange.open_catalog", lambda: catalog)
    monkeypatch.chdir(tmp_path)
    write_labels(Path("labels.json"))
    return lambda *words: CliRunner().invoke(main, ["labels", *words], catch_exceptions=False)


def write_labels(path: Path) -> None:
    labels = [Annotation(image, 24, 24, (), (BOX,)) for image in IMAGES[:4]]
    write([*labels, Annotation(IMAGES[4], 24, 24)], path, COCO, Exchange())


def events_in(database: Engine) -> list[Any]:
    with database.connect() as connection:
        tables = (label_events, label_class_events)
        return [connection.execute(select(func.count()).select_from(one)).scalar() for one in tables]


def test_an_import_and_what_comes_out_again(run: Callable[..., Result]) -> None:
    told = json.loads(run("import", "shapes", "labels.json", "--json").stdout)

    assert (told["format"], told["imported"], told["changed"], told["unchanged"]) == ("coco", True, 4, 0)
    assert (told["listed_empty"], told["new_classes"], told["problems"]) == (1, ["disc"], [])

    again = run("import", "shapes", "labels.json")
    assert (again.exit_code, again.stdout) == (0, "")
    assert "Listed without labels, so left as they are: 1 (see --empty)." in again.stderr
    assert "Nothing is new: 4 images have these labels already." in again.stderr

    assert run("export", "shapes", "out.json", "--format", "coco").stdout == "out.json\n"
    found = json.loads(Path("out.json").read_text())
    assert [one["file_name"] for one in found["images"]] == IMAGES[:4]
    assert [one["bbox"] for one in found["annotations"]] == [[1.0, 2.0, 3.5, 4.0]] * 4
    assert "There is 'out.json' already" in run("export", "shapes", "out.json", "--format", "coco").stderr


def test_a_mistake_is_told_and_nothing_is_imported(run: Callable[..., Result], catalog: Catalog) -> None:
    Path("labels.json").write_text(Path("labels.json").read_text().replace("bar/001.png", "b[ar/o]ne.png"))

    told = run("import", "shapes", "labels.json")

    assert told.exit_code == 1
    assert "b[ar/o]ne.png (id 2)" in told.stdout
    assert "the data set has no such image" in told.stdout
    assert "Nothing has been imported." in told.stderr
    assert json.loads(run("import", "shapes", "labels.json", "--json").stdout)["imported"] is False
    assert events_in(catalog.database) == [0, 0]
    told = run("import", "shapes", "labels.json", "--skip-bad")
    assert "3 images have new labels" in told.stderr
    assert "Next: cv-pipelines labels commit shapes" in told.stderr


def test_labels_of_people_are_kept_and_named(run: Callable[..., Result], catalog: Catalog) -> None:
    run("import", "shapes", "labels.json")
    with writing(catalog.database, "shapes") as connection:
        append(connection, "shapes", [Change(id_of(IMAGES[0]), '{"classes":[0]}')], Author("bob"))

    told = run("import", "shapes", "labels.json")
    assert "Kept as they are, for somebody has labelled them: 1 (bar/000.png)." in told.stderr
    told = json.loads(run("import", "shapes", "labels.json", "--as-model", "m1", "--json").stdout)
    assert (told["kept"], told["changed"]) == (4, 0)
    told = json.loads(run("import", "shapes", "labels.json", "--replace", "--json").stdout)
    assert (told["kept"], told["changed"], told["unchanged"]) == (0, 1, 3)


def test_classes_that_count_for_nothing_are_named(run: Callable[..., Result], catalog: Catalog) -> None:
    run("import", "shapes", "labels.json")
    with writing(catalog.database, "shapes") as connection:
        retire_class(connection, "shapes", "disc", "bob")

    told = run("import", "shapes", "labels.json")

    assert "Retired, so that their labels count for nothing: disc." in told.stderr


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["import", "shapes", "labels.json", "--format", "voc"], "does not look like voc, but like coco."),
        (["import", "shapes", "nothing.json"], "There is no 'nothing.json'."),
        (["import", "other", "labels.json"], "There is no data set 'other'"),
        (["export", "shapes", "out", "--format", "pascal"], "There is no format 'pascal'; there are coco,"),
        (["export", "shapes", "no/out", "--format", "coco"], "There is no folder"),
        (["export", "shapes", "out", "--format", "coco", "--version", "ab"], "see 'cv-pipelines labels versions"),
    ],
)
def test_mistakes_are_one_line(words: list[str], message: str, run: Callable[..., Result]) -> None:
    told = run(*words)

    assert told.exit_code == 1
    assert message in told.stderr
    assert not Path("out").exists()


def test_an_import_that_is_killed_leaves_nothing(installation: Installation, tmp_path: Path) -> None:
    database = open_database(f"sqlite:///{installation.state / 'cv.sqlite'}")
    make_dataset(Catalog(database, LocalStore(installation.state / "store")), dict.fromkeys(IMAGES, (24, 24)))
    write_labels(tmp_path / "labels.json")
    environment = {**installation.environment, "CV_FAILPOINTS": "labels.before_commit:kill"}
    command = ["labels", "import", "street", str(tmp_path / "labels.json")]

    killed = subprocess.run([COMMAND, *command], env=environment, capture_output=True, check=False)

    assert killed.returncode == -signal.SIGKILL
    assert events_in(database) == [0, 0]
    assert installation.json(*command)["changed"] == 4
    assert events_in(database) == [4, 1]
    database.dispose()
