"""A RabbitMQ of the tests' own: its own node, ports, cookie and epmd, and nothing of it left at the end."""

import os
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from uuid import uuid4

import pytest

from tests.installation import free_port, missing, wait_for

_VHOSTS_AT_ONCE = 8
"""Calling rabbitmqctl takes a second or two, whatever it does."""
_NEW_VHOSTS = """
lists:foreach(fun(Name) ->
    rabbit_vhost:add(Name, <<"test">>),
    rabbit_auth_backend_internal:set_permissions(<<"guest">>, Name, <<".*">>, <<".*">>, <<".*">>, <<"test">>)
end, [%s]).
"""


@dataclass
class RabbitMQ:
    """A broker; its user `guest` (password `guest`) may do everything.

    Attributes:
        folder: of its data, logs and cookie.
        programs: the folder of rabbitmq-server and rabbitmqctl.
        port: of 127.0.0.1, for AMQP.
        epmd: the port of the daemon by which Erlang's nodes find each other.
        distribution: the port by which rabbitmqctl speaks to the node.
    """

    folder: Path
    programs: Path
    port: int
    epmd: int
    distribution: int
    _process: "subprocess.Popen[bytes] | None" = None
    _vhosts: list[str] = field(default_factory=list)

    @property
    def url(self) -> str:
        """Of the default vhost."""
        return f"amqp://guest:guest@127.0.0.1:{self.port}/%2F"

    @property
    def environment(self) -> dict[str, str]:
        """What the programs need to be this node's, and nobody else's."""
        foreign = ("RABBITMQ_", "ERL_")
        kept = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
        own = {
            "HOME": self.folder,  # the cookie lies there
            "ERL_EPMD_PORT": self.epmd,
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            "RABBITMQ_NODENAME": f"cv-{self.port}@localhost",
            "RABBITMQ_DIST_PORT": self.distribution,
            "RABBITMQ_MNESIA_BASE": self.folder / "data",
            "RABBITMQ_LOG_BASE": self.folder / "log",
            "RABBITMQ_CONFIG_FILE": self.folder / "rabbitmq.conf",
            "RABBITMQ_CONF_ENV_FILE": self.folder / "none",
            "RABBITMQ_ENABLED_PLUGINS_FILE": self.folder / "plugins",
        }
        return {**kept, **{name: str(value) for name, value in own.items()}}

    def new_vhost(self) -> str:
        """The URL of a vhost with nothing in it."""
        if not self._vhosts:
            self._vhosts = [f"test-{uuid4().hex}" for _ in range(_VHOSTS_AT_ONCE)]
            self.ctl("eval", _NEW_VHOSTS % ", ".join(f'<<"{name}">>' for name in self._vhosts))
        return f"{self.url.removesuffix('%2F')}{self._vhosts.pop()}"

    def ctl(self, *arguments: str) -> str:
        """Run `rabbitmqctl`; returns what it prints."""
        command: list[str | Path] = [self.programs / "rabbitmqctl", "--quiet", *arguments]
        done = subprocess.run(
            command, env=self.environment, cwd=self.folder, capture_output=True, text=True, timeout=60, check=False
        )
        assert done.returncode == 0, f"{arguments}: {done.stdout}{done.stderr}"
        return done.stdout

    def listen_with_tls(self, certificate: Path, key: Path) -> str:
        """Listen at another port as well; returns the URL of that."""
        port = free_port()
        options = f'[{{certfile, "{certificate}"}}, {{keyfile, "{key}"}}]'
        listen = f'rabbit_networking:start_ssl_listener({{"127.0.0.1", {port}}}, {options}, 2)'
        self.ctl("eval", f"rabbit_networking:ensure_ssl(), {listen}.")
        return f"amqps://guest:guest@127.0.0.1:{port}/%2F"

    def close_all_connections(self) -> None:
        """Break off every connection, from the broker's side."""
        self.ctl("close_all_connections", "--global", "test")

    def set_memory_alarm(self, on: bool) -> None:
        """Make the broker believe that its memory is full: it does not read from whoever publishes."""
        self.ctl("set_vm_memory_high_watermark", "0.00001" if on else "0.4")

    def start(self) -> None:
        """Start it, with the data that it had; returns when clients can connect."""
        with (self.folder / "output").open("a") as log:
            self._process = process = subprocess.Popen(
                [self.programs / "rabbitmq-server"],
                env=self.environment,
                cwd=self.folder,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        wait_for(lambda: process.poll() is not None or self._listens())
        assert process.poll() is None, (self.folder / "output").read_text()

    def stop(self, seconds: float = 30) -> None:
        """Stop it in order; what does not end in time is killed."""
        process, self._process = self._process, None
        if process is None:
            return
        process.send_signal(signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            process.wait(seconds)
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()

    @contextmanager
    def pause(self) -> Iterator[None]:
        """Make it hang: its connections stay, and nothing is answered."""
        assert self._process
        os.killpg(self._process.pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.killpg(self._process.pid, signal.SIGCONT)

    def _listens(self) -> bool:
        """Whether it speaks AMQP: it listens a moment before it has made its first user."""
        with suppress(OSError), socket.create_connection(("127.0.0.1", self.port), timeout=2) as probe:
            probe.settimeout(2)
            probe.sendall(b"AMQP\x00\x00\x09\x01")
            return bool(probe.recv(1))
        return False


@pytest.fixture(scope="session")
def rabbitmq() -> Iterator[RabbitMQ]:
    """A broker for all tests; each makes a vhost of its own in it."""
    with run_rabbitmq() as server:
        yield server


@contextmanager
def run_rabbitmq() -> Iterator[RabbitMQ]:
    """Start an empty broker without plugins, and stop it at the end."""
    path = os.pathsep.join([os.environ.get("PATH", os.defpath), "/usr/sbin"])
    found = shutil.which("rabbitmq-server", path=path)
    epmd = shutil.which("epmd", path=path)
    if not found or not epmd:
        missing("rabbitmq-server", "apt-get install rabbitmq-server")
        return
    # Debian's is a wrapper that becomes another user; what it calls lies beside it, under the same name
    programs = Path(found).resolve().parent
    folder = Path(tempfile.mkdtemp(prefix="cv-rabbitmq-"))
    server = RabbitMQ(folder, programs, free_port(), free_port(), free_port())
    (folder / "rabbitmq.conf").write_text(f"listeners.tcp.1 = 127.0.0.1:{server.port}\nlog.file.level = warning\n")
    (folder / "plugins").write_text("[].\n")
    # in the foreground, for else Erlang starts one that outlives us
    names = subprocess.Popen([epmd], env=server.environment, cwd=folder, start_new_session=True)
    try:
        server.start()
        yield server
    finally:
        server.stop()
        names.kill()
        names.wait()
        shutil.rmtree(folder, ignore_errors=True)
