"""Folders for what comes: each gone when it is done with, whoever deletes others at the same time."""

import asyncio
import os
import time
from pathlib import Path

import pytest

from cv_pipelines.web.uploading.incoming import incoming


def visit(cache: Path) -> Path:
    async def enter() -> Path:
        async with incoming(cache) as folder:
            Path(folder, "file").touch()
            return folder

    return asyncio.run(enter())


def test_a_folder_is_gone_afterwards_and_so_are_those_left_long_ago(tmp_path: Path) -> None:
    old, new = (tmp_path / "incoming" / name for name in ("old", "new"))
    for left, age in ((old, 90_000), (new, 10)):
        left.mkdir(parents=True)
        os.utime(left, times=(time.time() - age,) * 2)

    assert not visit(tmp_path).exists()
    assert (old.exists(), new.exists()) == (False, True)


def test_another_process_may_delete_its_own_meanwhile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Path, "glob", lambda above, _: iter([above / "listed, and deleted since"]))

    assert visit(tmp_path).parent == tmp_path / "incoming"
