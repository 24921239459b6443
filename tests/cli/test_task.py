"""Tasks from the command line: handed in, looked at, waited for, cancelled."""

import json
import re
import signal
import subprocess
import threading
import time
from pathlib import Path
from typing import Any

from cv_pipelines.tasks.ledger.claims import claim, open_attempts
from cv_pipelines.tasks.ledger.dead_letters import list_letters
from cv_pipelines.tasks.ledger.ledger import Ledger
from cv_pipelines.tasks.ledger.outcomes import Done, Outcome
from cv_pipelines.tasks.ledger.queries import find_task
from cv_pipelines.tasks.ledger.submission import submit
from cv_pipelines.tasks.ledger.work import begin, finish
from cv_pipelines.tasks.problem import TaskError
from tests.installation import COMMAND, PATIENCE, Installation, wait_for


def hand_in(ledger: Ledger, task_id: str, kind: str = "sleep", **fields: Any) -> None:
    message = {"schema": "cv.task/v1", "task_id": task_id, "kind": kind, "params": {"seconds": 1}, **fields}
    submit(ledger, json.dumps(message).encode())


def do_all(ledger: Ledger, outcome: Outcome, run_id: str = "run-1") -> None:
    """What sensor and run do with tasks that wait."""
    claim(ledger)
    (attempt,) = open_attempts(ledger)
    begun = begin(ledger, attempt.id, run_id)
    assert begun is not None
    finish(ledger, begun, {task.id: outcome for task in begun.tasks})


def test_a_task_is_in_the_ledger_as_it_was_handed_in(
    installation: Installation, ledger: Ledger, tmp_path: Path
) -> None:
    file = tmp_path / "params.json"
    file.write_text('{"dataset": "flowers", "uris": ["s3://photos/1.jpg"]}')
    options = ["--id", "a", "--priority", "7", "--deadline", "+2h", "--webhook", "https://example.com/told"]
    arguments = ("task", "submit", "classify_images", "--file", str(file), "--param", "top=1", *options)

    first = installation.json(*arguments)

    assert (first["task_id"], first["new"], first["state"], first["priority"]) == ("a", True, "queued", 7)
    row = find_task(ledger, "a")
    assert row.params == {"dataset": "flowers", "uris": ["s3://photos/1.jpg"], "image": None, "top": 1}
    assert row.reply == {"webhook": "https://example.com/told"}
    assert row.submitted_by
    assert abs((row.deadline - row.created_at).total_seconds() - 7200) < 60


def test_a_task_that_cannot_be_one_is_told_and_is_no_dead_letter(
    installation: Installation, ledger: Ledger
) -> None:
    hand_in(ledger, "a", submitted_by="somebody else")
    for arguments, reason in [
        (("sleep", "--param", "seconds=-1"), "params.seconds: Input should be greater than or equal to 0"),
        (("sleep", "--param", "seconds=1", "--id", "a"), "another task has had the id a before"),
    ]:
        done = installation.run("task", "submit", *arguments, status=1)
        assert reason in " ".join(done.stderr.split())

    assert list_letters(ledger, None) == []


def test_a_message_from_stdin_handed_in_twice_is_one_task(installation: Installation, ledger: Ledger) -> None:
    message = {
        "schema": "cv.task/v1",
        "task_id": "a",
        "kind": "sleep",
        "params": {"seconds": 1},
        "submitted_by": "",
    }
    told = []
    for _ in range(2):
        command = [COMMAND, "task", "submit", "sleep", "--file", "-"]
        text = json.dumps(message)
        told.append(
            subprocess.run(
                command, env=installation.environment, input=text, capture_output=True, text=True, check=True
            )
        )

    assert "Handed in: task a" in told[0].stdout
    assert "is not done twice: task a" in told[1].stdout
    assert "start 'make dev'" in told[0].stderr
    assert find_task(ledger, "a").last_event == 1


