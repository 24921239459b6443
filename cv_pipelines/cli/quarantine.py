"""`cv-pipelines dataset quarantine`: files that are not used, and what can be done."""

import getpass
import sys

import click

from cv_pipelines.cli.context import open_catalog
from cv_pipelines.cli.output import console, json_option, print_json, print_table
from cv_pipelines.cli.sync import show_sync


@click.command()
@click.argument("name")
@click.option("--retry", is_flag=True, help="Read all of them again.")
@click.option("--accept", metavar="ID", help="Use a file all the same.")
@json_option
def quarantine(name: str, retry: bool, accept: str | None, as_json: bool) -> None:
    """List the files that are not used: why, and what to do. Or have them looked at again.

    \b
    Examples:
      cv-pipelines dataset quarantine flowers
      cv-pipelines dataset quarantine flowers --retry
      cv-pipelines dataset quarantine flowers --accept 5f3a09c2d1
    """
    from cv_pipelines.images import decisions
    from cv_pipelines.images.datasets import find_dataset
    from cv_pipelines.images.quarantine import find_acceptable

    catalog = open_catalog()
    find_dataset(catalog.database, name)
    if accept:
        file = find_acceptable(catalog, name, accept)
        decisions.accept(catalog.database, name, file.path, getpass.getuser())
    if accept or retry:
        sys.exit(show_sync(name, {"retry_quarantined": retry}, as_json))
    _show(name, as_json)


def _show(name: str, as_json: bool) -> None:
    from dataclasses import asdict

    from cv_pipelines.images.quarantine import quarantined_files

    files = quarantined_files(open_catalog(), name)
    if as_json:
        print_json([asdict(one) for one in files])
    elif files:
        rows = [(one.id, one.path, one.reason, one.advice) for one in files]
        print_table(["id", "file", "reason", "what to do"], rows)
    else:
        console.print(f"Every file of {name} is used.")
