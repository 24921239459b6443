"""`cv-pipelines schema`: the contract of messages, as documents."""

from pathlib import Path

import click

from cv_pipelines.cli.output import console, json_option, print_json


@click.group()
def schema() -> None:
    """The contract of messages, as documents for those who write them."""


@schema.command()
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@json_option
def export(folder: Path, as_json: bool) -> None:
    """Write JSON Schema of every kind of task and of status messages, and AsyncAPI, into FOLDER.

    \b
    Example:
      cv-pipelines schema export docs/schemas
    """
    from cv_pipelines.tasks.schemas import write_documents

    paths = [str(path) for path in write_documents(folder)]
    if as_json:
        print_json(paths)
        return
    for path in paths:
        console.print(path, soft_wrap=True, markup=False)
