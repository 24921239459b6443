"""`cv-pipelines labels …`: labels in the formats of other tools."""

import click

from cv_pipelines.cli.labels_convert import check, convert, formats


@click.group()
def labels() -> None:
    """Labels: exchanged with other tools, and checked."""


labels.add_command(convert)
labels.add_command(check)
labels.add_command(formats)
