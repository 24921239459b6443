"""`cv-pipelines node …`: the machines that steps run on."""

import click

from cv_pipelines.cli.janitor import janitor


@click.group()
def node() -> None:
    """Worker nodes: the machines that steps run on."""


node.add_command(janitor)
