"""`cv-pipelines dataset add`: name a source."""

from typing import TYPE_CHECKING

import click
from rich.filesize import decimal

from cv_pipelines.cli.context import open_catalog
from cv_pipelines.cli.output import console, json_option, print_json, print_table, printable
from cv_pipelines.cli.waiting import shown_when_slow
from cv_pipelines.errors import InputError

if TYPE_CHECKING:
    from cv_pipelines.images.sources.probe import Probe


@click.command()
@click.argument("name")
@click.argument("source", type=click.Path())
@click.option("--classes", default="", help="The label set, separated by commas; default: the classes found.")
@click.option("--every", type=click.IntRange(min=1), help="Of a video: each n-th frame.")
@click.option("--rate", help="Of a video: frames per second, such as 2 or 1/10; default: 1.")
@json_option
def add(name: str, source: str, classes: str, every: int | None, rate: str | None, as_json: bool) -> None:
    """Name a data set: a folder with class subfolders, a CSV, an archive, a video, or s3://bucket/prefix.

    \b
    Examples:
      cv-pipelines dataset add flowers ~/photos/flowers
      cv-pipelines dataset add parts ~/parts/labels.csv --classes good,scratched
      cv-pipelines dataset add site s3://photos/site-a
      cv-pipelines dataset add traffic crossing.mp4 --every 10
    """
    from cv_pipelines.images.datasets import add_dataset, require_name
    from cv_pipelines.images.sources.factory import open_source
    from cv_pipelines.images.sources.probe import probe_source
    from cv_pipelines.orchestration.instance import add_partition, open_instance
    from cv_pipelines.remote.locations import normal_location

    require_name(name)
    location = normal_location(_sampled(source, every, rate))
    opened = open_source(location)
    with shown_when_slow() as progress:
        probe = probe_source(opened, progress)
    _require_usable(probe, source)
    if not as_json:
        _tell(probe, location)
    wanted = tuple(part.strip() for part in classes.split(",") if part.strip())
    added = add_dataset(open_catalog().database, name, location, wanted)
    with open_instance() as instance:
        add_partition(instance, name)
    if as_json:
        in_order = dict(sorted(probe.classes.items()))
        print_json({"name": name, "source": added.source, **vars(probe), "classes": in_order})
    else:
        console.print(f"Added: {name}. Next: cv-pipelines run {name}", markup=False)


def _sampled(source: str, every: int | None, rate: str | None) -> str:
    """A source with the options that say which frames."""
    if every and rate:
        raise click.UsageError("--every and --rate exclude each other.")
    return f"{source}#every={every}" if every else f"{source}#rate={rate}" if rate else source


def _require_usable(probe: "Probe", source: str) -> None:
    if not probe.files:
        raise InputError("no_files", f"There are no files in '{source}'.")
    if probe.unusable == probe.files:
        path, problem = next(iter(probe.problems.items()))
        message = f"Of the {probe.files:,} files in '{source}' none can be used. The first, '{path}': {problem}."
        raise InputError("no_usable_files", message)


def _tell(probe: "Probe", source: str) -> None:
    size = f", {decimal(probe.bytes)}" if probe.bytes else ""
    classes = f" in {len(probe.classes):,} classes" if probe.classes else ""
    line = f"The {probe.kind} {printable(source)} holds {probe.files:,} files{classes}{size}."
    console.print(line, markup=False, soft_wrap=True)
    if probe.facts:
        print_table(["", ""], list(probe.facts.items()))
    if probe.classes:
        print_table(["class", "files#"], sorted(probe.classes.items())[:50])
    if probe.splits:
        print_table(["split", "files#"], sorted(probe.splits.items()))
    if probe.unlabelled:
        console.print(f"{probe.unlabelled:,} of them without a class: images are predicted, and not learned from.")
    if probe.unusable:
        console.print(f"{probe.unusable:,} of them cannot be used:", style="yellow")
        print_table(["file", "reason"], list(probe.problems.items())[:10])
    if len(probe.classes) < 2:
        hint = (
            "A model needs two classes: give one subfolder per class, or a labels.csv, or label images (make web)."
        )
        console.print(hint, style="yellow")