def test_who_waits_gets_the_result(installation: Installation, ledger: Ledger) -> None:
    def work() -> None:
        wait_for(lambda: claim(ledger))
        do_all(ledger, Done({"slept": 1.0}))

    worker = threading.Thread(target=work)
    worker.start()
    arguments = ("task", "submit", "sleep", "--param", "seconds=1", "--id", "a", "--wait")
    shown = installation.json(*arguments)
    worker.join()

    assert (shown["state"], shown["result"], shown["run_id"]) == ("succeeded", {"slept": 1.0}, "run-1")
    assert shown["run_url"] == "http://127.0.0.1:3000/runs/run-1"


def test_who_waits_for_a_task_that_fails_gets_status_1_and_the_reason(
    installation: Installation, ledger: Ledger
) -> None:
    fields: dict[str, Any] = {"kind": "fail", "params": {"source": "input"}, "submitted_by": "me"}
    hand_in(ledger, "a", **fields)
    do_all(ledger, TaskError(source="input", code="asked", message="As you like."))
    message = {"schema": "cv.task/v1", "task_id": "a", **fields}
    file = installation.state / "message.json"
    file.write_text(json.dumps(message))

    done = installation.run("task", "submit", "fail", "--file", str(file), "--wait", status=1)

    assert "input: As you like." in done.stdout


def test_who_stops_waiting_hears_that_the_task_goes_on(installation: Installation, ledger: Ledger) -> None:
    command = [COMMAND, "task", "submit", "sleep", "--param", "seconds=1", "--id", "a", "--wait"]
    process = subprocess.Popen(
        command, env=installation.environment, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True
    )
    assert process.stderr is not None
    seen = ""
    while "Task a: queued" not in seen:
        line = process.stderr.readline()
        assert line, seen
        seen += line
    time.sleep(0.2)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=PATIENCE)

    assert process.returncode == 130
    assert "The task goes on." in said
    assert "Traceback" not in said
    assert find_task(ledger, "a").state == "queued"


def test_a_list_goes_on_with_the_command_that_it_prints(installation: Installation, ledger: Ledger) -> None:
    for number in range(5):
        hand_in(ledger, f"t{number}")
    hand_in(ledger, "other", kind="fail", params={"source": "input"})
    wanted = ("task", "list", "--kind", "sleep", "--state", "queued", "--newer", "1h", "--limit", "2")

    first = installation.run(*wanted).stdout
    page = first.partition("More: cv-pipelines ")[2].split()
    second = installation.json(*page)
    third = installation.json(*wanted, "--after", second["after"])

    assert "t4" in first
    assert "t3" in first
    assert "t2" not in first
    assert [one["task_id"] for one in second["tasks"]] == ["t2", "t1"]
    assert ([one["task_id"] for one in third["tasks"]], third["after"]) == (["t0"], None)
    assert installation.json("task", "list", "--older", "1h") == {"tasks": [], "after": None}


def test_tasks_are_cancelled_and_shown_and_a_slip_of_the_pen_cancels_nothing(
    installation: Installation, ledger: Ledger
) -> None:
    hand_in(ledger, "waits")
    hand_in(ledger, "other", kind="fail", params={"source": "input"})

    done = installation.run("task", "cancel", "waits", "wiats", status=1)
    assert "There is no task 'wiats'" in done.stderr
    assert find_task(ledger, "waits").state == "queued"

    assert installation.json("task", "cancel", "waits") == [{"task_id": "waits", "state": "cancelled"}]
    shown = installation.run("task", "status", "waits").stdout
    assert "Cancelled by request." in shown
    happened = installation.json("task", "events", "waits")
    assert [(one["number"], one["state"]) for one in happened["events"]] == [(1, "queued"), (2, "cancelled")]
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT[0-9:.]+Z", one["created_at"]) for one in happened["events"])
    assert "has ended before: cancelled" in installation.run("task", "cancel", "waits").stdout
    assert find_task(ledger, "other").state == "queued"
