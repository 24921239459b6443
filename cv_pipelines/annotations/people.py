"""Names of people who label."""

from cv_pipelines.errors import InputError

_LONGEST = 128


def require_person(who: str) -> None:
    """Make sure that this can be somebody's name.

    Raises:
        InputError: code `who`.
    """
    if not who.strip() or len(who) > _LONGEST or not who.isprintable():
        raise InputError("who", f"{who[:50]!r} is nobody's name: 1 to {_LONGEST} signs that can be printed.")
