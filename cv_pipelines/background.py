"""Work that nobody waits for longer than he wants to."""

from collections.abc import Callable
from concurrent.futures import Future, wait
from threading import Thread
from typing import Generic, TypeVar

from cv_pipelines.errors import ResourceError

_Result = TypeVar("_Result")


class Background(Generic[_Result]):
    """Lists each source in a thread of its own: a disk or server that hangs holds up nobody else."""

    def __init__(self, work: Callable[[str], _Result]) -> None:
        """Say how a source is listed."""
        self._work = work
        self._running: dict[str, Future[_Result]] = {}

    def listing(self, source: str, seconds: float) -> _Result:
        """List a source; one that takes longer goes on in the background, and is there when asked for again.

        Args:
            source: what the work is told.
            seconds: how long to wait, the first time.

        Raises:
            ResourceError: it is not listed yet.
            CvError: whatever the work raises.
        """
        known = self._running.get(source)
        listing = known or self._running.setdefault(source, self._start(source))
        wait([listing], 0 if known else seconds)
        if not listing.done():
            raise ResourceError("slow_source", "listing it takes long, and goes on")
        del self._running[source]
        return listing.result()

    def _start(self, source: str) -> Future[_Result]:
        future: Future[_Result] = Future()

        def work() -> None:
            try:
                future.set_result(self._work(source))
            except BaseException as error:  # noqa: BLE001 - raised where the result is asked for
                future.set_exception(error)

        Thread(target=work, name=f"listing {source}", daemon=True).start()
        return future
