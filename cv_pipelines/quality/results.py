"""What checking comes to."""

from dataclasses import dataclass
from typing import Any

MOST_ROWS = 20
"""Failing rows that a result shows, where its rule says nothing else."""
MOST_FINDINGS = 100
"""Findings of each kind that a result about labels shows."""


@dataclass(frozen=True)
class CheckResult:
    """What a rule came to.

    Attributes:
        name: of the rule.
        passed: whether it holds.
        blocking: whether it stops what comes after.
        message: the promise that holds, or what is wrong and what to do.
        failing: how many rows break it (1 where it is about a whole table).
        rows: the first of them, by the columns that identify them.
    """

    name: str
    passed: bool
    blocking: bool
    message: str
    failing: int
    rows: list[dict[str, Any]]
