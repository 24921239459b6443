"""The tier of one Docker host, in the image that deploy/Dockerfile builds: code server, daemon, and runs."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import pytest
import yaml

from cv_pipelines.database.engine import connect
from cv_pipelines.settings import ROOT
from cv_pipelines.tasks.ledger.ledger import Ledger
from cv_pipelines.tasks.ledger.queries import find_task
from tests.docker_engine import SMALL, Engine
from tests.execution.worker_nodes import make_bucket
from tests.installation import answers, draw_shapes, free_port, wait_for
from tests.servers import S3, Postgres

MOST_BYTES = 1_600_000_000


@dataclass(frozen=True)
class Host:
    """A platform in containers.

    Attributes:
        engine: runs them.
        variables: of all of them, as options of `docker run`.
        ledger: their tasks, for whoever waits: a command in a container takes seconds.
    """

    engine: Engine
    variables: list[str]
    ledger: Ledger

    def start(self, name: str, *command: str, options: tuple[str, ...] = ()) -> str:
        common = ["run", "--detach", "--network=host", f"--name={name}", *self.variables, *options]
        return self.engine.docker(*common, SMALL, *command).strip()

    def cli(self, *command: str) -> str:
        common = ["run", "--rm", "--network=host", *self.variables]
        return self.engine.docker(*common, SMALL, "cv-pipelines", *command)

    def run_containers(self, *, running: bool) -> list[str]:
        found = self.engine.api.containers(all=not running, filters={"label": "dagster/run_id"})
        return [one["Id"] for one in found]


@pytest.fixture(scope="module")
def host(
    small_image: Engine, postgres: Postgres, s3_server: S3, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Host]:
    """Code server and daemon, as in deploy/compose.yaml."""
    folder = tmp_path_factory.mktemp("host")
    for parent in (folder, *folder.parents[:2]):
        Path(parent).chmod(0o755)
    draw_shapes(folder / "shapes", each=4)
    bucket = f"one-host-{uuid4().hex[:8]}"
    make_bucket(s3_server.environment, bucket)
    port = free_port()
    values = {
        **s3_server.environment,
        "CV_DATABASE_URL": postgres.new_database(),
        "CV_STORE_URL": f"s3://{bucket}",
        "CV_CODE_SERVER": "127.0.0.1",
        "CV_WORKERS": "1",
    }
    kwargs = {"network_mode": "host", "volumes": [f"{folder}:{folder}:ro"]}
    context = {
        "docker": {"env_vars": [name for name in values if name != "CV_CODE_SERVER"], "container_kwargs": kwargs}
    }
    settings = values | {"DAGSTER_CONTAINER_CONTEXT": json.dumps(context), "DAGSTER_CURRENT_IMAGE": SMALL}
    workspace = (ROOT / "deploy/workspace.yaml").read_text().replace("4000", str(port))
    (folder / "workspace.yaml").write_text(workspace)
    mounted = (f"--volume={folder}:{folder}:ro",)
    ledger = Ledger(connect(values["CV_DATABASE_URL"]))
    one = Host(small_image, [*(f"--env={name}={value}" for name, value in settings.items()), *mounted], ledger)
    one.cli("db", "upgrade")
    one.cli("dataset", "add", "shapes", str(folder / "shapes"))
    names = [f"{part}-{bucket}" for part in ("code", "daemon")]
    server = [
        "dagster",
        "code-server",
        "start",
        "-h",
        "127.0.0.1",
        "-p",
        str(port),
        "-m",
        "cv_pipelines.definitions",
    ]
    one.start(names[0], *server)
    socket = f"{small_image.folder}/docker.sock"
    as_root = ("--user=0", f"--volume={socket}:/var/run/docker.sock")
    one.start(names[1], "dagster-daemon", "run", "-w", str(folder / "workspace.yaml"), options=as_root)
    yield one
    ledger.database.dispose()
    for name in names:
        print(small_image.docker("logs", name)[-3000:])
    left = [entry["Id"] for entry in small_image.api.containers(all=True)]
    if left:
        small_image.docker("rm", "-f", *left)


def test_the_small_image_is_small_and_not_roots_and_does_not_learn(small_image: Engine) -> None:
    (size,) = {one["Size"] for one in small_image.api.images(SMALL)}

    assert size < MOST_BYTES
    assert small_image.docker("run", "--rm", SMALL, "id", "-u").strip() == "10001"
    look = "print(u.find_spec('tensorflow'), u.find_spec('pytest'))"
    code = f"import importlib.util as u, cv_pipelines.definitions; {look}"
    assert small_image.docker("run", "--rm", SMALL, "python", "-c", code).strip() == "None None"
    history = small_image.docker("history", "--no-trunc", SMALL)
    assert "CHANGE_ME" not in history
    assert "password" not in history.lower()


def test_the_small_image_serves_the_web_application_and_its_health_check_works(host: Host) -> None:
    service = yaml.safe_load((ROOT / "deploy/compose.yaml").read_text())["services"]["web"]
    port = str(free_port())
    command = [port if one == "8000" else one.replace("${CV_WEB_PROCESSES:-2}", "2") for one in service["command"]]
    check = service["healthcheck"]["test"][1:]
    container = host.start(f"web-{port}", *command)

    try:
        wait_for(lambda: "web application is at" in host.engine.docker("logs", container))
        wait_for(lambda: answers(f"http://127.0.0.1:{port}/healthy"))
        done = host.engine.docker("exec", container, *(one.replace("8000", port) for one in check))
        assert done == ""
    finally:
        host.engine.docker("rm", "-f", container)


def test_a_task_becomes_a_run_in_a_container_of_its_own(host: Host) -> None:
    task = json.loads(
        host.cli("task", "submit", "ingest_dataset", "--param", "dataset=shapes", "--wait", "--json")
    )

    assert task["state"] == "succeeded"
    facts = task["result"]["materializations"][0]["facts"]
    assert facts["images"] == 12
    assert len(host.run_containers(running=False)) == 1
    log = host.cli("store", "check", "--json")
    assert json.loads(log)["faults"] == []


def test_a_run_that_is_cancelled_ends_with_its_container(host: Host) -> None:
    host.cli("task", "submit", "sleep", "--param", "seconds=600", "--id", "long")
    wait_for(lambda: find_task(host.ledger, "long").state == "running")
    assert len(host.run_containers(running=True)) == 1

    host.cli("task", "cancel", "long")

    wait_for(lambda: find_task(host.ledger, "long").state == "cancelled")
    wait_for(lambda: host.run_containers(running=True) == [])
