"""Runs whose process has died without a word: killed, or gone with the machine that was switched off."""

import json
import socket

import psutil
from dagster import DagsterEventType, DagsterInstance, DagsterRun, DagsterRunStatus, RunsFilter
from dagster._core.storage.tags import GRPC_INFO_TAG

PROCESS = "cv/process"
"""Tag of a run that executes in the process of a command: run, host, process id and start time."""
LAUNCHED = "cv/launched"
"""Tag of a run that a code server executes in a process of its own: run and host."""
DIED = "The process that executed this run has died."
_FIRST_EVENTS = 50
"""A worker tells its process id in one of the first."""


def name_of(run_id: str, process: psutil.Process | None = None) -> str:
    """What a tag says of a run of this host: no other run has the same, though its tags be copied for a retry.

    Args:
        run_id: the run.
        process: executes it; named so that no later one of the same id is taken for it.
    """
    own = f":{process.pid}:{process.create_time():.2f}" if process else ""
    return f"{run_id}:{socket.gethostname()}{own}"


def is_lost(instance: DagsterInstance, run: DagsterRun) -> bool:
    """Say whether the process that executes a run is gone; of another host's processes nothing is known.

    A worker may outlive its code server, and goes on; a server that outlives its worker says so itself.
    """
    if run.tags.get(LAUNCHED) == name_of(run.run_id):
        return _has_lost_its_worker(instance, run)
    process = run.tags.get(PROCESS, "")
    return process.startswith(f"{name_of(run.run_id)}:") and not _is_alive(run.run_id, process)


def end_lost_runs(instance: DagsterInstance) -> list[str]:
    """Mark lost runs as failed: the daemon does the same while it runs (local_run_launcher.py).

    Returns:
        Their ids.
    """
    lost = []
    for run in instance.get_runs(RunsFilter(statuses=[DagsterRunStatus.STARTING, DagsterRunStatus.STARTED])):
        if is_lost(instance, run) and not _has_ended(instance, run.run_id):
            instance.report_run_failed(run, DIED)
            lost.append(run.run_id)
    return lost


def _has_ended(instance: DagsterInstance, run_id: str) -> bool:
    """Ask again: a process that is gone may have ended its run before."""
    run = instance.get_run_by_id(run_id)
    return run is None or run.is_finished


def _has_lost_its_worker(instance: DagsterInstance, run: DagsterRun) -> bool:
    """Judge by the worker's process; by the code server that starts it as long as it has not told its id.

    A server that is reached by a port may be on another machine, and so are its workers.
    """
    address = json.loads(run.tags.get(GRPC_INFO_TAG, "{}")).get("socket")
    if address is None:
        return False
    worker = _worker(instance, run.run_id)
    if worker is not None:
        return not _is_running(*worker)
    with socket.socket(socket.AF_UNIX) as probe:
        return probe.connect_ex(address) != 0


def _worker(instance: DagsterInstance, run_id: str) -> tuple[int, float] | None:
    """The id of a run's process, and a time at which it was that process's; None where it has not told."""
    page = instance.get_records_for_run(run_id, of_type=DagsterEventType.ENGINE_EVENT, limit=_FIRST_EVENTS)
    for record in page.records:
        entry = record.event_log_entry
        told = entry.dagster_event.engine_event_data.metadata.get("pid") if entry.dagster_event else None
        if told is not None:
            return int(str(told.value)), entry.timestamp
    return None


def _is_running(pid: int, since: float) -> bool:
    """Say whether the process that had an id at some time still has it; one that began later is another one."""
    try:
        process = psutil.Process(pid)
        return process.status() != psutil.STATUS_ZOMBIE and process.create_time() <= since
    except psutil.NoSuchProcess:
        return False


def _is_alive(run_id: str, name: str) -> bool:
    try:
        process = psutil.Process(int(name.split(":")[2]))
        return process.status() != psutil.STATUS_ZOMBIE and name_of(run_id, process) == name
    except psutil.NoSuchProcess:
        return False
