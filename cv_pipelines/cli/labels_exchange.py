"""`cv-pipelines labels import` and `export`: labels of a data set from and to other tools."""

import getpass
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cv_pipelines.cli.context import open_catalog
from cv_pipelines.cli.labels_convert import format_of
from cv_pipelines.cli.labels_report import print_report, report_of
from cv_pipelines.cli.output import console, errors, json_option, print_json, printable
from cv_pipelines.cli.waiting import shown_when_slow

if TYPE_CHECKING:
    from cv_pipelines.annotations.importing import Imported

_NAMED = 5


@click.command("import")
@click.argument("dataset")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--format", "read_as", metavar="FORMAT", help="Format of FILE; else what it looks like.")
@click.option(
    "--as-model", default="", metavar="VERSION", help="A model has made these labels: that version of it."
)
@click.option("--skip-bad", is_flag=True, help="Leave out what is wrong; else one mistake is enough.")
@click.option("--replace", is_flag=True, help="Replace labels that a person has made, too.")
@click.option("--empty", is_flag=True, help="An image that FILE lists without labels shows none of the classes.")
@click.option("--by-file-name", is_flag=True, help="Find images by the mere names of their files.")
@json_option
def import_(
    dataset: str,
    file: Path,
    read_as: str | None,
    as_model: str,
    as_json: bool,
    **choices: bool,
) -> None:
    """Take the labels of FILE, a file or folder, over into a data set.

    All or nothing: where anything is wrong, each mistake is told and nothing is imported. Labels that a person has
    made stay, those of earlier imports and of models are replaced.

    \b
    Examples:
      cv-pipelines labels import street ~/instances.json
      cv-pipelines labels import street ~/voc --format voc --skip-bad
      cv-pipelines labels import street ~/found.json --as-model 2024-06-yolo
    """
    from cv_pipelines.annotations.importing import Choices, import_labels, importer
    from cv_pipelines.images.datasets import find_dataset

    catalog = open_catalog()
    found = find_dataset(catalog.database, dataset)
    form = format_of(file, read_as, "--format")
    author = importer(getpass.getuser(), file, as_model)
    with shown_when_slow() as progress:
        imported = import_labels(catalog, found, file, form, author, Choices(**choices), progress)
    if as_json:
        print_json({"format": form.name, **_told(imported), **report_of(imported.exchange)})
    else:
        print_report(imported.exchange)
        _print(dataset, imported)
    sys.exit(0 if imported.written else 1)


@click.command()
@click.argument("dataset")
@click.argument("target", type=click.Path(path_type=Path))
@click.option("--format", "write_as", metavar="FORMAT", required=True, help="See 'cv-pipelines labels formats'.")
@click.option("--version", default="", help="A version of the labels, by the beginning of its name; else now.")
@click.option(
    "--skip-bad", is_flag=True, help="Leave out what cannot be written; else it is enough to write nothing."
)
@json_option
def export(dataset: str, target: Path, write_as: str, version: str, skip_bad: bool, as_json: bool) -> None:
    """Write the labels of a data set to TARGET, a file or folder that is not there yet.

    What the format cannot hold is listed.

    \b
    Examples:
      cv-pipelines labels export street ~/street.json --format coco
      cv-pipelines labels export street ~/street-yolo --format yolo --version 3657c5
    """
    from cv_pipelines.annotations.exporting import export_labels
    from cv_pipelines.annotations.formats.known import find_format
    from cv_pipelines.images.datasets import find_dataset

    form = find_format(write_as)
    catalog = open_catalog()
    find_dataset(catalog.database, dataset)
    with shown_when_slow() as progress:
        exchange, made = export_labels(catalog, dataset, target, form, version, skip_bad, progress)
    if as_json:
        print_json({"format": form.name, "written": made, **report_of(exchange)})
    else:
        print_report(exchange)
        if made:
            console.print(str(target), markup=False, soft_wrap=True)
        else:
            errors.print("Nothing has been written. Leave out what is wrong with --skip-bad.")
    sys.exit(0 if made else 1)


def _told(imported: "Imported") -> dict[str, Any]:
    written, classes = imported.written, imported.classes
    return {
        "imported": written is not None,
        "labels": imported.labels,
        "changed": written.events if written else 0,
        "unchanged": written.unchanged if written else 0,
        "kept": len(written.refused) if written else 0,
        "kept_images": imported.kept,
        "listed_empty": imported.empty,
        "new_classes": classes.added,
        "unknown_classes": classes.unknown,
        "retired_classes": classes.retired,
    }


def _print(dataset: str, imported: "Imported") -> None:
    """Say what was imported, what was not, and what is next."""
    written, classes = imported.written, imported.classes
    lines = []
    if imported.empty:
        lines.append(f"Listed without labels, so left as they are: {imported.empty:,} (see --empty).")
    if classes.retired:
        lines.append(f"Retired, so that their labels count for nothing: {', '.join(classes.retired)}.")
    if classes.unknown:
        names = ", ".join(classes.unknown)
        lines.append(f"Not among the classes fixed for '{dataset}': {names} ('labels classes add' takes one in).")
    if written is None:
        lines.append("Nothing has been imported. Mend the file, or leave out what is wrong with --skip-bad.")
    else:
        if written.refused:
            first = ", ".join(imported.kept[:_NAMED]) + (", …" if len(written.refused) > _NAMED else "")
            lines.append(f"Kept as they are, for somebody has labelled them: {len(written.refused):,} ({first}).")
        if written.events:
            lines.append(f"{written.events:,} images have new labels, {written.unchanged:,} had the same before.")
            lines.append(f"Next: cv-pipelines labels commit {dataset} makes a version of them.")
        else:
            lines.append(f"Nothing is new: {written.unchanged:,} images have these labels already.")
    for line in lines:
        errors.print(printable(line), markup=False, soft_wrap=True)
