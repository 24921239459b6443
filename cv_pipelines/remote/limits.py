"""How much of somebody else's file is taken."""


def size_problem(size: int, most: int) -> str:
    """Why a file of `size` bytes is not read where `most` may be; empty where it is."""
    return f"larger than {most // 1024**2} MiB" if size > most else ""
