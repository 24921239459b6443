"""Taking a database away, and giving it back."""

import shlex
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil
import psycopg

from tests.installation import wait_for
from tests.servers import Postgres, run_postgres


class Outages:
    """A Postgres that can be stopped at once (as by `pg_ctl stop -m immediate`) and started again."""

    def __init__(self, server: Postgres) -> None:
        self.server = server
        self._data = Path(str(server.execute("SHOW data_directory")[0][0]))
        self._command = shlex.split((self._data / "postmaster.opts").read_text())
        self._owner = self._data.owner()
        self._started: list[subprocess.Popen[bytes]] = []

    def stop(self, how: int = signal.SIGQUIT) -> None:
        """End it; SIGQUIT: no farewell, and it has to recover when it starts again."""
        process = psutil.Process(int((self._data / "postmaster.pid").read_text().split()[0]))
        process.send_signal(how)
        wait_for(lambda: not process.is_running() or process.status() == psutil.STATUS_ZOMBIE)
        for ours in self._started:
            ours.wait(10)

    def start(self) -> None:
        """Start it again; returns when it lets clients in."""
        with (self._data.parent / "log").open("a") as log:
            process = subprocess.Popen(
                self._command, stdout=log, stderr=log, user=self._owner, cwd=self._data.parent
            )
        self._started.append(process)
        wait_for(self._answers)

    def outage(self, seconds: float) -> None:
        """Take it away for some seconds."""
        self.stop()
        time.sleep(seconds)
        self.start()

    def _answers(self) -> bool:
        with suppress(psycopg.OperationalError):
            return bool(self.server.execute("SELECT 1"))
        return False


@contextmanager
def unreliable_postgres() -> Iterator[Outages]:
    """A Postgres of a test's own."""
    with run_postgres() as server:
        outages = Outages(server)
        yield outages
        with suppress(psutil.Error, FileNotFoundError):
            outages.stop(signal.SIGINT)
