"""From beginning to end of a step: it runs while its lease holds, and not a moment longer."""

import socket
import sys
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError
from tenacity import RetryError, Retrying, retry_if_exception, stop_after_delay, wait_fixed

from cv_pipelines.database.outage import is_outage
from cv_pipelines.execution import leases
from cv_pipelines.execution.gpu_claims import claim_gpus
from cv_pipelines.execution.guard.child import Child, Stop
from cv_pipelines.execution.guard.gpus import environment_for, visible_devices
from cv_pipelines.execution.guard.renewal import Renewal, seconds

NOT_MINE = 125
"""Exit code of a guard that may not begin."""
KILLED = 137
GUARD_FAILED = 124
_LOOK_SECONDS = 0.1
_T = TypeVar("_T")


@dataclass(frozen=True)
class Guard:
    """Who guards which attempt.

    Attributes:
        database: where its lease is.
        lease: its id.
        holder: this guard, and no other.
        node, node_id: that we are on; names may be given twice, ids not.
        lease_seconds: for which a renewal holds.
        gpus: how many the step was promised.
        max_seconds: that it may take; None: as long as it likes.
        stop: whether we are told to.
    """

    database: Engine
    lease: str
    holder: str
    node: str
    node_id: str
    lease_seconds: float
    gpus: int
    max_seconds: float | None
    stop: Stop

    def run(self, child: Child) -> int:
        """Begin, let the child do the step, and say how it ended; returns the exit code."""
        begun = self._begin()
        if begun is None:
            child.kill()
            print(f"{self.lease} is not for this container: it was taken back, or has another.", file=sys.stderr)
            return NOT_MINE
        renewal = Renewal(lambda: leases.renew(self.database, self.lease, self.holder), self.lease_seconds, begun)
        try:
            return self._guard(child, renewal)
        except BaseException:
            renewal.stop()
            child.kill()
            self._end(renewal, GUARD_FAILED, "guard_failed", traceback.format_exc())
            raise

    def _guard(self, child: Child, renewal: Renewal) -> int:
        devices = self._devices(renewal)
        reason = self._reason_to_kill(renewal, None)  # to find GPUs may have taken longer than the lease
        if devices is None or reason is not None:
            renewal.stop()
            child.kill()
            there = len(visible_devices())
            words = f"{self.gpus} GPUs were promised; {self.node} shows {there}, and not enough of them are free."
            return self._end(renewal, KILLED, reason or "gpus_differ", "" if reason else words)
        child.permit(environment_for(devices))
        code, reason = self._watch(child, renewal)
        return self._end(renewal, code, reason, child.tail())

    def _begin(self) -> float | None:
        """Take the lease, and say since when it holds; a database that is away is waited for.

        It holds from when the database was asked, not from when it answered.
        """

        def ask() -> float | None:
            asked = seconds()
            mine = leases.begin(self.database, self.lease, self.holder, self.node, socket.gethostname())
            return asked if mine else None

        try:
            return self._patiently(ask)
        except RetryError as error:
            print(f"The database does not answer: {error.last_attempt.exception()}", file=sys.stderr)
            return None

    def _devices(self, renewal: Renewal) -> tuple[int, ...] | None:
        """The GPUs of this step; those of a guard that has died are waited for until it is dead for certain."""
        if self.gpus == 0:
            return ()
        there = visible_devices()
        if len(there) < self.gpus:
            return None
        ends = seconds() + 2 * leases.lost_after(self.lease_seconds)
        while seconds() < ends and self._reason_to_kill(renewal, None) is None:
            got = self._patiently(lambda: claim_gpus(self.database, self.lease, self.node_id, there, self.gpus))
            if got is not None:
                return got
            renewal.pause(1.0)
        return None

    def _watch(self, child: Child, renewal: Renewal) -> tuple[int, str]:
        """Wait for the end of the child, or bring it about."""
        ends = seconds() + self.max_seconds if self.max_seconds is not None else None
        while (code := child.wait(_LOOK_SECONDS)) is None:
            reason = self._reason_to_kill(renewal, ends)
            if reason is not None:
                renewal.stop()  # or a process that cannot be killed would look alive for ever
                child.kill()
                return KILLED, reason
        child.kill()  # what it has started and left behind
        if code == 0:
            return 0, "completed"
        if child.is_out_of_memory():
            return code, "out_of_memory"
        return code, "killed" if code > 128 else "failed"

    def _reason_to_kill(self, renewal: Renewal, ends: float | None) -> str | None:
        if renewal.is_revoked:
            return "revoked"
        if renewal.is_expired:
            return "lease_expired"
        if self.stop.requested:
            return "stopped"
        if ends is not None and seconds() > ends:
            return "timeout"
        return None

    def _end(self, renewal: Renewal, code: int, reason: str, words: str) -> int:
        """Say how it ended, while that is of use to anybody.

        Where the lease has expired the database is away, and this container must end now.
        """
        renewal.stop()
        if reason != "lease_expired":
            try:
                self._patiently(lambda: leases.end(self.database, self.lease, self.holder, code, reason, words))
            except RetryError as error:
                print(f"Nobody knows of the end: {error.last_attempt.exception()}", file=sys.stderr)
        if reason not in ("completed", "failed"):
            print(f"The step was ended by its guard: {reason}.", file=sys.stderr)
        return code

    def _patiently(self, ask: Callable[[], _T]) -> _T:
        """Ask the database, again and again while it is away, for as long as a lease.

        Raises:
            RetryError: it was away for longer.
        """
        again = Retrying(
            retry=retry_if_exception(lambda error: isinstance(error, DBAPIError) and is_outage(error)),
            stop=stop_after_delay(self.lease_seconds),
            wait=wait_fixed(0.5),
        )
        return again(ask)
