"""With `make dev` running, commands hand their work to the daemon."""

from tests.installation import Installation


def test_a_run_is_queued_where_a_daemon_is_alive(served: tuple[Installation, str]) -> None:
    installation, _ = served
    result = installation.json("run", "shapes", "--set", "epochs=6", "--set", "batch_size=16")
    assert result["executed"] == "daemon"
    assert result["succeeded"]
    run = next(run for run in installation.runs() if run["id"] == result["run_id"])
    assert run["tags"]["dagster/partition"] == "shapes"
    assert "cv/process" not in run["tags"]
