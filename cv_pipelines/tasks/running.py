"""A run at work on an attempt: it takes the tasks, does them, and commits what became of each as it goes."""

import logging
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from tenacity import retry, retry_if_exception, stop_after_delay, wait_exponential

from cv_pipelines.database.outage import is_outage
from cv_pipelines.errors import CvError
from cv_pipelines.failpoints import fail_point
from cv_pipelines.tasks.ledger.ledger import Ledger
from cv_pipelines.tasks.ledger.outcomes import Outcome, error_of
from cv_pipelines.tasks.ledger.work import Begun, SupersededError, Task, begin, finish, heartbeat
from cv_pipelines.tasks.problem import TaskError

_log = logging.getLogger(__name__)
_CALLERS = ("input", "submission")
"""Sources of errors that are the callers': a run that has told them so has done what it is there for."""
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

    An error that the work raises is that of every task which it has not answered for; the run itself fails
    of it only where that is not the callers' mistake.

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
    control, commits = Control(), _Commits(ledger, begun, announce)
    with _Heart(ledger, begun, control, commits, announce, lost_after / BEATS):
        return _work(begun, work, control, commits)


def _work(begun: Begun, work: Work, control: Control, commits: "_Commits") -> Summary:
    try:
        for task, outcome in work(begun.tasks, control) if begun.tasks else ():
            commits.add(task, outcome)
    except Exception as error:
        commits.commit()
        for task in commits.left - control.ended:
            commits.add(task, error_of(error))
        commits.commit()
        if not isinstance(error, CvError) or error.source not in _CALLERS:
            raise
    commits.commit()
    if control.superseded.is_set() and commits.left - control.ended:
        raise SupersededError("superseded", f"Attempt {begun.attempt} was taken over while its run was at work.")
    return Summary(len(begun.tasks), commits.succeeded, commits.failed)


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


class _Commits:
    """Outcomes on their way into the ledger: they do not wait for the work to have the next one."""

    def __init__(self, ledger: Ledger, begun: Begun, announce: Announce) -> None:
        self._ledger, self._begun, self._announce = ledger, begun, announce
        self._waiting: dict[str, Outcome] = {}
        self._changing, self._committing = threading.Lock(), threading.Lock()
        self.left = {task.id for task in begun.tasks}
        self.succeeded = self.failed = 0

    def add(self, task: str, outcome: Outcome) -> None:
        """Take an outcome; it is committed within COMMIT_SECONDS."""
        with self._changing:
            self._waiting[task] = outcome
            is_full = len(self._waiting) >= COMMIT_AT
        self.failed += _is_error(outcome)
        self.succeeded += not _is_error(outcome)
        if is_full:
            self.commit()

    def commit(self) -> None:
        """Commit what waits; where that fails it still waits.

        Raises:
            SupersededError: the attempt is another run's.
        """
        with self._committing:
            with self._changing:
                some, self._waiting = self._waiting, {}
            if not some:
                return
            try:
                told = _finish(self._ledger, self._begun, some)
            except BaseException:
                with self._changing:
                    self._waiting = some | self._waiting
                raise
            fail_point("finish.committed")
            self.left -= some.keys()
        self._announce(told)


class _Heart:
    """Writes heartbeats and outcomes until the work is over, or another run has taken over."""

    def __init__(
        self,
        ledger: Ledger,
        begun: Begun,
        control: Control,
        commits: _Commits,
        announce: Announce,
        seconds: float,
    ) -> None:
        self._ledger, self._begun, self._control, self._announce = ledger, begun, control, announce
        self._commits, self._seconds = commits, seconds
        self._told: dict[str, float] = {}
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._live, name="heartbeat", daemon=True)

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _live(self) -> None:
        next_beat = time.monotonic() + self._seconds
        while not self._over.wait(min(COMMIT_SECONDS, self._seconds)):
            try:
                self._commits.commit()
                if time.monotonic() >= next_beat:
                    self._beat()
                    next_beat = time.monotonic() + self._seconds
            except SupersededError:
                self._control.superseded.set()
                return
            except Exception as error:  # noqa: BLE001 - it is told, and ends the work
                if is_outage(error):
                    continue  # the next beat tries again, until we are taken for lost
                _log.exception("No heartbeats any more: attempt %s stops.", self._begun.attempt)
                self._control.superseded.set()
                return

    def _beat(self) -> None:
        now = dict(self._control.progress)
        news = {task: share for task, share in now.items() if self._told.get(task) != share}
        pulse = heartbeat(self._ledger, self._begun, news)
        self._told |= news
        self._control.ended.update(pulse.ended)
        self._announce(pulse.events)
