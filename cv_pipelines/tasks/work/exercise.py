"""The kinds `sleep` and `fail`: nothing but load and faults, for tests of everything else."""

import os
import time
from collections.abc import Iterator, Sequence

from cv_pipelines.tasks.kinds.fail import FailParams
from cv_pipelines.tasks.kinds.sleep import SleepParams
from cv_pipelines.tasks.ledger.outcomes import Done, Outcome
from cv_pipelines.tasks.ledger.work import Task
from cv_pipelines.tasks.problem import TaskError
from cv_pipelines.tasks.running import Control

_TICK = 0.05


def exercise(tasks: Sequence[Task], control: Control) -> Iterator[tuple[str, Outcome]]:
    """Sleep or fail, as each task says; those that sleep do so together."""
    started = time.monotonic()
    asleep = {task.id: task.params.seconds for task in tasks if isinstance(task.params, SleepParams)}
    for task in tasks:
        if isinstance(task.params, FailParams):
            yield task.id, _fail(task, task.params)
    while asleep:
        for name, seconds in list(asleep.items()):
            passed = time.monotonic() - started
            if passed >= seconds:
                yield name, Done({"slept": seconds})
            elif control.is_wanted(name):
                control.progress[name] = round(passed / seconds, 1)
                continue
            del asleep[name]
        if asleep:
            time.sleep(_TICK)


def _fail(task: Task, params: FailParams) -> Outcome:
    if params.times is not None and task.attempts > params.times:
        return Done({"attempts": task.attempts})
    if params.source == "crash":
        os._exit(13)
    return TaskError(source=params.source, code="asked_to_fail", message=params.message)
