"""Garbage, an image, a data set: deleted by commands, and looked for in every file that there is."""

import json
import shutil
from hashlib import sha256
from pathlib import Path

import pytest

from tests.installation import Installation

PREVIEWS = """
import json
from dagster import AssetKey, DagsterInstance
with DagsterInstance.get() as instance:
    records = instance.fetch_materializations(AssetKey("image_manifest"), limit=100).records
    print(json.dumps([str(one.asset_materialization.metadata["preview"].value) for one in records
                      if "preview" in one.asset_materialization.metadata]))
"""


@pytest.fixture
def loop(installation: Installation, finished: Installation) -> Installation:
    """A copy of the finished loop."""
    shutil.copytree(finished.state, installation.state, dirs_exist_ok=True)
    return installation


def files_with(installation: Installation, data: bytes) -> list[str]:
    files = [path for path in installation.state.rglob("*") if path.is_file()]
    return [str(path.relative_to(installation.state)) for path in files if data in path.read_bytes()]


def learned_image(installation: Installation, shapes: Path) -> Path:
    """A file whose image the model has learned from."""
    code = """
from cv_pipelines.cli.context import open_catalog
catalog = open_catalog()
print(catalog.open(catalog.require("trained_model", "shapes")).table("learned")["image_id"][0])
"""
    wanted = installation.python(code).split()[-1]
    return next(path for path in shapes.rglob("*.png") if sha256(path.read_bytes()).hexdigest() == wanted)


def test_a_person_is_forgotten(loop: Installation, shapes: Path) -> None:
    path = learned_image(loop, shapes)
    data, image = path.read_bytes(), sha256(path.read_bytes()).hexdigest()
    (model,) = loop.json("model", "list")
    loop.run("report", "shapes")
    assert len(files_with(loop, data)) == 1

    shown = loop.json("image", "show", image[:9])
    assert (shown["image_id"], shown["copies"], shown["models"]) == (image, 1, [f"shapes/{model['version']}"])
    assert shown["versions"][0]["paths"] == [str(path.relative_to(shapes))]
    forgotten = loop.json("image", "forget", image[:9], "--why", "as asked for", "--yes")

    assert files_with(loop, data) == []
    assert not list((loop.state / "cache").rglob("*.rgb"))
    assert not list((loop.state / "reports").iterdir())
    assert (forgotten["copies_found"], forgotten["bytes_erased"], forgotten["copies_left"]) == (1, len(data), 0)
    assert forgotten["packs_searched"] == len(
        [one for one in (loop.state / "store/packs").rglob("*") if one.is_file()]
    )
    assert forgotten["models"] == [f"shapes/{model['version']}"]
    assert len(forgotten["runs"]) >= 1
    assert set(forgotten["runs"]) == {run["id"] for run in loop.runs()}

    assert loop.json("store", "check", "--content")["faults"] == []
    synced = loop.json("dataset", "sync", "shapes")
    assert (synced["images"], synced["quarantined"], synced["changed"]) == (89, 1, False)
    again = loop.json("image", "forget", image, "--why", "once more", "--yes", "--delete-runs")
    assert (again["copies_found"], again["copies_left"], again["runs_deleted"]) == (0, 0, True)
    assert not set(forgotten["runs"]) & {run["id"] for run in loop.runs()}
    assert files_with(loop, data) == []


def test_garbage_collection_leaves_what_the_loop_needs(loop: Installation) -> None:
    before = loop.json("report", "shapes"), loop.json("model", "list"), loop.json("dataset", "versions", "shapes")
    (loop.state / "store/packs/00").mkdir(exist_ok=True)
    (loop.state / "store/packs/00/orphan").write_bytes(b"garbage")

    promised = loop.json("store", "gc", "--days", "0", "--dry-run")
    done = loop.json("store", "gc", "--days", "0", "--yes")

    assert promised["deleted"] == done["deleted"]
    assert done["kinds"]["packs"]["deleted"] == {"objects": 1, "bytes": 7}
    assert loop.json("store", "gc", "--days", "0", "--yes")["deleted"] == {"objects": 0, "bytes": 0}
    assert loop.json("store", "check", "--content")["faults"] == []
    assert before == (
        loop.json("report", "shapes"),
        loop.json("model", "list"),
        loop.json("dataset", "versions", "shapes"),
    )


def test_a_data_set_is_removed_with_everything_made_of_it(loop: Installation, shapes: Path) -> None:
    loop.run("report", "shapes")
    picture = json.loads(loop.python(PREVIEWS).splitlines()[-1])[0].split("base64,")[1][:400].encode()
    assert files_with(loop, picture)

    told = loop.json("dataset", "remove", "shapes", "--yes")

    assert (told["images"], told["models"], told["left"]) == (90, 1, 0)
    assert told["champion"]
    assert not [path for path in (loop.state / "store").rglob("*") if path.is_file()]
    for path in shapes.rglob("*.png"):
        assert files_with(loop, path.read_bytes()) == []
    assert files_with(loop, picture) == []
    assert (loop.json("dataset", "list"), loop.json("model", "list"), loop.runs()) == ([], [], [])
    assert "no data set 'shapes'" in loop.run("dataset", "remove", "shapes", "--yes", status=1).stderr


def test_who_is_asked_can_say_no(loop: Installation, shapes: Path) -> None:
    image = sha256((shapes / "disc/000.png").read_bytes()).hexdigest()
    before = {path: path.stat().st_mtime for path in (loop.state / "store").rglob("*")}

    assert "[y/N]" in loop.run("dataset", "remove", "shapes", status=1).stderr
    assert "[y/N]" in loop.run("image", "forget", image, "--why", "x", status=1).stderr

    assert before == {path: path.stat().st_mtime for path in (loop.state / "store").rglob("*")}
    assert not loop.json("image", "show", image)["forgotten"]
