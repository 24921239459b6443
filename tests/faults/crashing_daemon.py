"""A daemon that dies in the middle of the sensor's tick: `python -m tests.faults.crashing_daemon FLAG…`.

For each of Dagster's debug_crash_flags: a message comes, a process dies of SIGKILL at that place, further ones
tick on, and what they have put into the queue of runs is executed. After `FLAG,forgotten` the next daemon does not
know of the tick that died, as when one of two dies and the other has begun a later tick. Prints each run's attempt
and status as JSON. Every process is forked, for loading everything takes seconds.
"""

import json
import logging
import os
import signal
import sys
import time
from collections.abc import Callable

from dagster import DagsterEvent, DagsterEventType, DagsterInstance, DagsterRunStatus, RunsFilter
from dagster._core.remote_origin import InProcessCodeLocationOrigin
from dagster._core.scheduler.instigation import TickStatus
from dagster._core.types.loadable_target_origin import LoadableTargetOrigin
from dagster._core.workspace.context import WorkspaceProcessContext
from dagster._core.workspace.load_target import InProcessWorkspaceLoadTarget
from dagster._daemon.sensor import execute_sensor_iteration

from cv_pipelines.definitions import defs
from cv_pipelines.execution.attempts import ATTEMPT
from cv_pipelines.orchestration.local_runs import execute_here
from cv_pipelines.settings import load_settings
from tests.faults.task_messages import Sender, sleep

_INTERVAL = 1.05
"""Seconds between two ticks, at least."""
_MOST_TICKS = 5


def tick(flag: str = "") -> None:
    """One round of the sensor daemon, in which it dies where the flag says."""
    target = LoadableTargetOrigin(executable_path=sys.executable, module_name="cv_pipelines.definitions")
    origin = InProcessCodeLocationOrigin(target, location_name="cv_pipelines")
    flags = {"tasks": {flag: signal.SIGKILL}} if flag else None
    with (
        DagsterInstance.get() as instance,
        WorkspaceProcessContext(instance, InProcessWorkspaceLoadTarget(origin)) as workspace,
    ):
        for error in execute_sensor_iteration(workspace, logging.getLogger(), None, None, debug_crash_flags=flags):
            if error is not None:
                raise RuntimeError(str(error))


def forget_tick() -> None:
    """Let nobody go on with the tick that has died: a daemon looks at the newest tick only."""
    with DagsterInstance.get() as instance:
        for state in instance.all_instigator_state():
            ticks = instance.get_ticks(state.instigator_origin_id, state.selector_id, limit=1)
            for one in ticks:
                if one.status == TickStatus.STARTED:
                    instance.update_tick(one.with_status(TickStatus.SKIPPED))


def tick_and_execute() -> None:
    """One round, and what run coordinator and launcher do; ends with status 1 where nothing was queued."""
    tick()
    with DagsterInstance.get() as instance:
        queued = instance.get_runs(RunsFilter(statuses=[DagsterRunStatus.QUEUED]))
        for run in queued:
            starting = DagsterEvent(DagsterEventType.PIPELINE_STARTING.value, run.job_name)
            instance.report_dagster_event(starting, run.run_id)
            job = defs.resolve_job_def(run.job_name)
            execute_here(instance, job, instance.get_run_by_id(run.run_id) or run)
        sys.exit(not queued)


def forked(work: Callable[[], None]) -> int:
    """Do something in a process of its own; returns its exit code, or minus the signal that it died of."""
    child = os.fork()
    if child == 0:
        try:
            work()
            os._exit(0)
        except SystemExit as end:
            os._exit(int(end.code or 0))
        except BaseException as error:  # noqa: BLE001 - a fork must not go on as its parent
            print(repr(error), file=sys.stderr, flush=True)
            os._exit(2)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def crash_and_recover(flag: str) -> None:
    """Die at a place, and go on until the run has been executed."""
    place, _, then = flag.partition(",")
    died = forked(lambda: tick(place))
    if died != -signal.SIGKILL:
        raise RuntimeError(f"{flag}: nobody died there ({died})")
    if then == "forgotten":
        forked(forget_tick)
    for _ in range(_MOST_TICKS):
        time.sleep(_INTERVAL)
        if forked(tick_and_execute) == 0:
            break
    else:
        raise RuntimeError(f"{flag}: no run was queued within {_MOST_TICKS} ticks")


def main() -> None:
    """Die at each place that the command line names."""
    sender = Sender(load_settings().rabbitmq_url)
    for number, flag in enumerate(sys.argv[1:]):
        sender.send([sleep(f"crash-{number}")])
        crash_and_recover(flag)
    with DagsterInstance.get() as instance:
        runs = instance.get_runs()
        print(json.dumps([(int(run.tags[ATTEMPT]), run.status.value) for run in reversed(runs)]))


if __name__ == "__main__":
    main()
