"""A Docker Swarm of a test's own: a manager and two workers with a GPU each, in network namespaces of one machine.

Workers offer GPUs as a generic resource, for which no GPU is needed. Each node has a daemon of its own; the tests
themselves are on the same network, at `Swarm.address`, so that containers reach what tests serve there.
"""

import io
import os
import shutil
import signal
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from uuid import uuid4

import docker
import psutil
import pytest

from tests.installation import missing, wait_for

NODES = ("mgr", "w1", "w2")
WORKERS = NODES[1:]
_CGROUPS = ("/sys/fs/cgroup/pids", "/sys/fs/cgroup/memory", "/sys/fs/cgroup")


def _run(*command: str, check: bool = True) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert not check or done.returncode == 0, f"{' '.join(command)}: {done.stderr}"
    return done.stdout


@dataclass
class Swarm:
    """Three daemons in a folder.

    Attributes:
        folder: of their data, logs and sockets.
        gpus: that each worker offers.
        image: id of an image on all nodes with nothing in it but places for what this machine has: `host_mounts`.
        options: of every daemon, further ones.
    """

    folder: Path
    gpus: int = 1
    image: str = ""
    options: tuple[str, ...] = ()
    _id: str = field(default_factory=lambda: uuid4().hex[:6])
    _daemons: dict[str, "subprocess.Popen[bytes]"] = field(default_factory=dict)

    @property
    def network(self) -> str:
        """The first three numbers of its addresses, which no other swarm of this machine has."""
        number = int(self._id, 16)
        return f"10.{64 + number % 64}.{number // 64 % 256}"

    @property
    def address(self) -> str:
        """Where this process can be reached from all nodes and their containers."""
        return f"{self.network}.254"

    @property
    def registry(self) -> str:
        """Of images, if it was started."""
        return f"{self.network}.1:5000"

    def socket(self, node: str) -> str:
        """What DOCKER_HOST must be for a node."""
        return f"unix://{self.folder}/{node}/docker.sock"

    @cached_property
    def apis(self) -> Mapping[str, docker.APIClient]:
        """A client of each node's daemon."""
        return {node: docker.APIClient(self.socket(node), version="1.41", timeout=20) for node in NODES}

    def up(self) -> None:
        """Start everything, and join the workers."""
        self._connect()
        for node in NODES:
            self._spawn(node)
        for node in NODES:
            self._await(node)
        manager = self.apis["mgr"]
        manager.init_swarm(advertise_addr=f"{self.network}.1")
        token = manager.inspect_swarm()["JoinTokens"]["Worker"]
        for number, node in enumerate(WORKERS):
            address = f"{self.network}.{11 + number}"
            self.apis[node].join_swarm([f"{self.network}.1:2377"], token, advertise_addr=address)
        wait_for(lambda: len(self._ready()) == len(NODES))
        manager.import_image_from_data(_empty_image(), "cv-test-host", "1")
        for node in WORKERS:
            self.apis[node].load_image(manager.get_image("cv-test-host:1"))
        self.image = manager.inspect_image("cv-test-host:1")["Id"]

    def down(self) -> None:
        """Stop and remove everything."""
        for node in NODES:
            self._kill_containers(node)
        for process in self._daemons.values():
            process.terminate()
        for process in self._daemons.values():
            with suppress(subprocess.TimeoutExpired):
                process.wait(15)
            process.kill()
            process.wait()
        for node in NODES:
            self._kill_shims(node)
        mounts = [line.split()[1] for line in Path("/proc/mounts").read_text().splitlines()]
        for mount in sorted((one for one in mounts if one.startswith(f"{self.folder}/")), reverse=True):
            _run("umount", "-l", mount, check=False)
        for node in (*NODES, "net"):
            _run("ip", "netns", "del", self._space(node), check=False)
        _run("ip", "link", "del", f"h{self._id}", check=False)
        for node in NODES:
            for root in Path("/sys/fs/cgroup").glob(f"*/{self._space(node)}"):
                _run("find", str(root), "-depth", "-type", "d", "-exec", "rmdir", "{}", "+", check=False)
        shutil.rmtree(self.folder, ignore_errors=True)

    def inside(self, node: str) -> list[str]:
        """How a command begins that is to be in a node's network."""
        return ["nsenter", f"--net=/var/run/netns/{self._space(node)}"]  # `ip netns exec` hides the cgroups

    def cut(self, node: str) -> None:
        """Take a node's network away."""
        _run("ip", "-n", self._space("net"), "link", "set", f"p-{node}", "down")

    def heal(self, node: str) -> None:
        """Give it back."""
        _run("ip", "-n", self._space("net"), "link", "set", f"p-{node}", "up")

    def kill(self, node: str) -> None:
        """Take a node's power away: its daemon and its containers, at once."""
        self._daemons[node].kill()
        self._daemons.pop(node).wait()
        self._kill_shims(node)
        self._kill_containers(node)

    def start(self, node: str) -> None:
        """Give a node its power back."""
        for left in ("pid", "exec/containerd/containerd.pid"):  # their processes may be zombies, which look alive
            (self.folder / node / left).unlink(missing_ok=True)
        self._spawn(node)
        self._await(node)

    def restart_daemon(self, node: str) -> None:
        """Stop a node's daemon as a person would, and start it again."""
        self._daemons[node].terminate()
        self._daemons.pop(node).wait(30)
        self.start(node)

    def containers(self, label: str) -> dict[str, list[str]]:
        """Ids of containers that have a label, running or not, by node; of nodes that are up."""
        found = {}
        for node in self._daemons:
            some = self.apis[node].containers(all=True, filters={"label": label})
            if some:
                found[node] = [one["Id"] for one in some]
        return found

    def processes(self, node: str) -> list[int]:
        """Living processes of all containers of a node, its daemon alive or not."""
        found: set[int] = set()
        for root in _CGROUPS:
            for path in Path(root, self._space(node)).glob("*/cgroup.procs"):
                with suppress(OSError):
                    found.update(int(line) for line in path.read_text().split())
        return sorted(one for one in found if _is_alive(one))

    def is_ready(self, node: str) -> bool:
        """Whether the manager hears of a node."""
        return node in self._ready()

    def _ready(self) -> list[str]:
        nodes = self.apis["mgr"].nodes()
        return [one["Description"]["Hostname"] for one in nodes if one["Status"]["State"] == "ready"]

    def _space(self, node: str) -> str:
        return f"cv{self._id}-{node}"

    def _connect(self) -> None:
        """One bridge in a namespace of its own, a wire to each node, and one to us."""
        net, here = self._space("net"), f"h{self._id}"
        _run("ip", "netns", "add", net)
        _run("ip", "-n", net, "link", "add", "br0", "type", "bridge")
        _run("ip", "-n", net, "link", "set", "br0", "up")
        _run("ip", "link", "add", here, "type", "veth", "peer", "name", "host", "netns", net)
        _run("ip", "-n", net, "link", "set", "host", "master", "br0", "up")
        _run("ip", "addr", "add", f"{self.address}/24", "dev", here)
        _run("ip", "link", "set", here, "up")
        for node, last in zip(NODES, (1, 11, 12), strict=True):
            space, port = self._space(node), f"p-{node}"
            _run("ip", "netns", "add", space)
            _run("ip", "-n", space, "link", "set", "lo", "up")
            _run("ip", "link", "add", port, "netns", net, "type", "veth", "peer", "name", "eth0", "netns", space)
            _run("ip", "-n", net, "link", "set", port, "master", "br0", "up")
            _run("ip", "-n", space, "addr", "add", f"{self.network}.{last}/24", "dev", "eth0")
            _run("ip", "-n", space, "link", "set", "eth0", "up")
            _run("ip", "-n", space, "route", "add", "default", "via", self.address)

    def _spawn(self, node: str) -> None:
        """Start a daemon with a host name of its own, and with a cgroup in which its containers can be found."""
        folder = self.folder / node
        folder.mkdir(parents=True, exist_ok=True)
        options = [f"--data-root={folder}/data", f"--exec-root={folder}/exec", f"--pidfile={folder}/pid"]
        options += ["-H", self.socket(node), f"--insecure-registry={self.network}.0/24", "--shutdown-timeout=2"]
        options += [f"--cgroup-parent=/{self._space(node)}", "--live-restore=false", *self.options]
        if node != "mgr":
            options += [f"--node-generic-resource=GPU={2 * self.gpus + 1}"]  # what engine 20.10 needs
        named = ["unshare", "--uts", "sh", "-c", 'hostname "$0"; exec dockerd "$@"', node, *options]
        command = [*self.inside(node), *named]
        with (self.folder / f"{node}.log").open("ab") as log:
            self._daemons[node] = subprocess.Popen(
                command, stdout=log, stderr=log, stdin=subprocess.DEVNULL, start_new_session=True
            )

    def _await(self, node: str) -> None:
        process = self._daemons[node]

        def answers() -> bool:
            with suppress(docker.errors.DockerException, OSError):
                return bool(self.apis[node].ping())
            return process.poll() is not None

        wait_for(answers)
        assert process.poll() is None, (self.folder / f"{node}.log").read_text()[-3000:]

    def _kill_containers(self, node: str) -> None:
        """All of them, also one that was just being started; returns when they are gone."""

        def are_gone() -> bool:
            alive = self.processes(node)
            for process in alive:
                with suppress(ProcessLookupError):
                    os.kill(process, signal.SIGKILL)
            return not alive

        wait_for(are_gone)

    def _kill_shims(self, node: str) -> None:
        """What a daemon has started and leaves behind: containerd and one process for each container."""
        for process in psutil.process_iter():
            with suppress(psutil.Error):
                if f"{self.folder}/{node}/" in " ".join(process.cmdline()):
                    process.kill()


