"""Terminate in the UI stops a run for good: nothing goes on behind it."""

import json
import time
import urllib.request
from pathlib import Path

from tests.faults.test_killed_loop import checkpointed_epochs, start
from tests.installation import PATIENCE, Installation, wait_for


def messages(installation: Installation, run: str) -> str:
    return installation.python(
        "from dagster import DagsterInstance\n"
        f"with DagsterInstance.get() as instance: print([one.message for one in instance.all_logs({run!r})])"
    )


def test_a_terminated_training_stops(installation: Installation, shapes: Path) -> None:
    installation.run("dataset", "add", "shapes", str(shapes))
    with installation.dev() as url:
        follower = start(installation, "run", "shapes", "--set", "epochs=4000", "--set", "patience=4000")
        wait_for(lambda: checkpointed_epochs(installation) > 0)
        (run,) = installation.runs()
        query = f'mutation {{ terminateRun(runId: "{run["id"]}") {{ __typename }} }}'
        request = urllib.request.Request(
            f"{url}/graphql", json.dumps({"query": query}).encode(), {"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(request, timeout=30) as answer:
            assert json.load(answer)["data"]["terminateRun"]["__typename"] == "TerminateRunSuccess"
        wait_for(lambda: installation.runs()[0]["status"] == "CANCELED", every=2)
        assert "timed out" not in messages(installation, run["id"]), "it ended by itself, nobody had to force it"
        assert follower.wait(PATIENCE) == 1
        before = checkpointed_epochs(installation)
        time.sleep(20)  # longer than checkpoints are apart
        assert checkpointed_epochs(installation) == before
