"""Tasks as their callers see them: commands in, the real daemon with its sensors, results out."""

import json
import threading
import time
import urllib.request
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from cv_pipelines.database.engine import open_database
from cv_pipelines.tasks.ledger.ledger import Ledger
from cv_pipelines.tasks.ledger.queries import find_task
from cv_pipelines.tasks.states import FINAL
from cv_pipelines.tasks.webhooks import signature
from tests.installation import Installation, wait_for

SECRET = "shared with the receiver"  # noqa: S105 - of a test


class Receiver:
    """A webhook: what it was told, with headers."""

    def __init__(self) -> None:
        self.got: list[tuple[dict[str, str], bytes]] = []
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.got.append((dict(self.headers), body))
                self.send_response(204)
                self.end_headers()

            def log_message(self, *_: Any) -> None: ...

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/hook"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory, shapes: Path) -> Iterator[tuple[Installation, str]]:
    """An installation with the data set `shapes`, its daemon running, and the address of its UI."""
    settings = {"CV_WEBHOOK_SECRET": SECRET, "CV_URL_ALLOW": "127.0.0.1", "CV_FILE_ALLOW": str(shapes)}
    installation = Installation(tmp_path_factory.mktemp("tasks"), settings)
    installation.run("dataset", "add", "shapes", str(shapes))
    with installation.dev() as url:
        yield installation, url


@pytest.fixture
def running(stack: tuple[Installation, str]) -> Installation:
    return stack[0]


@pytest.fixture
def ui(stack: tuple[Installation, str]) -> str:
    return stack[1]


def state(installation: Installation, task: str) -> str:
    """The state of a task, without the second that a command takes."""
    ledger = Ledger(open_database(f"sqlite:///{installation.state / 'cv.sqlite'}"))
    return str(find_task(ledger, task).state)


def final(installation: Installation, task: str) -> dict[str, Any]:
    """A task when it has ended."""
    wait_for(lambda: state(installation, task) in FINAL)
    found: dict[str, Any] = installation.json("task", "status", task)
    return found


def submit(installation: Installation, kind: str, *options: str, **params: Any) -> str:
    """Submit a task; returns its id."""
    texts = {name: value if isinstance(value, str) else json.dumps(value) for name, value in params.items()}
    given = [word for name, text in texts.items() for word in ("--param", f"{name}={text}")]
    return str(installation.json("task", "submit", kind, *given, *options)["task_id"])


def test_a_data_set_is_ingested_trained_on_and_asked_by_tasks_alone(running: Installation, shapes: Path) -> None:
    ingested = final(running, submit(running, "ingest_dataset", dataset="shapes"))
    trained = final(running, submit(running, "train_model", dataset="shapes", parameters={"epochs": 2}))
    files = [path.as_uri() for path in sorted(shapes.glob("*/00?.png"))[:12]] + [f"{shapes.as_uri()}/none.png"]
    asked = final(running, submit(running, "classify_images", dataset="shapes", uris=files, top=2))
    predicted = final(running, submit(running, "predict_dataset", dataset="shapes"))

    assert [one["state"] for one in (ingested, trained, asked, predicted)] == ["succeeded"] * 4
    made = {one["asset"]: one for one in ingested["result"]["materializations"]}
    assert made["image_manifest"]["facts"]["images"] == 90
    assert "champion_model" in {one["asset"] for one in trained["result"]["materializations"]}
    assert "predictions" in {one["asset"] for one in predicted["result"]["materializations"]}
    images = asked["result"]["images"]
    assert [image["uri"] for image in images] == files
    assert all(len(image["predictions"]) == 2 for image in images[:-1])
    assert images[-1]["error"]["source"] == "input"


def test_many_tasks_take_few_runs_and_each_has_its_own_outcome(running: Installation) -> None:
    before = len(running.runs())
    good = [submit(running, "sleep", seconds=0.1) for _ in range(4)]
    bad = submit(running, "fail", source="input", message="no good")
    flaky = submit(running, "fail", source="infrastructure", times=1)

    wait_for(lambda: {state(running, one) for one in good} == {"succeeded"})
    assert final(running, bad)["error"] == {"source": "input", "code": "asked_to_fail", "message": "no good"}
    again = final(running, flaky)
    assert (again["state"], again["attempts"], again["result"]) == ("succeeded", 2, {"attempts": 2})
    assert len(running.runs()) - before <= 6


def test_a_webhook_is_told_of_every_change_signed_and_numbered(running: Installation) -> None:
    receiver = Receiver()
    task = submit(running, "sleep", "--webhook", receiver.url, seconds=0.5)
    final(running, task)
    wait_for(lambda: len(receiver.got) >= 3)

    told = [json.loads(body) for _, body in receiver.got]
    assert [one["number"] for one in told][:3] == [1, 2, 3]
    assert (told[0]["state"], told[-1]["state"], told[-1]["result"]) == ("queued", "succeeded", {"slept": 0.5})
    assert all(headers["X-Signature-256"] == signature(body, SECRET) for headers, body in receiver.got)


def test_a_running_task_is_cancelled_within_seconds_and_its_neighbour_goes_on(running: Installation) -> None:
    long, short = submit(running, "sleep", seconds=600), submit(running, "sleep", seconds=8)
    wait_for(lambda: state(running, long) == "running")

    running.run("task", "cancel", long)
    started = time.monotonic()

    assert final(running, long)["state"] == "cancelled"
    assert time.monotonic() - started < 30
    assert final(running, short)["state"] == "succeeded"


def test_a_run_that_is_cancelled_in_the_ui_cancels_its_tasks(running: Installation, ui: str) -> None:
    task = submit(running, "sleep", seconds=600)
    wait_for(lambda: state(running, task) == "running")
    run = running.json("task", "status", task)["run_id"]

    query = f'mutation {{ terminateRun(runId: "{run}") {{ __typename }} }}'
    body = json.dumps({"query": query}).encode()
    request = urllib.request.Request(f"{ui}/graphql", body, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=30) as answer:
        assert json.load(answer)["data"]["terminateRun"]["__typename"] == "TerminateRunSuccess"

    assert final(running, task)["state"] == "cancelled"


def test_a_deadline_ends_what_waits_and_what_runs(running: Installation) -> None:
    task = submit(running, "sleep", "--deadline", "+12s", seconds=600)

    ended = final(running, task)

    assert (ended["state"], ended["error"]["code"]) == ("expired", "deadline")
