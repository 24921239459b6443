"""`cv-pipelines labels set` and `delete`: what one person says of one image."""

import getpass
from collections.abc import Callable
from typing import Any, TypeVar

import click

from cv_pipelines.cli.context import open_catalog
from cv_pipelines.cli.output import console

Command = TypeVar("Command", bound=Callable[..., Any])


def author_options(command: Command) -> Command:
    """Give a command `--by` and `--seen`, passed as `who` and `seen`."""
    by = click.option("--by", "who", metavar="WHO", default=getpass.getuser, help="Who says so; else you.")
    help_ = "Refuse where the label is no longer at this version (0: none)."
    seen = click.option("--seen", metavar="VERSION", type=click.IntRange(0), help=help_)
    return by(seen(command))


@click.command("set")
@click.argument("dataset")
@click.argument("image")
@click.option("--class", "classes", metavar="NAME", multiple=True, required=True, help="May be given repeatedly.")
@author_options
def set_(dataset: str, image: str, classes: tuple[str, ...], who: str, seen: int | None) -> None:
    """Say which class an image has; its boxes stay. An image is its path, or the beginning of its id.

    \b
    Example:
      cv-pipelines labels set flowers daisy/001.png --class rose
    """
    from cv_pipelines.annotations.reviewing import set_classes
    from cv_pipelines.images.datasets import find_dataset

    catalog = open_catalog()
    find_dataset(catalog.database, dataset)
    new = set_classes(catalog, dataset, image, classes, who, seen)
    said = f"{who} says of {image}: {', '.join(dict.fromkeys(classes))}."
    console.print(said if new else f"{said} So it was before.", markup=False, soft_wrap=True)


@click.command()
@click.argument("dataset")
@click.argument("image")
@author_options
def delete(dataset: str, image: str, who: str, seen: int | None) -> None:
    """Take the label of an image away; what was said of it before stays in its history.

    \b
    Example:
      cv-pipelines labels delete flowers daisy/001.png
    """
    from cv_pipelines.annotations.reviewing import delete_label
    from cv_pipelines.images.datasets import find_dataset

    catalog = open_catalog()
    find_dataset(catalog.database, dataset)
    new = delete_label(catalog, dataset, image, who, seen)
    console.print(f"{image} has no label now." if new else f"{image} had none.", markup=False, soft_wrap=True)
