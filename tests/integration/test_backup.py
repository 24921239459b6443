"""What docs/storage.md says about backups of one machine, done; that of Postgres is in test_production_storage."""

import shutil
from pathlib import Path

import pytest

from tests.installation import Installation


@pytest.fixture
def working(finished: Installation, tmp_path: Path) -> Installation:
    """A copy of an installation whose loop has run."""
    shutil.copytree(finished.state, tmp_path / "state")
    return Installation(tmp_path / "state")


def test_a_restored_installation_goes_on_where_it_was(working: Installation, tmp_path: Path) -> None:
    before, backup = working.json("report", "shapes"), tmp_path / "backup"
    working.run("db", "backup", str(backup))
    working.run("store", "backup", str(backup / "store"))
    shutil.rmtree(working.state)
    shutil.copytree(backup, working.state)

    assert working.json("store", "check", "--content")["faults"] == []
    assert working.json("report", "shapes") == before
    again = working.json("run", "shapes", "--set", "epochs=6", "--set", "batch_size=16")
    assert again["succeeded"]
    assert {step["message"] for step in again["steps"] if step["step"] in ("image_manifest", "trained_model")} == {
        "unchanged, nothing to do"
    }
    assert {run["status"] for run in working.runs()} == {"SUCCESS"}


def test_what_a_backup_lacks_is_named_with_what_needs_it_and_can_be_restored(
    working: Installation, tmp_path: Path
) -> None:
    working.run("store", "backup", str(tmp_path / "backup"))
    packs, parts = (working.state / "store" / kind for kind in ("packs", "parts"))
    cut, gone = next(packs.glob("*/*")), next(parts.glob("*/*.keras"))
    cut.write_bytes(cut.read_bytes()[:-1])
    gone.unlink()

    found = {fault["key"]: fault for fault in working.json("store", "check", status=1)["faults"]}
    pack, model = (str(path.relative_to(working.state / "store")) for path in (cut, gone))
    assert set(found) == {pack, model}
    assert found[pack]["problem"] == "damaged"
    assert found[pack]["needed_by"].startswith("image_manifest ")
    assert found[model]["problem"] == "missing"
    assert found[model]["needed_by"].startswith("trained_model ")

    assert "Copied 2 of" in working.run("store", "restore", str(tmp_path / "backup")).stdout
    assert "all of them are there" in working.run("store", "check", "--content").stdout


def test_bytes_that_have_changed_are_found_by_reading_them(working: Installation) -> None:
    changed = [next((working.state / "store" / kind).glob("*/*")) for kind in ("packs", "parts")]
    for path in changed:
        data = bytearray(path.read_bytes())
        data[len(data) // 4] ^= 1
        path.write_bytes(data)

    working.run("store", "check")
    found = working.json("store", "check", "--content", status=1)
    assert {fault["key"] for fault in found["faults"]} == {
        str(path.relative_to(working.state / "store")) for path in changed
    }


def test_a_backup_that_is_not_there_is_said(working: Installation, tmp_path: Path) -> None:
    assert "no backup in" in working.run("store", "restore", str(tmp_path / "nothing"), status=1).stderr
