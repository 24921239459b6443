"""`cv-pipelines labels ask|queue|rounds`: which images to label next, and what that has gained."""

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cv_pipelines.cli.context import open_catalog
from cv_pipelines.cli.output import console, json_option, print_json, print_table
from cv_pipelines.cli.waiting import shown_when_slow

if TYPE_CHECKING:
    from cv_pipelines.active_learning.rounds import Round

_SHOWN = 20


@click.command()
@click.argument("dataset")
@click.option("--strategy", "strategies", multiple=True, metavar="NAME[=SHARE]", help="One of them, or several.")
@click.option("--set", "settings", multiple=True, metavar="KEY=VALUE", help="size, seed, per_day, per_class, …")
@json_option
def ask(dataset: str, strategies: tuple[str, ...], settings: tuple[str, ...], as_json: bool) -> None:
    """Choose the images that should be labelled next, by what the champion says of them now.

    Without a champion they are drawn by lot. Nothing is trained. What is set here stands for the rounds that
    the sensor new_labels starts, too.

    \b
    Examples:
      cv-pipelines labels ask flowers
      cv-pipelines labels ask flowers --strategy entropy=2 --strategy diverse=1 --set size=50
      cv-pipelines labels ask flowers --strategy classes_based --set classes=bar,disc
    """
    from cv_pipelines.cli.execution import run_job
    from cv_pipelines.images.datasets import find_dataset

    parameters = parse_parameters(strategies, settings)
    catalog = open_catalog()
    find_dataset(catalog.database, dataset)
    catalog.require("image_manifest", dataset)
    config = {"ops": {"label_queue": {"config": parameters}}} if parameters else {}
    run = run_job("ask", dataset, config, quiet=as_json)
    if as_json:
        print_json({"dataset": dataset, **run})
    elif run["succeeded"]:
        console.print(f"Next: cv-pipelines labels queue {dataset}")
    else:
        console.print(f"[red]Failed[/], see above: run {run['run_id']}.", soft_wrap=True)
    sys.exit(0 if run["succeeded"] else 1)


def parse_parameters(strategies: tuple[str, ...], settings: tuple[str, ...]) -> dict[str, Any]:
    """Parameters of a queue from words, of the types that they have; only those that are given."""
    from pydantic import ValidationError

    from cv_pipelines.active_learning.parameters import QueueParameters
    from cv_pipelines.errors import problems_of

    given: dict[str, Any] = {}
    for name, sign, value in (one.partition("=") for one in settings):
        if not sign or name not in QueueParameters.model_fields or name == "strategies":
            known = ", ".join(one for one in QueueParameters.model_fields if one != "strategies")
            raise click.BadParameter(f"'{name}': write KEY=VALUE, where KEY is one of {known}.")
        given[name] = value.split(",") if name == "classes" else value
    if strategies:
        given["strategies"] = {name: share or "1" for name, _, share in (one.partition("=") for one in strategies)}
    try:
        return QueueParameters.model_validate(given).model_dump(include=set(given))
    except ValidationError as error:
        raise click.BadParameter(problems_of(error)) from error


@click.command()
@click.argument("dataset")
@click.option("--strategy", help="Only what this one asks for.")
@json_option
def queue(dataset: str, strategy: str | None, as_json: bool) -> None:
    """Show the images that should be labelled next, and why.

    \b
    Example:
      cv-pipelines labels queue flowers
    """
    from cv_pipelines.active_learning.parameters import STRATEGIES
    from cv_pipelines.active_learning.queue import ASSET, read_queue
    from cv_pipelines.errors import InputError
    from cv_pipelines.images.datasets import find_dataset
    from cv_pipelines.images.names import ImageNames

    if strategy is not None and strategy not in STRATEGIES:
        raise click.BadParameter(f"there is no strategy '{strategy}'; there are: {', '.join(STRATEGIES)}.")
    catalog = open_catalog()
    find_dataset(catalog.database, dataset)
    reference = catalog.current(ASSET, dataset)
    if reference is None:
        raise InputError("no_queue", f"'{dataset}' has no queue yet: cv-pipelines labels ask {dataset}")
    bundle, names = catalog.open(reference), ImageNames(catalog, dataset)
    rows = [{**row, "image": names.name_of(row["image_id"])} for row in read_queue(catalog, dataset, bundle)]
    rows = [row for row in rows if strategy in (None, row["strategy"])]
    if as_json:
        print_json({"dataset": dataset, "version": reference.version, **bundle.facts, "queue": rows})
        return
    open_ = sum(not row["labelled"] for row in rows)
    by = bundle.facts["model"] or "nobody: no champion has looked at these images yet"
    console.print(f"{open_:,} of {len(rows):,} images wait for their labels; predictions by {by}.", soft_wrap=True)
    columns = ["#", "image", "strategy", "why", "labelled"]
    shown = [[row[name] for name in ("rank", "image", "strategy", "reason", "labelled")] for row in rows[:_SHOWN]]
    print_table(columns, shown, f"The first {_SHOWN}:" if len(rows) > _SHOWN else None)


@click.command()
@click.argument("dataset")
@click.option(
    "--last", type=click.IntRange(1), default=20, show_default=True, help="So many of the newest models."
)
@click.option("--picture", type=click.Path(dir_okay=False, path_type=Path), help="Draw it into this PNG file.")
@json_option
def rounds(dataset: str, last: int, picture: Path | None, as_json: bool) -> None:
    """Show what each round has gained: all models on the present test split, and the labels that they had.

    \b
    Example:
      cv-pipelines labels rounds flowers
    """
    from cv_pipelines.active_learning.rounds import read_rounds
    from cv_pipelines.images.datasets import find_dataset

    catalog = open_catalog()
    find_dataset(catalog.database, dataset)
    with shown_when_slow() as progress:
        found = read_rounds(catalog, dataset, last, progress=progress)
    if picture is not None and found:
        from cv_pipelines.reports.figures import round_curves

        labelled = [sum(one.labelled.values()) for one in found]
        curves = {"accuracy": [one.accuracy or 0.0 for one in found]}
        picture.write_bytes(round_curves(labelled, curves | {"macro F1": [one.macro_f1 or 0.0 for one in found]}))
    if as_json:
        print_json({"dataset": dataset, "rounds": [one.as_dict() for one in found]})
        return
    if not found:
        console.print(f"There is no model yet: cv-pipelines run {dataset}")
        return
    columns = ["model", "made", "labels from", "learned from#", "asked before", "accuracy#", "gain#"]
    print_table([*columns, "macro F1#", "promoted"], [_shown(one) for one in found])


def _shown(one: "Round") -> list[object]:
    figures = [one.accuracy, one.gain, one.macro_f1, one.promoted]
    return [one.model, one.made_at, _counts(one.labelled), one.learned, _counts(one.asked), *figures]


def _counts(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {count:,}" for name, count in counts.items())
