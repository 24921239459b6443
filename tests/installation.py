"""An installation of its own for a test: state in a temporary folder, commands in processes of their own."""

import fcntl
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from PIL import Image, ImageDraw

from cv_pipelines.settings import ROOT

PATIENCE = 300.0
"""Seconds after which a test gives up: how fast a busy machine is is no promise, and what is one is measured."""

COMMAND = str(Path(sys.executable).with_name("cv-pipelines"))


@dataclass(frozen=True)
class Installation:
    """State in a folder of its own; nothing of the environment's settings gets in."""

    state: Path
    extra: Mapping[str, str] = field(default_factory=dict)

    @property
    def environment(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("CV_", "DAGSTER_"))}
        own = {
            "CV_STATE": str(self.state),
            "DAGSTER_HOME": str(ROOT),
            "TF_CPP_MIN_LOG_LEVEL": "2",
            "COLUMNS": "200",
        }
        return {**kept, **own, **self.extra}

    def run(self, *arguments: str, status: int = 0) -> subprocess.CompletedProcess[str]:
        """Run `cv-pipelines` and expect an exit status."""
        done = subprocess.run(
            [COMMAND, *arguments], env=self.environment, capture_output=True, text=True, timeout=900, check=False
        )
        assert done.returncode == status, f"{arguments} ended with {done.returncode}\n{done.stdout}\n{done.stderr}"
        assert "Traceback" not in done.stderr
        return done

    def json(self, *arguments: str, status: int = 0) -> Any:
        """Run a command with `--json` and read what it prints."""
        return json.loads(self.run(*arguments, "--json", status=status).stdout)

    def python(self, code: str) -> str:
        """Run Python code in this installation; returns what it prints."""
        command = [sys.executable, "-W", "ignore", "-c", code]
        done = subprocess.run(
            command, env=self.environment, capture_output=True, text=True, timeout=900, check=False, cwd=ROOT
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def runs(self) -> list[dict[str, Any]]:
        """Status and tags of all runs on the Dagster instance, newest first."""
        code = (
            "import json; from dagster import DagsterInstance\n"
            "with DagsterInstance.get() as instance:\n"
            "    print(json.dumps([{'id': r.run_id, 'status': r.status.value, 'tags': dict(r.tags)}"
            " for r in instance.get_runs()]))"
        )
        runs: list[dict[str, Any]] = json.loads(self.python(code))
        return runs

    @contextmanager
    def dev(self) -> Iterator[str]:
        """The Dagster UI with its daemon on a free port; yields its address."""
        port = free_port()
        url = f"http://127.0.0.1:{port}"
        command = [COMMAND, "dev", "--port", str(port)]
        log = (self.state / "dev.log").open("w")
        process = subprocess.Popen(command, env=self.environment, stdout=log, stderr=log, start_new_session=True)
        try:
            wait_for(lambda: answers(f"{url}/server_info"))
            yield url
        finally:
            os.killpg(process.pid, signal.SIGTERM)
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
            log.close()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2) as response:
            return bool(response.status == 200)
    except OSError:
        return False


def wait_for(condition: Any, seconds: float = PATIENCE, every: float = 0.2) -> None:
    """Wait until something holds, and fail loudly when it does not; ask seldom where asking is a process."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not within {seconds} s"
        time.sleep(every)


def draw_shapes(folder: Path, each: int = 30, seed: int = 0) -> Path:
    """Pictures of discs, bars and frames in colours and places of their own, one folder per class."""
    random = np.random.default_rng(seed)
    for kind in ("bar", "disc", "frame"):
        (folder / kind).mkdir(parents=True, exist_ok=True)
        for number in range(each):
            image = Image.new("RGB", (24, 24), tuple(int(value) for value in random.integers(0, 90, 3)))
            draw = ImageDraw.Draw(image)
            x, y = (int(value) for value in random.integers(3, 8, 2))
            colour = tuple(int(value) for value in random.integers(150, 256, 3))
            if kind == "disc":
                draw.ellipse((x, y, x + 13, y + 13), fill=colour)
            elif kind == "bar":
                draw.rectangle((x, y, x + 3, y + 13), fill=colour)
            else:
                draw.rectangle((x, y, x + 13, y + 13), outline=colour, width=2)
            image.save(folder / kind / f"{number:03}.png")
    return folder


def draw_film(path: Path, frames: int = 90) -> Path:
    """A video of a disc that moves, 30 frames a second."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w") as film:
        stream = film.add_stream("libx264", rate=30)
        stream.width, stream.height, stream.pix_fmt = 96, 64, "yuv420p"
        for number in range(frames):
            image = Image.new("RGB", (96, 64), "navy")
            ImageDraw.Draw(image).ellipse((number, 20, number + 20, 40), fill="orange")
            film.mux(stream.encode(av.VideoFrame.from_ndarray(np.asarray(image), "rgb24")))
        film.mux(stream.encode())
    return path


@pytest.fixture
def installation(tmp_path: Path) -> Installation:
    """An installation with nothing in it."""
    state = tmp_path / "state"
    state.mkdir()
    return Installation(state)


@pytest.fixture(scope="session")
def shapes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of 90 pictures in three classes."""
    return draw_shapes(tmp_path_factory.mktemp("source") / "shapes")


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Installation:
    """An installation in which the loop has run on pictures like `shapes`; for tests that only look."""
    with shared_folder(tmp_path_factory, "finished") as folder:
        original, source = Installation(folder / "state"), folder / "shapes"
        if not (folder / "done").exists():
            original.state.mkdir()
            original.run("dataset", "add", "shapes", str(draw_shapes(source)))
            original.run("run", "shapes", "--set", "epochs=6", "--set", "batch_size=16")
            (folder / "done").touch()
    own = Installation(tmp_path_factory.mktemp("finished"))
    shutil.copytree(original.state, own.state, dirs_exist_ok=True)
    return own


@contextmanager
def shared_folder(tmp_path_factory: pytest.TempPathFactory, name: str) -> Iterator[Path]:
    """A folder for what all processes of a test run use, and the first one makes; held for one at a time."""
    own = tmp_path_factory.getbasetemp()
    folder = (own.parent if "PYTEST_XDIST_WORKER" in os.environ else own) / name
    folder.mkdir(exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield folder


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory, finished: Installation) -> Iterator[tuple[Installation, str]]:
    """A copy of `finished` with UI and daemon running, and the address of the UI."""
    installation = Installation(tmp_path_factory.mktemp("served"))
    shutil.copytree(finished.state, installation.state, dirs_exist_ok=True)
    with installation.dev() as url:
        yield installation, url


@pytest.fixture(scope="session")
def chromium() -> str:
    """The system's browser."""
    path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    return path or missing("chromium", "apt-get install chromium")


def missing(program: str, install: str) -> Any:
    """Skip for want of a program; in CI that is a failure."""
    reason = f"{program} is not installed: {install}"
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)
