"""`cv-pipelines detections …`: what any program has detected, taken in and judged."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cv_pipelines.cli.context import open_catalog
from cv_pipelines.cli.labels_report import print_problems, problems_of
from cv_pipelines.cli.output import console, errors, json_option, print_json, print_table
from cv_pipelines.cli.waiting import shown_when_slow

if TYPE_CHECKING:
    from cv_pipelines.detections.importing import Imported

_COUNTS = (
    ("images", "labelled images"),
    ("images_with_detections", "with detections"),
    ("objects", "objects"),
    ("detections", "detections"),
    ("detections_on_unlabelled_images", "left out: on unlabelled images"),
    ("detections_of_unknown_classes", "left out: of classes without objects"),
)
_VOC = (("voc_ap_11_points", "VOC AP, 11 points"), ("voc_ap_all_points", "VOC AP, all points"))


@click.group()
def detections() -> None:
    """Detections of any program: taken in, and held against the labels."""


@detections.command(name="import")
@click.argument("dataset")
@click.argument("source", metavar="FILE", type=click.Path(path_type=Path))
@click.option(
    "--format", "format_name", type=click.Choice(["coco-results", "voc-text"]), help="Else what FILE looks like."
)
@click.option(
    "--ground-truth",
    "truth",
    type=click.Path(path_type=Path),
    help="The file of COCO instances whose numbers FILE uses.",
)
@click.option("--name", default="", help="Of these detections, such as that of the model; else that of FILE.")
@click.option(
    "--skip-bad", is_flag=True, help="Leave out what is wrong; else one mistake is enough to store nothing."
)
@json_option
def import_command(
    dataset: str,
    source: Path,
    format_name: str | None,
    truth: Path | None,
    name: str,
    skip_bad: bool,
    as_json: bool,
) -> None:
    """Take in COCO results (JSON), or the text files that tools of Pascal VOC write, one for each class.

    \b
    Examples:
      cv-pipelines detections import street results.json --ground-truth instances.json --name yolo-7
      cv-pipelines detections import street results/VOC2012/Main
    """
    from cv_pipelines.detections.importing import import_detections

    with shown_when_slow() as progress:
        done = import_detections(
            open_catalog(), dataset, source, format_name, truth, name, skip_bad, progress=progress
        )
    if as_json:
        print_json(_as_json(dataset, done))
    else:
        _tell(dataset, done)
    sys.exit(0 if done.reference else 1)


@detections.command()
@click.argument("dataset")
@json_option
def evaluate(dataset: str, as_json: bool) -> None:
    """Hold the newest detections against the labels: COCO's twelve numbers, and average precision of VOC.

    \b
    Example:
      cv-pipelines detections evaluate street --json
    """
    from cv_pipelines.detections.coco_numbers import NUMBERS
    from cv_pipelines.detections.evaluation import class_rows, evaluate_detections
    from cv_pipelines.detections.importing import require_detections
    from cv_pipelines.images.datasets import find_dataset

    catalog = open_catalog()
    find_dataset(catalog.database, dataset)
    seen = require_detections(catalog, dataset)
    manifest, labels = (catalog.require(asset, dataset) for asset in ("image_manifest", "labels"))
    with shown_when_slow() as progress:
        facts = evaluate_detections(catalog, manifest, labels, seen, progress).bundle.facts
    if as_json:
        print_json(facts)
        return
    told = (*_COUNTS, *((name, name) for name in NUMBERS), *_VOC)
    print_table(["", f"{facts['detections_name']}#"], [[title, facts[name]] for name, title in told])
    rows = class_rows(facts)
    columns = ["class", "objects#", "detections#", "AP#", "AP50#", *(f"{title}#" for _, title in _VOC)]
    print_table(columns, [list(row.values()) for row in rows])


def _as_json(dataset: str, done: "Imported") -> dict[str, Any]:
    return {
        "dataset": dataset,
        "stored": done.reference is not None,
        "version": done.reference.version if done.reference else None,
        "unchanged": done.unchanged,
        "detections": done.report.boxes,
        "images": done.report.images,
        "classes": dict(sorted(done.classes.items())),
        **problems_of(done.report),
    }


def _tell(dataset: str, done: "Imported") -> None:
    counts = f"{done.report.boxes:,} detections of {len(done.classes):,} classes on {done.report.images:,} images"
    errors.print(f"{counts} can be used.")
    print_problems(done.report)
    if done.reference is None:
        errors.print(
            "Nothing has been stored. Mend the file, or leave out what is wrong with --skip-bad.", soft_wrap=True
        )
        return
    word = "Unchanged" if done.unchanged else "Stored"
    console.print(
        f"{word}: {done.reference.version}. Next: cv-pipelines detections evaluate {dataset}", markup=False
    )
