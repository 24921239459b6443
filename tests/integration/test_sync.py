"""`dataset sync` looks at the source, and at nothing else."""

import os
import shutil
import signal
from pathlib import Path

from cv_pipelines.cli.sync import compare
from tests.faults.test_killed_loop import start
from tests.installation import Installation, draw_shapes, wait_for


def test_a_sync_says_what_has_changed_and_trains_nothing(installation: Installation, tmp_path: Path) -> None:
    source = draw_shapes(tmp_path / "shapes", each=4)
    installation.run("dataset", "add", "shapes", str(source))
    told = installation.run("dataset", "sync", "shapes").stdout
    assert "trained_model" not in told
    lines = [line.split() for line in told.splitlines()]
    assert ["files", "12", "+12"] in lines
    assert ["quarantined", "0", "+0"] in lines

    (source / "disc" / "bad.png").write_text("no picture")
    shutil.copy(source / "bar" / "000.png", source / "bar" / "again.png")
    (source / "frame" / "003.png").unlink()
    after = installation.json("dataset", "sync", "shapes")
    assert after["succeeded"]
    assert after["executed"] == "here"
    assert [step["step"] for step in after["steps"]] == ["image_manifest", "image_manifest_checks"]
    assert (after["files"], after["images"], after["duplicates"], after["quarantined"]) == (13, 11, 1, 1)
    assert after["difference"] == {"files": 1, "images": -1, "duplicates": 1, "quarantined": 1}
    assert after["changed"]
    assert f"The new version is {after['previous_version']}" in told


def test_the_same_version_again_is_no_change() -> None:
    state = {"version": "1f", "files": 3, "images": 2, "duplicates": 1, "quarantined": 0}
    assert not compare(state, state)["changed"]
    assert set(compare(state, state)["difference"].values()) == {0}
    assert compare({}, {})["version"] is None


def test_a_source_that_is_gone_fails_with_the_reason(installation: Installation, tmp_path: Path) -> None:
    source = draw_shapes(tmp_path / "shapes", each=1)
    installation.run("dataset", "add", "shapes", str(source))
    shutil.rmtree(source)
    told = installation.run("dataset", "sync", "shapes", status=1).stdout
    assert "✗ image_manifest" in told
    assert str(source) in told
    assert "There is no data set 'nope'" in installation.run("dataset", "sync", "nope", status=1).stderr


def test_of_two_commands_that_start_together_one_gives_way(installation: Installation, tmp_path: Path) -> None:
    source = draw_shapes(tmp_path / "shapes", each=4)
    installation.run("dataset", "add", "shapes", str(source))
    both = [start(installation, "dataset", "sync", "shapes") for _ in range(2)]
    try:
        wait_for(lambda: all(process.poll() is not None for process in both))
    finally:
        for process in both:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
    assert sorted(process.returncode for process in both) == [0, 1]
    assert [run["status"] for run in installation.runs()] == ["SUCCESS"]
