"""A run at work on an attempt: it takes the tasks, does them, and commits what became of each as it goes."""

import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy.exc import DBAPIError
from tenacity import retry, retry_if_exception, stop_after_delay, wait_exponential

from cv_pipelines.database.outage import is_outage
from cv_pipelines.failpoints import fail_point
from cv_pipelines.tasks.ledger.ledger import Ledger
from cv_pipelines.tasks.ledger.outcomes import Outcome, error_of
from cv_pipelines.tasks.ledger.work import Begun, SupersededError, Task, begin, finish, heartbeat
from cv_pipelines.tasks.problem import TaskError

BEATS = 12
"""Heartbeats within the time after which a run is taken for lost: some may fail."""
COMMIT_SECONDS = 1.0
COMMIT_AT = 500
"""Outcomes that are committed at once, at most."""
_PATIENCE = 60.0
"""Seconds for which a commit waits for a database that is away; what was done would have to be done again."""


@dataclass
class Control:
    """What the work hears of and says about its tasks; shared with the thread that writes heartbeats.

    Attributes:
        ended: tasks that nobody needs any more: they need not be done.
        progress: from 0 to 1, of tasks that take long.
        superseded: whether another run has taken over: the work may stop at once.
    """

    ended: set[str] = field(default_factory=set)
    progress: dict[str, float] = field(default_factory=dict)
    superseded: threading.Event = field(default_factory=threading.Event)

    def is_wanted(self, task: str) -> bool:
        """Say whether a task still has to be done; ask often."""
        return task not in self.ended and not self.superseded.is_set()


Work = Callable[[Sequence[Task], Control], Iterator[tuple[str, Outcome]]]
"""Does tasks of one kind and batch key, and yields what became of each as soon as that is known."""
Announce = Callable[[Sequence[int]], None]
"""Tells of events, if that is quick and possible; never raises."""


@dataclass(frozen=True)
class Summary:
    """What a run has come to: how many tasks it had, and how many of these had which outcome."""

    tasks: int
    succeeded: int
    failed: int


def run_attempt(
    ledger: Ledger, attempt: int, run_id: str, work: Work, announce: Announce, lost_after: float
) -> Summary | None:
    """Do an attempt; None where another run has it, so that there is nothing to do.

    An error that the work raises is that of every task which it has not answered for.

    Args:
        ledger: where the attempt is.
        attempt: its number.
        run_id: of the run that does it.
        work: does the tasks.
        announce: tells of events.
        lost_after: seconds of silence after which others take this run for lost.

    Raises:
        SupersededError: in the middle another run has taken over.
    """
    begun = begin(ledger, attempt, run_id)
    if begun is None:
        return None
    fail_point("begin.committed")
    announce(begun.events)
    control = Control()
    with _Heart(ledger, begun, control, announce, lost_after / BEATS):
        return _work(ledger, begun, work, control, announce)


def _work(ledger: Ledger, begun: Begun, work: Work, control: Control, announce: Announce) -> Summary:
    open_ones = {task.id for task in begun.tasks}
    buffer: dict[str, Outcome] = {}
    succeeded = failed = 0
    committed = time.monotonic()

    def commit() -> None:
        nonlocal committed
        if buffer:
            told = _finish(ledger, begun, buffer)
            fail_point("finish.committed")
            open_ones.difference_update(buffer)
            buffer.clear()
            announce(told)
        committed = time.monotonic()

    try:
        for task, outcome in work(begun.tasks, control) if begun.tasks else ():
            buffer[task] = outcome
            succeeded, failed = succeeded + (not _is_error(outcome)), failed + _is_error(outcome)
            if len(buffer) >= COMMIT_AT or time.monotonic() - committed > COMMIT_SECONDS:
                commit()
    except Exception as error:
        commit()
        buffer |= dict.fromkeys(open_ones - control.ended, error_of(error))
        commit()
        raise
    commit()
    if control.superseded.is_set() and open_ones - control.ended:
        raise SupersededError("superseded", f"Attempt {begun.attempt} was taken over while its run was at work.")
    return Summary(len(begun.tasks), succeeded, failed)


def _is_error(outcome: Outcome) -> bool:
    return isinstance(outcome, TaskError)


@retry(
    retry=retry_if_exception(is_outage),
    stop=stop_after_delay(_PATIENCE),
    wait=wait_exponential(0.1, max=2),
    reraise=True,
)
def _finish(ledger: Ledger, begun: Begun, outcomes: Mapping[str, Outcome]) -> list[int]:
    """Commit; to do so again, where the answer was lost, changes nothing."""
    return finish(ledger, begun, outcomes)


class _Heart:
    """Writes heartbeats until the work is over, or another run has taken over."""

    def __init__(self, ledger: Ledger, begun: Begun, control: Control, announce: Announce, seconds: float) -> None:
        self._ledger, self._begun, self._control, self._announce = ledger, begun, control, announce
        self._seconds = seconds
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._beat, name="heartbeat", daemon=True)

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _beat(self) -> None:
        told: dict[str, float] = {}
        while not self._over.wait(self._seconds):
            news = {task: share for task, share in dict(self._control.progress).items() if told.get(task) != share}
            try:
                pulse = heartbeat(self._ledger, self._begun, news)
            except SupersededError:
                self._control.superseded.set()
                return
            except DBAPIError as error:
                if is_outage(error):
                    continue  # the next beat tries again, until we are taken for lost
                raise
            told |= news
            self._control.ended.update(pulse.ended)
            self._announce(pulse.events)
