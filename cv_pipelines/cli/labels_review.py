"""`cv-pipelines labels agreement|disputes|adjudicate`: where people who label disagree, and who settles it."""

from typing import TYPE_CHECKING, Any

import click

from cv_pipelines.cli.context import open_catalog
from cv_pipelines.cli.labels_set import author_options
from cv_pipelines.cli.output import console, json_option, print_json, print_table

if TYPE_CHECKING:
    from cv_pipelines.annotations.annotation import Annotation
    from cv_pipelines.annotations.consensus import Consensus
    from cv_pipelines.images.names import ImageNames

_SHOWN = 20


@click.command()
@click.argument("dataset")
@json_option
def agreement(dataset: str, as_json: bool) -> None:
    """Show how far people agree on the images that two or more have labelled: by pair, person and class.

    Kappa is agreement beyond chance, 1 at most, on classes of images: Cohen's for two people, Fleiss' for all.
    Boxes: twice the matched ones by all (F1), and how far the matched ones overlap (IoU).

    \b
    Example:
      cv-pipelines labels agreement flowers
    """
    found, _ = _consensus(dataset)
    if as_json:
        figures = {"images": found.images, "in_dispute": found.disputed, "kappa": found.kappa()}
        people = {"pairs": found.pairs(), "annotators": found.annotators()}
        print_json({"dataset": dataset, **figures, **people, "classes": found.classes()})
        return
    console.print(f"{found.images:,} images of {dataset} have labels of two or more people.")
    if not found.images:
        return
    kappa = found.kappa()
    if kappa is not None:
        console.print(f"Fleiss' kappa of their classes: {kappa:.3f}")
    if pairs := found.pairs():
        columns = ["person", "and", "images#", "agree on#", "kappa#", "boxes F1#", "mean IoU#"]
        print_table(columns, [[*one.values()] for one in pairs])
        columns = ["person", "compared#", "share agreed#", "boxes F1#"]
        print_table(columns, [[*one.values()] for one in found.annotators()])
        print_table(["class", "kappa#", "boxes F1#", "mean IoU#"], [[*one.values()] for one in found.classes()])
    console.print(f"In dispute: {found.disputed:,}." + _next(dataset, found.disputed))


@click.command()
@click.argument("dataset")
@json_option
def disputes(dataset: str, as_json: bool) -> None:
    """List the images on which people disagree, and what each of them says.

    \b
    Example:
      cv-pipelines labels disputes flowers
    """
    found, names = _consensus(dataset)
    if as_json:
        print_json({"dataset": dataset, "in_dispute": found.disputed, "images": _as_dicts(found, names)})
        return
    rows = [
        [names.name_of(one.image), one.version, who, _words(said)]
        for one in found.disputes[:_SHOWN]
        for who, said in one.open.items()
    ]
    if not rows:
        console.print(f"Nothing is in dispute: {found.images:,} images have labels of two or more people.")
        return
    count = f"{found.disputed:,} image{'s' if found.disputed != 1 else ''} in dispute"
    more = f", the first {_SHOWN}" if found.disputed > _SHOWN else ""
    print_table(["image", "version#", "person", "says"], rows, title=f"{count}{more}:")
    console.print(f"Next: cv-pipelines labels adjudicate {dataset} IMAGE --as PERSON, or --class NAME")


@click.command()
@click.argument("dataset")
@click.argument("image")
@click.option("--as", "person", metavar="PERSON", help="Who is right.")
@click.option("--class", "classes", metavar="NAME", multiple=True, help="What is right; repeatedly for several.")
@author_options
def adjudicate(
    dataset: str, image: str, person: str | None, classes: tuple[str, ...], who: str, seen: int | None
) -> None:
    """Settle what people say of an image. Whoever says otherwise afterwards opens it again.

    \b
    Examples:
      cv-pipelines labels adjudicate flowers daisy/001.png --as ann
      cv-pipelines labels adjudicate flowers daisy/001.png --class daisy
    """
    from cv_pipelines.annotations import reviewing
    from cv_pipelines.images.datasets import find_dataset

    if (person is None) == (not classes):
        raise click.UsageError("Say who is right with --as PERSON, or what is right with --class NAME.")
    catalog = open_catalog()
    find_dataset(catalog.database, dataset)
    before = reviewing.adjudicate(catalog, dataset, image, classes if person is None else person, who, seen)
    verdict = f"as {person} says" if person is not None else ", ".join(dict.fromkeys(classes))
    note = "" if before.in_dispute else " It was not in dispute."
    console.print(f"{image} is settled: {verdict}.{note}", markup=False, soft_wrap=True)
    console.print(f"Next: cv-pipelines labels commit {dataset}")


def _consensus(dataset: str) -> "tuple[Consensus, ImageNames]":
    """Of the images that the data set has now, as people see their labels now."""
    from cv_pipelines.annotations.consensus import consensus_of
    from cv_pipelines.annotations.store.opinions import read_opinions
    from cv_pipelines.images.datasets import find_dataset
    from cv_pipelines.images.names import ImageNames

    catalog = open_catalog()
    find_dataset(catalog.database, dataset)
    names = ImageNames(catalog, dataset)
    return consensus_of(read_opinions(catalog.database, dataset, present=names)), names


def _as_dicts(found: "Consensus", names: "ImageNames") -> list[dict[str, Any]]:
    return [
        {
            "image": names.name_of(one.image),
            "image_id": one.image,
            "version": one.version,
            "opinions": [
                {"who": who, "classes": list(said.classes), "boxes": [list(box[:5]) for box in said.boxes]}
                for who, said in one.open.items()
            ],
        }
        for one in found.disputes
    ]


def _words(said: "Annotation") -> str:
    from cv_pipelines.annotations.opinions import in_short

    return in_short(said)


def _next(dataset: str, disputed: int) -> str:
    return f" Next: cv-pipelines labels disputes {dataset}" if disputed else ""
