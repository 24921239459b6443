"""The terminal, kept free for our own lines while a run executes in this process."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console


@contextmanager
def kept_terminal(log: Path, to_stderr: bool = False) -> Iterator[Console]:
    """Yield a console on the terminal; whatever else is written to stdout or stderr goes to `log`.

    Steps write there by way of libraries in C, and Dagster records what they write: our own lines
    belong into neither.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    sys.stdout.flush()
    sys.stderr.flush()
    kept = [os.dup(1), os.dup(2)]
    try:
        with log.open("ab") as sink, os.fdopen(os.dup(kept[to_stderr]), "w") as terminal:
            os.dup2(sink.fileno(), 1)
            os.dup2(sink.fileno(), 2)
            yield Console(file=terminal, highlight=False)
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        for number, descriptor in enumerate(kept, start=1):
            os.dup2(descriptor, number)
            os.close(descriptor)
