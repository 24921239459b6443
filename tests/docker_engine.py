"""A Docker daemon of a test's own, and the platform's image built by it."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import docker
import pytest

from cv_pipelines.settings import ROOT
from tests.installation import missing, wait_for

BASE, SMALL = "cv-test-base:1", "cv-pipelines:small"
_PACKAGES = "python3,python3-venv,ca-certificates"
_BUNDLE = Path("/etc/ssl/certs/ca-certificates.crt")


@dataclass(frozen=True)
class Engine:
    """A daemon whose containers share this machine's network: they reach what tests serve on 127.0.0.1."""

    folder: Path

    @property
    def host(self) -> str:
        """What DOCKER_HOST must be."""
        return f"unix://{self.folder}/docker.sock"

    @property
    def api(self) -> docker.APIClient:
        return docker.APIClient(self.host, version="1.41", timeout=60)

    def docker(self, *arguments: str, seconds: float = 600) -> str:
        """Run the `docker` command; returns what it prints."""
        environment = {**os.environ, "DOCKER_HOST": self.host, "DOCKER_BUILDKIT": "0"}
        done = subprocess.run(
            ["docker", *arguments], env=environment, capture_output=True, text=True, timeout=seconds, check=False
        )
        assert done.returncode == 0, f"docker {' '.join(arguments)}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
        return done.stdout


@contextmanager
def run_engine() -> Iterator[Engine]:
    """Start a daemon, and leave nothing of it behind."""
    for program, package in (("dockerd", "docker.io"), ("docker", "docker.io")):
        if shutil.which(program) is None:
            missing(program, f"apt-get install {package}")
    if os.getuid() != 0:
        missing("root", "tests with a Docker daemon start one: run them as root")
    engine = Engine(Path(tempfile.mkdtemp(prefix="cv-docker-")))
    options = [f"--data-root={engine.folder}/data", f"--exec-root={engine.folder}/exec"]
    options += [f"--pidfile={engine.folder}/pid", "-H", engine.host]
    options += ["--bridge=none", "--iptables=false", "--ip-masq=false", "--shutdown-timeout=2"]
    with (engine.folder / "log").open("wb") as log:
        process = subprocess.Popen(["dockerd", *options], stdout=log, stderr=log, start_new_session=True)
    try:
        wait_for(lambda: process.poll() is not None or _answers(engine))
        assert process.poll() is None, (engine.folder / "log").read_text()[-3000:]
        yield engine
    finally:
        process.terminate()
        process.wait(30)
        _unmount(engine.folder)
        shutil.rmtree(engine.folder, ignore_errors=True)


@pytest.fixture(scope="session")
def small_image() -> Iterator[Engine]:
    """A daemon that has the image `SMALL`."""
    with run_engine() as engine:
        build_image(engine, "small", SMALL)
        yield engine


def build_image(engine: Engine, target: str, tag: str, seconds: float = 600) -> None:
    """Build a target of deploy/Dockerfile on a bare Debian."""
    if shutil.which("mmdebstrap") is None:
        missing("mmdebstrap", "apt-get install mmdebstrap")
    _make_base(engine)
    arguments = {"BASE_IMAGE": BASE, "SSL_CERT_FILE": str(_BUNDLE)}
    build = ["build", "--network=host", "-f", str(ROOT / "deploy/Dockerfile")]
    build += [f"--target={target}", f"--tag={tag}"]
    build += [f"--build-arg={name}={value}" for name, value in arguments.items()]
    engine.docker(*build, str(ROOT), seconds=seconds)


def _make_base(engine: Engine) -> None:
    """A Debian with Python, and with the certificate authorities of this machine; no image has to be pulled."""
    root = engine.folder / "base.tar"
    options = ["--variant=minbase", "--mode=root", f"--include={_PACKAGES}", "--quiet"]
    trust = f"--customize-hook=copy-in {_BUNDLE} /etc/ssl/certs" if _BUNDLE.exists() else "--customize-hook=true"
    done = subprocess.run(
        ["mmdebstrap", *options, trust, "bookworm", str(root)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-3000:]
    engine.docker("import", str(root), BASE)
    root.unlink()


def _answers(engine: Engine) -> bool:
    try:
        return bool(engine.api.ping())
    except (docker.errors.DockerException, OSError):
        return False


def _unmount(folder: Path) -> None:
    mounts = [line.split()[1] for line in Path("/proc/mounts").read_text().splitlines()]
    for mount in sorted((one for one in mounts if one.startswith(f"{folder}/")), reverse=True):
        subprocess.run(["umount", "-l", mount], check=False, capture_output=True)
