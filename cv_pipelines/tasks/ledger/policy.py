"""Who is tried again, when, and in what company: decided by the source of the last error."""

from cv_pipelines.errors import Source

MOST_ATTEMPTS: dict[Source, int] = {
    "input": 1,
    "submission": 1,
    "internal": 2,
    "resource": 4,
    "infrastructure": 4,
}
"""Attempts at a task, all in all, after which an error of this source is final."""
_FIRST_DELAY = 2.0
_LONGEST_DELAY = 60.0
_COMPANY = (1.0, 0.1, 0.01, 0.0)
"""Share of a full run that a task gets as its company at its first, second, … attempt."""


def retry_delay(source: Source, attempts: int) -> float | None:
    """Seconds until a task is tried again, None if never.

    Args:
        source: of the error that ended the last attempt.
        attempts: made so far.
    """
    if attempts >= MOST_ATTEMPTS[source]:
        return None
    return min(_LONGEST_DELAY, _FIRST_DELAY * 2.0 ** (attempts - 1))


def company(most: int, attempts: int) -> int:
    """Work in a run, as sizes of tasks are counted, that one shares which has been tried before, its own included.

    Whatever brings a whole run down is thereby cornered: the last attempt is made alone.
    """
    return max(1, int(most * _COMPANY[min(attempts, len(_COMPANY) - 1)]))
