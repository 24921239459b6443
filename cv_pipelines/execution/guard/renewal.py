"""Renewing a lease from a thread, which may hang on a dead network without anybody waiting for it."""

import threading
import time
from collections.abc import Callable

from sqlalchemy.exc import DBAPIError

from cv_pipelines.database.outage import is_outage

_AGAIN_SECONDS = 0.5
_MOST_SECONDS = 5.0
_PER_LEASE = 6
"""Renewals in the time of a lease: some may fail."""


def seconds() -> float:
    """A clock that goes on while the machine sleeps, as the database's does."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


class Renewal:
    """Renews until it is told otherwise; whoever looks at it sees for how long the lease still holds."""

    def __init__(self, renew: Callable[[], bool], lease_seconds: float, begun: float) -> None:
        """Start.

        Args:
            renew: asks the database; False where the lease is somebody else's.
            lease_seconds: for which it holds.
            begun: when it was last known to hold, by `seconds`.
        """
        self._renew, self._lease_seconds, self._held = renew, lease_seconds, begun
        self._every = min(_MOST_SECONDS, lease_seconds / _PER_LEASE)
        self._over = threading.Event()
        self.is_revoked = False
        self.problem = ""
        threading.Thread(target=self._live, name="renewal", daemon=True).start()

    @property
    def is_expired(self) -> bool:
        """Whether nobody can say any more that the lease holds."""
        return seconds() - self._held > self._lease_seconds

    def stop(self) -> None:
        """Renew no more."""
        self._over.set()

    def pause(self, longest: float) -> None:
        """Wait, while it renews."""
        self._over.wait(longest)

    def _live(self) -> None:
        pause = self._every
        while not self._over.wait(pause):
            asked = seconds()  # it holds from when the database was asked, not from when it answered
            try:
                self.is_revoked = not self._renew()
            except DBAPIError as error:
                self.problem = str(error.orig).strip()
                pause = _AGAIN_SECONDS if is_outage(error) else self._every
                continue
            self._held, self.problem, pause = asked, "", self._every
            if self.is_revoked:
                return
