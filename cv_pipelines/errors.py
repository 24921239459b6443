"""Every error that a person may see, by the side that has to act on it."""

from typing import ClassVar, Literal

from pydantic import ValidationError

Source = Literal["input", "submission", "resource", "infrastructure", "internal"]


class CvError(Exception):
    """An error with a message fit for a stranger.

    Attributes:
        source: who has to act; decides whether anything is tried again.
        code: a short stable name, for programs.
        user_message: what happened, to which item, what to do.
        detail: for the log only.
    """

    source: ClassVar[Source] = "internal"

    def __init__(self, code: str, user_message: str, detail: str = "") -> None:
        super().__init__(user_message)
        self.code = code
        self.user_message = user_message
        self.detail = detail

    def __reduce__(self) -> tuple[type["CvError"], tuple[str, str, str]]:
        """Crosses process borders whole (the default would keep the message only)."""
        return type(self), (self.code, self.user_message, self.detail)


class InputError(CvError):
    """The caller's data is bad: never retried."""

    source = "input"


class SubmissionError(CvError):
    """Somebody else's code failed: never retried."""

    source = "submission"


class ResourceError(CvError):
    """Out of memory, out of time, nothing fits: retried smaller or elsewhere, bounded."""

    source = "resource"


class InfrastructureError(CvError):
    """A node, database, broker or store failed: retried with backoff, bounded."""

    source = "infrastructure"


class InternalError(CvError):
    """Our bug: one retry, then failed, loudly."""

    source = "internal"


def problems_of(error: ValidationError) -> str:
    """What is wrong with which field, in one line."""
    return "; ".join(f"{'.'.join(str(part) for part in e['loc'])}: {e['msg']}" for e in error.errors())