def _is_alive(process: int) -> bool:
    """Not one that is dead and waits for whoever started it to look."""
    with suppress(psutil.Error):
        return bool(psutil.Process(process).status() != psutil.STATUS_ZOMBIE)
    return False


def host_mounts(*folders: Path) -> list[str]:
    """Mounts with which `Swarm.image` has this machine's programs, and some folders: nothing has to be built."""
    system = [path for path in ("/usr", "/etc/ssl", "/etc/alternatives") if Path(path).exists()]
    own = [f"{path}:{path}:ro" for path in system]
    return [*own, *(f"{folder}:{folder}" for folder in folders)]


def _empty_image() -> bytes:
    """A root with nothing but folders, users, and the links that Debian has."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name in (
            "usr",
            "etc",
            "proc",
            "sys",
            "dev",
            "tmp",
            "run",
            "var",
            "sbin",
        ):  # Docker puts its init in sbin
            entry = tarfile.TarInfo(name)
            entry.type, entry.mode = tarfile.DIRTYPE, 0o1777 if name == "tmp" else 0o755
            archive.addfile(entry)
        for name in ("bin", "lib", "lib64"):
            if Path(f"/{name}").is_symlink():
                entry = tarfile.TarInfo(name)
                entry.type, entry.linkname = tarfile.SYMTYPE, f"usr/{name}"
                archive.addfile(entry)
        for name in ("etc/passwd", "etc/group"):
            archive.add(f"/{name}", name)
    return buffer.getvalue()


@contextmanager
def run_swarm(gpus: int = 1, options: tuple[str, ...] = ()) -> Iterator[Swarm]:
    """Start a swarm, and leave nothing of it behind."""
    _require()
    swarm = Swarm(Path(tempfile.mkdtemp(prefix="cv-swarm-")), gpus, options=options)
    try:
        swarm.up()
        yield swarm
    finally:
        swarm.down()


def _require() -> None:
    for program, package in (("dockerd", "docker.io"), ("ip", "iproute2")):
        if shutil.which(program) is None:
            missing(program, f"apt-get install {package}")
    if os.getuid() != 0:
        missing("root", "tests with worker nodes make network namespaces: run them as root")


@pytest.fixture(scope="session")
def swarm() -> Iterator[Swarm]:
    """A swarm for all tests that leave its nodes as they were."""
    with run_swarm() as one:
        yield one
