"""How the C library treats memory that a step of training has given back."""

import ctypes

_TOP_PAD = -2  # M_TOP_PAD of glibc's malloc.h
_KEPT = 64 << 20


def keep_freed_memory() -> None:
    """Keep up to 64 MiB of freed memory for each thread, instead of giving it back to the system at once.

    Each step of a training frees tens of megabytes and asks for them again. Given back, every page of them comes
    anew and zeroed: on a CPU that is up to half of the time that a small network learns. (mallopt(3); nothing
    happens where the C library is not glibc.)
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_TOP_PAD, _KEPT)
