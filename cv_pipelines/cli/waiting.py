"""What a person sees who has to wait."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from cv_pipelines.cli.output import errors
from cv_pipelines.progress import Progress


@contextmanager
def shown_when_slow(seconds: float = 2) -> Iterator[Progress]:
    """Show on stderr where work stands that takes longer than some seconds."""
    status = errors.status("reading …")

    def begin() -> None:
        if errors.is_terminal:
            status.start()
        else:
            errors.print("This takes a while …")

    def tell(stage: str, done: int, total: int | None = None) -> None:
        of = f" of {total:,}" if total else ""
        status.update(f"{stage}: {done:,}{of}")

    timer = threading.Timer(seconds, begin)
    timer.daemon = True
    timer.start()
    try:
        yield tell
    finally:
        timer.cancel()
        timer.join()
        status.stop()
