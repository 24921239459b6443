"""`cv-pipelines labels convert`, `check` and `formats`: labels in files."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cv_pipelines.cli.labels_report import print_findings, print_report, report_of
from cv_pipelines.cli.output import console, errors, json_option, print_json, print_table
from cv_pipelines.errors import InputError

if TYPE_CHECKING:
    from cv_pipelines.annotations.exchange import Exchange
    from cv_pipelines.annotations.formats.format import Format
    from cv_pipelines.annotations.images import ImageFolder

_IMAGES = click.option(
    "--images",
    "folder",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder of the images: formats without sizes need them, 'folder' copies them.",
)


@click.command()
@click.argument("source", metavar="FROM", type=click.Path(path_type=Path))
@click.argument("target", metavar="TO", type=click.Path(path_type=Path))
@click.option("--from", "read_as", metavar="FORMAT", help="Format of FROM; else what it looks like.")
@click.option("--to", "write_as", metavar="FORMAT", required=True, help="Format of TO.")
@_IMAGES
@click.option(
    "--skip-bad", is_flag=True, help="Leave out what is wrong; else one mistake is enough to write nothing."
)
@json_option
def convert(
    source: Path,
    target: Path,
    read_as: str | None,
    write_as: str,
    folder: Path | None,
    skip_bad: bool,
    as_json: bool,
) -> None:
    """Convert labels from one format to another.

    TO must not be there yet; it appears when it is complete. What the other format cannot hold is listed.

    \b
    Examples:
      cv-pipelines labels convert instances.json voc --to voc
      cv-pipelines labels convert voc yolo --from voc --to yolo --skip-bad
    """
    from cv_pipelines.annotations.convert import convert as convert_labels
    from cv_pipelines.annotations.formats.known import find_format
    from cv_pipelines.annotations.images import ImageFolder

    written_as = find_format(write_as)
    found = format_of(source, read_as)
    exchange = _exchange(source, ImageFolder(folder) if folder else None)
    made = convert_labels(source, found, target, written_as, exchange, skip_bad)
    if as_json:
        print_json({"from": found.name, "to": written_as.name, "written": made, **report_of(exchange)})
    else:
        print_report(exchange)
        if made:
            console.print(str(target), markup=False, soft_wrap=True)
        else:
            errors.print("Nothing has been written. Mend the source, or leave out what is wrong with --skip-bad.")
    sys.exit(0 if made else 1)


@click.command()
@click.argument("source", metavar="FROM", type=click.Path(path_type=Path))
@click.option("--from", "read_as", metavar="FORMAT", help="Format of FROM; else what it looks like.")
@_IMAGES
@click.option("--least", type=click.IntRange(0), default=10, show_default=True, help="Objects that a class needs.")
@json_option
def check(source: Path, read_as: str | None, folder: Path | None, least: int, as_json: bool) -> None:
    """Find what is wrong with labels: boxes outside of their image, two of one object, classes with too few.

    The status is 1 where something would make training wrong.
    """
    from cv_pipelines.annotations.checks import Rules, check_annotations
    from cv_pipelines.annotations.exchange import passed
    from cv_pipelines.annotations.images import ImageFolder

    found = format_of(source, read_as)
    images = ImageFolder(folder) if folder else None
    exchange = _exchange(source, images)
    findings = check_annotations(passed(found.read(source, exchange), exchange), Rules(least=least, images=images))
    bad = findings.blocking or bool(exchange.report.counts)
    if as_json:
        told = {"counts": dict(findings.counts), "findings": [one.as_dict() for one in findings.first]}
        print_json({"from": found.name, "blocking": bad, **report_of(exchange), **told})
    else:
        print_report(exchange)
        print_findings(findings)
    sys.exit(1 if bad else 0)


@click.command()
@json_option
def formats(as_json: bool) -> None:
    """List the formats."""
    from cv_pipelines.annotations.formats.known import FORMATS

    if as_json:
        print_json([{"name": one.name, "title": one.title, "folder": one.folder} for one in FORMATS])
    else:
        print_table(["format", "what it is"], [[one.name, one.title] for one in FORMATS])


def format_of(source: Path, name: str | None, option: str = "--from") -> "Format":
    """The format that somebody has named, else what a path looks like.

    Raises:
        InputError: `unknown_format`, `wrong_format` or `no_file`.
    """
    from cv_pipelines.annotations.formats.known import NAMES, detect, find_format, require_format

    if name is not None:
        found = find_format(name)
        require_format(source, found)
        return found
    detected = detect(source)
    if detected is None:
        raise InputError(
            "unknown_format", f"'{source}' looks like none of {', '.join(NAMES)}; name one with {option}."
        )
    return detected


def _exchange(source: Path, named: "ImageFolder | None") -> "Exchange":
    """Images of a folder: the one that is named, else `images` in or beside the source, else the source's own.

    Never all that lies around a file: that may be somebody's whole home.
    """
    from cv_pipelines.annotations.exchange import Exchange
    from cv_pipelines.annotations.images import ImageFolder, NoImages

    around = source if source.is_dir() else source.absolute().parent
    inner = around / "images"
    place = inner if inner.is_dir() else source if source.is_dir() else None
    return Exchange(named or (ImageFolder(place) if place else NoImages()), progress=_tell)


def _tell(stage: str, done: int, total: int | None = None) -> None:
    if errors.is_terminal and done:
        end = f" of {total:,}" if total else ""
        errors.print(f"{done:,}{end} {stage}", end="\r")
