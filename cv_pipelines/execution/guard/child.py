"""The process of a step under its guard: it waits for permission, is heard, and can be killed at once."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from cv_pipelines.execution.guard.step_process import PERMISSION_FD

TAIL_LINES = 50
_LINE_BYTES = 2000
_OOM_SCORE = 900
"""Where memory ends the kernel is to kill the step, and leave the guard to tell of it."""
_DRAIN_SECONDS = 2.0
_OOM_COUNTERS = (Path("/sys/fs/cgroup/memory.events"), Path("/sys/fs/cgroup/memory/memory.oom_control"))


@dataclass
class Stop:
    """Whether somebody has told this container to stop."""

    requested: bool = False


class Child:
    """A command that has been started and does nothing of its own before `permit`."""

    def __init__(self, command: Sequence[str]) -> None:
        """Start it; it loads its libraries meanwhile."""
        reading, self._permission = os.pipe()
        self._process = subprocess.Popen(
            [sys.executable, "-m", "cv_pipelines.execution.guard.step_process", *command],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            pass_fds=[reading],
            env={**os.environ, PERMISSION_FD: str(reading)},
        )
        os.close(reading)
        with contextlib.suppress(OSError):  # it has died already, and says so when it is waited for
            Path(f"/proc/{self._process.pid}/oom_score_adj").write_text(str(_OOM_SCORE))
        self._oom_kills = count_oom_kills()
        self._tail: deque[bytes] = deque(maxlen=TAIL_LINES)
        self._hearing = threading.Thread(target=self._hear, name="output", daemon=True)
        self._hearing.start()

    def permit(self, environment: Mapping[str, str]) -> None:
        """Let it begin, with further variables in its environment."""
        with contextlib.suppress(BrokenPipeError):
            os.write(self._permission, json.dumps(dict(environment)).encode() + b"\n")
        os.close(self._permission)

    def wait(self, seconds: float) -> int | None:
        """Its exit code where it ends within so many seconds; a signal's number counts from 128."""
        try:
            code = self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            return None
        return code if code >= 0 else 128 - code

    def kill(self) -> None:
        """End it and whatever it has started, so that nothing of it writes anything any more."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()

    def is_out_of_memory(self) -> bool:
        """Whether the kernel has killed something in this container since the process began."""
        return count_oom_kills() > self._oom_kills

    def tail(self) -> str:
        """The last lines that it has written."""
        self._hearing.join(_DRAIN_SECONDS)
        return b"".join(self._tail).decode(errors="replace")

    def _hear(self) -> None:
        """Pass on what it writes, and keep the end."""
        output = self._process.stdout
        while output is not None and (line := output.readline(_LINE_BYTES)):
            self._tail.append(line)
            sys.stdout.buffer.write(line)
            sys.stdout.buffer.flush()


def count_oom_kills() -> int:
    """How many processes of this container the kernel has killed for want of memory; cgroups of either version."""
    for path in _OOM_COUNTERS:
        with contextlib.suppress(OSError):
            counts = dict(line.split() for line in path.read_text().splitlines())
            return int(counts.get("oom_kill", 0))
    return 0
