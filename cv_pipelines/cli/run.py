"""`cv-pipelines run`: the loop of one data set."""

import sys
import threading
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from cv_pipelines.cli.context import open_catalog
from cv_pipelines.cli.output import console, errors, json_option, print_json
from cv_pipelines.cli.terminal import kept_terminal
from cv_pipelines.errors import InfrastructureError, InputError, problems_of
from cv_pipelines.settings import load_settings

if TYPE_CHECKING:
    from dagster import DagsterInstance

    from cv_pipelines.orchestration.following import StepUpdate


@click.command()
@click.argument("dataset")
@click.option("--set", "settings", multiple=True, metavar="KEY=VALUE", help="A training parameter.")
@json_option
def run(dataset: str, settings: tuple[str, ...], as_json: bool) -> None:
    """Run the loop: ingest, check, label, split, train, judge, promote, predict.

    With a daemon running ('make dev') the run is queued there, else it executes in this process.

    \b
    Examples:
      cv-pipelines run digits
      cv-pipelines run flowers --set architecture=MobileNetV2 --set epochs=10
    """
    parameters = parse_parameters(settings)
    try:
        result = run_loop(dataset, parameters, quiet=as_json)
    except KeyboardInterrupt:
        errors.print("Stopped. The same command goes on from where it was.")
        sys.exit(130)
    if as_json:
        print_json(result)
    else:
        word = "[green]Finished[/]" if result["succeeded"] else "[red]Failed[/]"
        console.print(f"{word}: run {result['run_id']}. More: cv-pipelines report {dataset}", soft_wrap=True)
    sys.exit(0 if result["succeeded"] else 1)


def parse_parameters(settings: tuple[str, ...]) -> dict[str, Any]:
    """Training parameters from `KEY=VALUE`, of the types that they have."""
    from pydantic import ValidationError

    from cv_pipelines.models.architectures.factory import require_architecture, weights_file
    from cv_pipelines.models.parameters import TrainingParameters

    if any("=" not in part for part in settings):
        raise click.BadParameter("write KEY=VALUE.")
    given = dict(part.partition("=")[::2] for part in settings)
    unknown = set(given) - set(TrainingParameters.model_fields)
    if unknown:
        known = ", ".join(TrainingParameters.model_fields)
        raise click.BadParameter(f"no parameter {', '.join(sorted(unknown))}; there are: {known}.")
    try:
        parsed = TrainingParameters.model_validate(given)
    except ValidationError as error:
        raise click.BadParameter(problems_of(error)) from error
    require_architecture(parsed.architecture)
    if parsed.weights:
        parsed = parsed.model_copy(update={"weights": str(weights_file(parsed.weights).absolute())})
    return parsed.model_dump(include=set(given))


def run_loop(dataset: str, parameters: dict[str, Any], quiet: bool = False) -> dict[str, Any]:
    """Run the loop of a data set and show it.

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
    from cv_pipelines.orchestration.local_runs import end_lost_runs, run_in_progress

    find_dataset(open_catalog().database, dataset)
    config = {"ops": {"trained_model": {"config": parameters}}} if parameters else {}
    with open_instance() as instance:
        add_partition(instance, dataset)
        end_lost_runs(instance)
        run_id, daemon = make_new_run_id(), daemon_is_running(instance)
        other = None if daemon else run_in_progress(instance, dataset)
        if other is not None:
            raise InputError("busy", f"'{dataset}' is being worked on by run {other}: wait until it has ended.")
        where = "queued for the daemon" if daemon else "in this process, for no daemon is running"
        steps = len(defs.resolve_job_def("loop").graph.nodes)
        start = _submitted if daemon else _here
        with kept_terminal(load_settings().state / "logs" / f"{run_id}.log", quiet) as terminal:
            terminal.print(f"The loop of [bold]{dataset}[/], {where}.")
            ended = show_steps(start(instance, dataset, run_id, config), steps, terminal)
        return {
            "run_id": run_id,
            "succeeded": succeeded(instance, run_id),
            "executed": "daemon" if daemon else "here",
            "steps": [vars(update) for update in ended],
        }


def _submitted(
    instance: "DagsterInstance", dataset: str, run_id: str, config: dict[str, Any]
) -> "Iterator[StepUpdate]":
    from cv_pipelines.orchestration.following import follow
    from cv_pipelines.orchestration.submission import is_stranded, submit

    submit("loop", dataset, run_id, config)
    yield from follow(instance, run_id, alive=lambda: not is_stranded(instance, run_id))
    if is_stranded(instance, run_id):
        message = f"The daemon has stopped in the middle of run {run_id}. 'make dev' starts it again."
        raise InfrastructureError("no_daemon", message)


def _here(
    instance: "DagsterInstance", dataset: str, run_id: str, config: dict[str, Any]
) -> "Iterator[StepUpdate]":
    """Execute on another thread and follow from this one, exactly as a run elsewhere is followed."""
    from cv_pipelines.definitions import defs
    from cv_pipelines.orchestration.following import follow
    from cv_pipelines.orchestration.local_runs import cancel, execute_here

    job = defs.resolve_job_def("loop")
    failures: list[BaseException] = []

    def work() -> None:
        try:
            execute_here(instance, job, dataset, run_id, config)
        except BaseException as error:  # noqa: BLE001 - raised again on the other thread
            failures.append(error)

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    try:
        yield from follow(instance, run_id, alive=thread.is_alive)
    except KeyboardInterrupt:
        cancel(instance, run_id)
        raise
    thread.join()
    if failures:
        raise failures[0]
