"""A job of one data set, through the daemon or in this process, shown on the terminal."""

import threading
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from cv_pipelines.cli.context import open_catalog
from cv_pipelines.cli.terminal import kept_terminal
from cv_pipelines.errors import InfrastructureError
from cv_pipelines.settings import load_settings

if TYPE_CHECKING:
    from dagster import DagsterInstance, DagsterRun, JobDefinition

    from cv_pipelines.orchestration.following import StepUpdate


def run_job(job: str, dataset: str, config: Mapping[str, Any], quiet: bool = False) -> dict[str, Any]:
    """Run a job of a data set and show it.

    Returns:
        `run_id`, `succeeded`, `executed` (`daemon` or `here`), `steps` with name, state, message
        and seconds.
    """
    from dagster._core.utils import make_new_run_id

    from cv_pipelines.cli.steps import show_steps
    from cv_pipelines.definitions import defs
    from cv_pipelines.images.datasets import find_dataset
    from cv_pipelines.orchestration.following import succeeded
    from cv_pipelines.orchestration.instance import add_partition, daemon_is_running, open_instance
    from cv_pipelines.orchestration.local_runs import create_run
    from cv_pipelines.orchestration.lost_runs import end_lost_runs

    find_dataset(open_catalog().database, dataset)
    definition = defs.resolve_job_def(job)
    with open_instance() as instance:
        add_partition(instance, dataset)
        end_lost_runs(instance)
        run_id, daemon = make_new_run_id(), daemon_is_running(instance)
        if daemon:
            where, updates = "queued for the daemon", _submitted(instance, job, dataset, run_id, config)
        else:
            run = create_run(instance, definition, dataset, run_id, config)
            where, updates = "in this process, for no daemon is running", _here(instance, definition, run)
        with kept_terminal(load_settings().state / "logs" / f"{run_id}.log", quiet) as terminal:
            terminal.print(f"The {job} of [bold]{dataset}[/], {where}.")
            ended = show_steps(updates, len(definition.graph.nodes), terminal)
        return {
            "run_id": run_id,
            "succeeded": succeeded(instance, run_id),
            "executed": "daemon" if daemon else "here",
            "steps": [vars(update) for update in ended],
        }


def _submitted(
    instance: "DagsterInstance", job: str, dataset: str, run_id: str, config: Mapping[str, Any]
) -> "Iterator[StepUpdate]":
    from cv_pipelines.orchestration.following import follow
    from cv_pipelines.orchestration.submission import is_stranded, submit

    submit(job, dataset, run_id, config)
    yield from follow(instance, run_id, alive=lambda: not is_stranded(instance, run_id))
    if is_stranded(instance, run_id):
        message = f"The daemon has stopped in the middle of run {run_id}. 'make dev' starts it again."
        raise InfrastructureError("no_daemon", message)


def _here(instance: "DagsterInstance", job: "JobDefinition", run: "DagsterRun") -> "Iterator[StepUpdate]":
    """Execute on another thread and follow from this one, exactly as a run elsewhere is followed."""
    from cv_pipelines.orchestration.following import follow
    from cv_pipelines.orchestration.local_runs import cancel, execute_here

    failures: list[BaseException] = []

    def work() -> None:
        try:
            execute_here(instance, job, run)
        except BaseException as error:  # noqa: BLE001 - raised again on the other thread
            failures.append(error)

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    try:
        yield from follow(instance, run.run_id, alive=thread.is_alive)
    except KeyboardInterrupt:
        cancel(instance, run.run_id)
        raise
    thread.join()
    if failures:
        raise failures[0]
