"""kill -9 in the middle of the loop: the next one goes on, and nothing is left that looks alive."""

import json
import os
import shutil
import signal
import subprocess
from pathlib import Path

from tests.installation import COMMAND, Installation, wait_for


def start(installation: Installation, *arguments: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [COMMAND, *arguments],
        env=installation.environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


def checkpointed_epochs(installation: Installation) -> int:
    pointers = list((installation.state / "store" / "checkpoints").glob("*/newest.json"))
    return len(json.loads(pointers[0].read_text())["history"]) if pointers else 0


def test_a_killed_training_resumes_from_its_checkpoint(installation: Installation, shapes: Path) -> None:
    installation.run("dataset", "add", "shapes", str(shapes))
    settings = ("--set", "epochs=400", "--set", "patience=400", "--set", "batch_size=4")
    process = start(installation, "run", "shapes", *settings)
    wait_for(lambda: checkpointed_epochs(installation) > 0)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    epochs = checkpointed_epochs(installation)
    before = json.loads(next((installation.state / "store/checkpoints").glob("*/newest.json")).read_text())

    # the rest of it on another machine: the same store and database, no cache
    shutil.rmtree(installation.state / "cache")
    again = start(installation, "run", "shapes", *settings)
    wait_for(lambda: checkpointed_epochs(installation) > epochs)
    os.killpg(again.pid, signal.SIGINT)
    again.wait()
    after = json.loads(next((installation.state / "store/checkpoints").glob("*/newest.json")).read_text())
    assert after["history"][:epochs] == before["history"]

    statuses = [run["status"] for run in installation.runs()]
    assert statuses == ["CANCELED", "FAILURE"], "the interrupted run, and the killed one that it found"
