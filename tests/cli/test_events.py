"""Abandoned events from the command line, and the contract's documents."""

import json
from pathlib import Path

from cv_pipelines.tasks.ledger.intake import Letter, receive
from cv_pipelines.tasks.ledger.ledger import Ledger
from cv_pipelines.tasks.ledger.outbox import MOST_TRIES, Delivery, Failure, settle
from tests.installation import Installation


def abandoned(ledger: Ledger, task_id: str) -> None:
    """A task whose webhook never answers."""
    message = {"schema": "cv.task/v1", "task_id": task_id, "kind": "sleep", "params": {"seconds": 1}}
    reply = {"webhook": "https://example.com/told"}
    (event,) = receive(ledger, [Letter(json.dumps({**message, "reply": reply}).encode())]).events
    for _ in range(MOST_TRIES):
        call = Delivery(event, reply["webhook"], 500, "the server answers 500", 3)
        settle(ledger, {event: {"webhook": Failure("webhook: the server answers 500")}}, [call])


def test_abandoned_events_are_shown_with_their_calls_and_opened_again(
    installation: Installation, ledger: Ledger
) -> None:
    abandoned(ledger, "a")
    abandoned(ledger, "b")

    told = installation.run("task", "events", "a").stdout
    assert "abandoned" in told
    assert told.count("https://example.com/told") == MOST_TRIES
    assert "cv-pipelines events redeliver a" in told
    assert "Open events: 0. Abandoned: 2." in installation.run("events", "redeliver").stdout
    assert installation.json("events", "redeliver", "a") == {"reopened": 1, "open": 1, "abandoned": 1}
    shown = installation.json("task", "events", "a")
    assert (shown["events"][0]["delivery"], shown["events"][0]["tries"]) == ("open", 0)
    assert installation.json("events", "redeliver", "--all") == {"reopened": 1, "open": 2, "abandoned": 0}
    assert "There is no task 'c'" in installation.run("events", "redeliver", "c", status=1).stderr


def test_the_contract_is_exported_as_documents(installation: Installation, tmp_path: Path) -> None:
    written = [Path(path) for path in installation.json("schema", "export", str(tmp_path / "new" / "schemas"))]

    assert {path.parent for path in written} == {tmp_path / "new" / "schemas"}
    assert all(json.loads(path.read_text()) for path in written)
    assert {"task.sleep.v1.json", "status.v1.json", "asyncapi.v3.json"} <= {path.name for path in written}
