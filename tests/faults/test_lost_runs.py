"""A run whose process dies together with everybody who could tell, as when the machine loses its power."""

import time
from pathlib import Path

from tests.faults.daemons import kill_everything, lone_daemon, run_workers
from tests.faults.test_killed_loop import checkpointed_epochs
from tests.installation import Installation, wait_for

TRAINING = '{"dataset": "shapes", "parameters": {"epochs": 60, "patience": 60, "batch_size": 4}}'


def statuses(installation: Installation) -> list[str]:
    return [run["status"] for run in installation.runs() if "cv/attempt" in run["tags"]]


def test_a_task_of_a_data_set_survives_the_machine(
    installation: Installation, shapes: Path, tmp_path: Path
) -> None:
    installation.run("dataset", "add", "shapes", str(shapes))
    installation.run("dataset", "sync", "shapes")
    (tmp_path / "parameters.json").write_text(TRAINING)
    installation.run("task", "submit", "train_model", "--file", str(tmp_path / "parameters.json"), "--id", "t")
    with lone_daemon(installation):
        wait_for(lambda: checkpointed_epochs(installation) > 0, 150)
        assert len(run_workers(installation)) == 1
        kill_everything(installation)
    assert statuses(installation) == ["STARTED"]

    with lone_daemon(installation):
        begun = time.monotonic()
        wait_for(lambda: statuses(installation)[-1] == "FAILURE", 90)
        print(f"failed after {time.monotonic() - begun:.0f} s")
        wait_for(lambda: installation.json("task", "status", "t")["state"] == "succeeded", 180)
    assert installation.json("task", "status", "t")["attempts"] == 2
    assert statuses(installation) == ["SUCCESS", "FAILURE"]
