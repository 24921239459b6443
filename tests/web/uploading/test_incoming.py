"""Folders for what comes: each gone when it is done with, or with the process that has died over it."""

import asyncio
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from cv_pipelines.web.uploading.incoming import clear_incoming, incoming

HOLD = """
import asyncio, sys
from pathlib import Path
from cv_pipelines.web.uploading.incoming import incoming

async def hold():
    async with incoming(Path(sys.argv[1])) as folder:
        (folder / "half").touch()
        print(folder, flush=True)
        await asyncio.sleep(60)

asyncio.run(hold())
"""


def visit(cache: Path) -> tuple[Path, bool]:
    """Its folder, and whether a file could be written there after others were cleared."""

    async def enter() -> tuple[Path, bool]:
        async with incoming(cache) as folder:
            clear_incoming(cache)
            Path(folder, "file").touch()
            return folder, folder.exists()

    return asyncio.run(enter())


def test_a_folder_is_gone_afterwards_and_not_before(tmp_path: Path) -> None:
    folder, was_there = visit(tmp_path)

    assert was_there
    assert not folder.exists()


def test_what_another_process_fills_stays_until_it_is_killed(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", HOLD, str(tmp_path)], stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout
        held = Path(other.stdout.readline().strip())

        clear_incoming(tmp_path)
        assert Path(held, "half").exists()

        other.send_signal(signal.SIGKILL)
        other.wait(30)
        clear_incoming(tmp_path)
        assert not held.exists()


def test_many_that_come_while_others_are_cleared_all_get_a_folder(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as threads:
        found = list(threads.map(lambda _: visit(tmp_path), range(200)))

    assert all(was_there for _, was_there in found)
    assert list(Path(tmp_path, "incoming").iterdir()) == []
