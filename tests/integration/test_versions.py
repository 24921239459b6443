"""Versions and quarantine from the command line."""

import shutil
from pathlib import Path

from tests.installation import Installation, draw_shapes

INGEST = """
from dagster import DagsterInstance
from cv_pipelines.definitions import defs
with DagsterInstance.get() as instance:
    assert defs.resolve_job_def("sync").execute_in_process(instance=instance, partition_key="shapes").success
"""


def test_a_data_set_is_synced_mended_compared_and_gone_back_to(installation: Installation, tmp_path: Path) -> None:
    folder = draw_shapes(tmp_path / "shapes", each=4)
    shutil.copy(folder / "bar" / "000.png", folder / "disc" / "also a bar.png")
    installation.run("dataset", "add", "shapes", str(folder))
    first = installation.json("dataset", "sync", "shapes")
    refused = installation.json("dataset", "quarantine", "shapes")

    assert (first["files"], first["images"], first["duplicates"], first["quarantined"]) == (13, 11, 0, 2)
    assert [row["path"] for row in refused] == ["bar/000.png", "disc/also a bar.png"]
    done = installation.run("dataset", "quarantine", "shapes", "--accept", "nothing", status=1)
    assert "no file nothing in quarantine" in done.stderr

    second = installation.json("dataset", "quarantine", "shapes", "--accept", refused[0]["id"])

    assert (second["images"], second["duplicates"], second["quarantined"]) == (12, 1, 0)
    versions = installation.json("dataset", "versions", "shapes")
    assert [(row["version"], row["current"]) for row in versions] == [
        (second["version"], True),
        (first["version"], False),
    ]
    difference = installation.json("dataset", "diff", "shapes", first["version"][:8])
    assert difference["counts"] == {
        "added": 1, "removed": 0, "relabelled": 0, "quarantined": 0, "released": 2,
    }  # fmt: skip
    assert difference["added"][0]["sources"] == ["bar/000.png", "disc/also a bar.png"]
    assert difference["added"][0]["source_label"] == "bar"

    told = installation.run("dataset", "restore", "shapes", first["version"][:8]).stdout
    installation.python(INGEST)
    shown = installation.json("dataset", "show", "shapes")

    assert first["version"] in told
    assert (shown["version"], shown["restored"], shown["versions"]) == (first["version"], True, 2)
    assert {key: shown[key] for key in ("files", "images", "duplicates", "quarantined")} == {
        "files": 13, "images": 11, "duplicates": 0, "quarantined": 2,
    }  # fmt: skip
    later = installation.json("dataset", "show", "shapes", "--version", second["version"])
    assert later["images"] == 12
    assert installation.json("dataset", "sync", "shapes")["version"] == second["version"]
    assert installation.json("dataset", "show", "shapes")["restored"] is False
