"""A run whose process dies together with everybody who could tell, as when the machine loses its power."""

from dataclasses import replace
from pathlib import Path

from cv_pipelines.database.engine import open_database
from cv_pipelines.tasks.ledger.ledger import Ledger
from cv_pipelines.tasks.ledger.queries import find_task
from cv_pipelines.tasks.states import FINAL
from tests.faults.daemons import kill_everything, lone_daemon, run_workers
from tests.faults.test_killed_loop import checkpointed_epochs
from tests.installation import Installation, wait_for
from tests.seldom import SELDOM

TRAINING = '{"dataset": "shapes", "parameters": {"epochs": 20, "patience": 20, "batch_size": 4}}'


def statuses(installation: Installation) -> list[str]:
    return [run["status"] for run in installation.runs() if "cv/attempt" in run["tags"]]


@SELDOM
def test_a_task_of_a_data_set_survives_the_machine(
    installation: Installation, shapes: Path, tmp_path: Path
) -> None:
    installation = replace(installation, extra={"CV_LOST_AFTER": "20"})
    installation.run("dataset", "add", "shapes", str(shapes))
    installation.run("dataset", "sync", "shapes")
    (tmp_path / "parameters.json").write_text(TRAINING)
    installation.run("task", "submit", "train_model", "--file", str(tmp_path / "parameters.json"), "--id", "t")
    ledger = Ledger(open_database(f"sqlite:///{installation.state / 'cv.sqlite'}"))
    with lone_daemon(installation):
        wait_for(lambda: checkpointed_epochs(installation) > 0)
        assert len(run_workers(installation)) == 1
        kill_everything(installation)
    assert statuses(installation) == ["STARTED"]

    with lone_daemon(installation):
        wait_for(lambda: find_task(ledger, "t").error is not None)
        assert find_task(ledger, "t").error["code"] == "lost"
        wait_for(lambda: find_task(ledger, "t").state in FINAL)
    task = find_task(ledger, "t")
    assert (task.state, task.attempts) == ("succeeded", 2)
    assert statuses(installation) == ["SUCCESS", "FAILURE"]
