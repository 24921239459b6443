"""Listing sources without waiting for the slow ones."""

from concurrent.futures import Future, wait
from threading import Thread

from cv_pipelines.errors import ResourceError
from cv_pipelines.images.listing import listing_hash, read_listing
from cv_pipelines.images.sources.factory import open_source


class BackgroundListings:
    """Lists each source in a thread of its own: a disk or server that hangs holds up nobody else."""

    def __init__(self) -> None:
        self._running: dict[str, Future[str]] = {}

    def listing_hash(self, source: str, seconds: float) -> str:
        """List a source; one that takes longer goes on in the background, and is there when asked for again.

        Args:
            source: as a data set names it.
            seconds: how long to wait, the first time.

        Raises:
            ResourceError: it is not listed yet.
            InputError: it is not there, or cannot be listed.
        """
        known = self._running.get(source)
        listing = known or self._running.setdefault(source, _start(source))
        wait([listing], 0 if known else seconds)
        if not listing.done():
            raise ResourceError("slow_source", "listing it takes long, and goes on")
        del self._running[source]
        return listing.result()


def _start(source: str) -> Future[str]:
    future: Future[str] = Future()

    def work() -> None:
        try:
            future.set_result(listing_hash(read_listing(open_source(source))))
        except BaseException as error:  # noqa: BLE001 - raised where the result is asked for
            future.set_exception(error)

    Thread(target=work, name=f"listing {source}", daemon=True).start()
    return future
