"""Places where a test lets a process die or stall: nothing happens there unless CV_FAILPOINTS asks for it."""

import os
import signal
from collections import Counter
from functools import cache

POINTS = {
    "intake.before_commit": "messages are written into the ledger, and not committed",
    "intake.committed": "messages are committed, and not acknowledged",
    "intake.acknowledged": "messages are acknowledged, and their events not told",
    "claim.committed": "attempts are made, and no run asked for",
    "begin.committed": "a run has begun an attempt, and done nothing",
    "finish.before_commit": "outcomes are written, and not committed",
    "finish.committed": "outcomes are committed, and their events not told",
    "outbox.published": "events are told, and not settled",
    "labels.before_commit": "the labels of a file are written, and not committed",
    "motion.chunk_kept": "the result of a chunk of a video is kept, and others are not",
}
_ACTIONS = {"kill": signal.SIGKILL, "stop": signal.SIGSTOP}
_passed: Counter[str] = Counter()


def fail_point(name: str) -> None:
    """Die or stall here, if CV_FAILPOINTS says so: `name:kill`, `name:stop`, `name:kill@3` (the third time).

    Several are separated by commas; each process counts for itself.

    Raises:
        ValueError: it says something else.
    """
    wanted = _wanted()
    if not wanted:
        return
    _passed[name] += 1
    action = wanted.get((name, _passed[name]))
    if action is not None:
        os.kill(os.getpid(), action)


@cache
def _wanted() -> dict[tuple[str, int], signal.Signals]:
    """What to do at which point the how manieth time."""
    wanted = {}
    for part in filter(None, os.environ.get("CV_FAILPOINTS", "").split(",")):
        name, _, what = part.partition(":")
        action, _, time = what.partition("@")
        if name not in POINTS or action not in _ACTIONS or not (time or "1").isdigit():
            message = f"'{part}' is not POINT:kill or POINT:stop, with POINT of {', '.join(POINTS)}"
            raise ValueError(f"CV_FAILPOINTS: {message}")
        wanted[name, int(time or 1)] = _ACTIONS[action]
    return wanted
