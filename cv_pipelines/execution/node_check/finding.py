"""What a check of a machine has found."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Verdict = Literal["ok", "warning", "missing", "skipped"]


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at.

    Attributes:
        check: what it is.
        found: what there is.
        needed: what there must be, and who asks for it.
        verdict: `missing` keeps the machine from being a worker node, `warning` does not; `skipped` says why in
            `found`.
        mend: what to do about it; empty where there is nothing to do.
    """

    check: str
    found: str
    needed: str
    verdict: Verdict
    mend: str = ""


def is_fit(findings: Sequence[Finding]) -> bool:
    """Whether nothing is missing."""
    return all(finding.verdict != "missing" for finding in findings)


def in_words(gpus: int) -> str:
    """How many GPUs."""
    return "1 GPU" if gpus == 1 else f"{gpus} GPUs"
