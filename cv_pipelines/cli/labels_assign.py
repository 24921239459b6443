"""`cv-pipelines labels assign|assignments|withdraw`: who is to label which images."""

import getpass
from typing import TYPE_CHECKING

import click

from cv_pipelines.cli.context import open_catalog
from cv_pipelines.cli.output import console, errors, json_option, print_json, print_table

if TYPE_CHECKING:
    from cv_pipelines.active_learning.assigning import Source


@click.command()
@click.argument("dataset")
@click.option("--to", "people", metavar="WHO", multiple=True, required=True, help="Who labels; repeatedly.")
@click.option("--count", type=click.IntRange(1), default=200, show_default=True, help="Images in all.")
@click.option("--twice", type=click.FloatRange(0, 1), default=0.0, help="The part that a second person gets, too.")
@click.option(
    "--from",
    "source",
    type=click.Choice(["unlabelled", "asked", "random"]),
    default="unlabelled",
    show_default=True,
    help="Images without a label, those that the newest queue asks for (the first of it), or any.",
)
@click.option("--image", "images", metavar="IMAGE", multiple=True, help="These images instead; repeatedly.")
@click.option("--seed", type=click.IntRange(0), default=0, help="Of chance: the same one chooses the same.")
@json_option
def assign(
    dataset: str,
    people: tuple[str, ...],
    count: int,
    twice: float,
    source: "Source",
    images: tuple[str, ...],
    seed: int,
    as_json: bool,
) -> None:
    """Give images to people to label, evenly; some to two people, neither of whom sees what the other says.

    Images that somebody has already are left out, and nobody gets an image that they have labelled.

    \b
    Examples:
      cv-pipelines labels assign flowers --to ann --to bob --count 200 --twice 0.2
      cv-pipelines labels assign flowers --to ann --from asked --count 50
      cv-pipelines labels assign flowers --to ann --image daisy/001.png
    """
    from cv_pipelines.active_learning.assigning import assign_from
    from cv_pipelines.annotations.assigning import assign_these
    from cv_pipelines.images.datasets import find_dataset
    from cv_pipelines.images.names import ImageNames

    catalog, by = open_catalog(), getpass.getuser()
    find_dataset(catalog.database, dataset)
    everybody = tuple(dict.fromkeys(people))
    if images:
        names = ImageNames(catalog, dataset)
        ids = list(dict.fromkeys(names.find(one) for one in images))
        done = assign_these(catalog, dataset, ids, everybody, by, twice)
    else:
        done = assign_from(catalog, dataset, everybody, by, count, source, twice, seed)
    if as_json:
        print_json({"dataset": dataset, "images": done.images, "twice": done.twice, "shares": done.shares})
        return
    print_table(["person", "images#"], done.shares.items())
    plural = "" if done.images == 1 else "s"
    console.print(f"{done.images:,} image{plural} assigned, {done.twice:,} of them to two people.")
    wanted = len(set(images)) or count
    if done.images < wanted:
        left = "The others are labelled already, or somebody has them: cv-pipelines labels assignments"
        errors.print(f"{left} {dataset}", style="yellow", markup=False, soft_wrap=True)


@click.command()
@click.argument("dataset")
@json_option
def assignments(dataset: str, as_json: bool) -> None:
    """Show how far people are with the images that were assigned to them.

    \b
    Example:
      cv-pipelines labels assignments flowers
    """
    from cv_pipelines.annotations.store.assignments import progress_of
    from cv_pipelines.images.datasets import find_dataset

    catalog = open_catalog()
    find_dataset(catalog.database, dataset)
    with catalog.database.connect() as connection:
        found = progress_of(connection, dataset)
    rows = [
        {"who": one.who, "assigned": one.assigned, "second": one.second, "done": one.done, "open": one.open}
        for one in found
    ]
    if as_json:
        print_json(rows)
    elif rows:
        columns = ["person", "assigned#", "in the second pass#", "done#", "open#"]
        print_table(columns, [[*row.values()] for row in rows])
    else:
        console.print(f"Nothing is assigned yet: cv-pipelines labels assign {dataset} --to WHO")


@click.command()
@click.argument("dataset")
@click.option("--from", "who", metavar="WHO", help="Of this person; else of all.")
def withdraw(dataset: str, who: str | None) -> None:
    """Take back the images that people have not labelled yet, so that they can be assigned anew.

    \b
    Example:
      cv-pipelines labels withdraw flowers --from bob
    """
    from cv_pipelines.annotations.store.assignments import withdraw as take_back
    from cv_pipelines.annotations.store.events import writing
    from cv_pipelines.images.datasets import find_dataset

    catalog = open_catalog()
    find_dataset(catalog.database, dataset)
    with writing(catalog.database, dataset) as connection:
        count = take_back(connection, dataset, who)
    whose = f"from {who}" if who is not None else "in all"
    console.print(f"{count:,} assignments taken back {whose}.", markup=False)
