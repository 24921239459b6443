"""`cv-pipelines run`: the loop of one data set."""

import sys
from typing import Any

import click

from cv_pipelines.cli.context import open_catalog
from cv_pipelines.cli.execution import run_job
from cv_pipelines.cli.output import console, errors, json_option, print_json
from cv_pipelines.errors import problems_of


@click.command()
@click.argument("dataset")
@click.option("--set", "settings", multiple=True, metavar="KEY=VALUE", help="A training parameter.")
@json_option
def run(dataset: str, settings: tuple[str, ...], as_json: bool) -> None:
    """Run the loop: ingest, check, label, split, train, judge, promote, predict.

    What was set for the newest queue ('labels ask') stands for the one that this makes, too.

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
    """Run the loop of a data set and show it; see run_job. What was set about its queue stands for the next one.

    Args:
        dataset: its name.
        parameters: of the training.
        quiet: keep stdout free for JSON.
    """
    from cv_pipelines.active_learning.parameters import QueueParameters
    from cv_pipelines.active_learning.queue import ASSET
    from cv_pipelines.active_learning.standing import standing_parameters

    queue = standing_parameters(open_catalog(), ASSET, dataset, QueueParameters)
    given = {"trained_model": parameters, ASSET: queue}
    return run_job("loop", dataset, {"ops": {name: {"config": one} for name, one in given.items() if one}}, quiet)
