"""Nodes from the command line, where there is no swarm."""

import json
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from cv_pipelines.cli.main import main
from tests.installation import COMMAND, PATIENCE, Installation


@pytest.fixture
def alone(installation: Installation, tmp_path: Path) -> Installation:
    """An installation without Docker."""
    return replace(installation, extra={"DOCKER_HOST": f"unix://{tmp_path}/nobody.sock"})


@pytest.mark.parametrize("command", [["list"], ["drain", "w1"], ["activate", "w1"], ["join-command"]])
def test_without_docker_one_line_says_what_to_do(alone: Installation, command: list[str]) -> None:
    done = alone.run("node", *command, status=1)

    assert done.stderr.startswith("Error: Docker does not answer")
    assert "DOCKER_HOST" in done.stderr
    assert done.stdout == ""


def test_a_docker_host_that_is_none_is_told(alone: Installation) -> None:
    done = replace(alone, extra={"DOCKER_HOST": "carrier-pigeon://x"}).run("node", "list", status=1)

    assert "DOCKER_HOST" in done.stderr


def test_a_bare_machine_is_told_all_that_it_lacks_at_once(alone: Installation) -> None:
    done = alone.run("node", "check", status=1)

    for name in ("CPUs", "memory", "GPUs", "Docker engine", "database", "object store", "broker"):
        assert name in done.stdout
    assert "Missing: Docker engine, database, object store." in done.stderr
    assert "apt-get install docker.io" in done.stdout


def test_json_says_the_same(alone: Installation) -> None:
    answer = alone.json("node", "check", "--for", "sync", "--for", "train", status=1)

    by_check = {finding["check"]: finding for finding in answer["findings"]}
    assert (answer["fit"], answer["jobs"]) == (False, ["sync", "train"])
    assert by_check["CPUs"]["verdict"] == "ok"
    assert by_check["database"]["mend"].startswith("Set CV_DATABASE_URL")
    assert by_check["broker"]["verdict"] == "skipped"
    assert not Path(alone.state, "cv.sqlite").exists()


def test_jobs_that_ask_for_gpus_make_them_needed(alone: Installation) -> None:
    wanting = replace(alone, extra={**alone.extra, "CV_GPUS": "2", "CV_NODE_GPUS": "1"})

    train = wanting.json("node", "check", "--for", "train", status=1)["findings"]
    sync = wanting.json("node", "check", "--for", "sync", status=1)["findings"]

    (gpus,) = [one for one in train if one["check"] == "GPUs"]
    assert (gpus["found"], gpus["verdict"]) == ("1 (CV_NODE_GPUS)", "missing")
    assert gpus["needed"] == "2 (train: trained_model)"
    assert [(one["needed"], one["verdict"]) for one in sync if one["check"] == "GPUs"] == [("nothing", "ok")]


def test_an_unknown_job_is_told_before_anything_is_looked_at(alone: Installation) -> None:
    done = alone.run("node", "check", "--for", "trian", status=1)

    assert "There is no job 'trian'" in done.stderr
    assert done.stdout == ""


def test_servers_that_do_not_answer_are_findings_and_hold_up_nobody(alone: Installation) -> None:
    extra = {
        "CV_DATABASE_URL": "postgresql://cv:hush@127.0.0.1:9/cv",
        "CV_STORE_URL": "s3://bucket",
        "AWS_ENDPOINT_URL": "http://127.0.0.1:9",
        "AWS_ACCESS_KEY_ID": "key",
        "AWS_SECRET_ACCESS_KEY": "hush",
        "CV_RABBITMQ_URL": "amqp://cv:hush@127.0.0.1:9/",
    }
    environment = {**alone.environment, **extra}

    done = subprocess.run(
        [COMMAND, "node", "check", "--json"],
        env=environment,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )

    found = {one["check"]: one for one in json.loads(done.stdout)["findings"]}
    assert done.returncode == 1
    assert {found[name]["verdict"] for name in ("database", "object store", "broker")} == {"missing"}
    assert "127.0.0.1:9" in found["database"]["found"]
    assert "hush" not in done.stdout + done.stderr


def test_every_command_has_an_example() -> None:
    commands = main.commands["node"].commands  # type: ignore[attr-defined]

    assert set(commands) >= {"check", "list", "drain", "activate", "join-command"}
    for name in ("check", "list", "drain", "activate", "join-command"):
        assert f"cv-pipelines node {name}" in commands[name].help
