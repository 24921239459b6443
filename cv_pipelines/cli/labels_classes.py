"""`cv-pipelines labels classes`: the label set of a data set."""

import getpass
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from cv_pipelines.cli.context import open_catalog
from cv_pipelines.cli.output import console, json_option, print_json, print_table

if TYPE_CHECKING:
    from sqlalchemy import Connection


@click.group(invoke_without_command=False)
def classes() -> None:
    """The label set of a data set: list, add, rename, recolour and retire classes."""


@classes.command("list")
@click.argument("dataset")
@json_option
def list_classes(dataset: str, as_json: bool) -> None:
    """List the classes, by number; those that are retired, too."""
    from cv_pipelines.annotations.store.classes import classes_of
    from cv_pipelines.images.datasets import find_dataset

    catalog = open_catalog()
    find_dataset(catalog.database, dataset)
    with catalog.database.connect() as connection:
        found = classes_of(connection, dataset)
    rows = [{"number": one.number, "name": one.name, "colour": one.colour, "state": one.state} for one in found]
    if as_json:
        print_json(rows)
    elif rows:
        print_table(["number#", "class", "colour", "state"], [[*row.values()] for row in rows])
    else:
        console.print(f"There is no class yet: cv-pipelines labels classes add {dataset} NAME")


@classes.command()
@click.argument("dataset")
@click.argument("name")
@click.option("--colour", default="", help="As '#1f77b4'; else one that differs from the others.")
def add(dataset: str, name: str, colour: str) -> None:
    """Add a class, or bring back one that was retired, with its labels."""
    from cv_pipelines.annotations.store.classes import add_class

    with _writing(dataset) as connection:
        made = add_class(connection, dataset, name, getpass.getuser(), colour)
    console.print(f"{dataset} has the class {made.name!r} ({made.colour}).", markup=False)


@classes.command()
@click.argument("dataset")
@click.argument("name")
@click.argument("new")
def rename(dataset: str, name: str, new: str) -> None:
    """Give a class another name; what is labelled stays labelled."""
    from cv_pipelines.annotations.store.classes import rename_class

    with _writing(dataset) as connection:
        rename_class(connection, dataset, name, new, getpass.getuser())
    console.print(f"{name!r} is called {new!r} now. Next: cv-pipelines labels commit {dataset}", markup=False)


@classes.command()
@click.argument("dataset")
@click.argument("name")
@click.argument("colour")
def recolour(dataset: str, name: str, colour: str) -> None:
    """Give a class another colour, as '#1f77b4'."""
    from cv_pipelines.annotations.store.classes import recolour_class

    with _writing(dataset) as connection:
        recolour_class(connection, dataset, name, colour, getpass.getuser())
    console.print(f"{name!r} is {colour} now.", markup=False)


@classes.command()
@click.argument("dataset")
@click.argument("name")
@click.option("--yes", is_flag=True, help="Do not ask.")
def retire(dataset: str, name: str, yes: bool) -> None:
    """Let a class and its labels count for nothing any more; 'classes add' brings both back."""
    from cv_pipelines.annotations.store.classes import retire_class
    from cv_pipelines.annotations.store.standing import count_labels

    if not yes:
        catalog = open_catalog()
        images = count_labels(catalog.database, dataset, name)
        click.confirm(f"{images:,} images bear '{name}'. Retire it? It can be brought back.", abort=True, err=True)
    with _writing(dataset) as connection:
        retire_class(connection, dataset, name, getpass.getuser())
    console.print(f"{name!r} is retired. Next: cv-pipelines labels commit {dataset}", markup=False)


@contextmanager
def _writing(dataset: str) -> "Iterator[Connection]":
    """A transaction on the labels of a data set that there is."""
    from cv_pipelines.annotations.store.events import writing
    from cv_pipelines.images.datasets import find_dataset

    catalog = open_catalog()
    find_dataset(catalog.database, dataset)
    with writing(catalog.database, dataset) as connection:
        yield connection
