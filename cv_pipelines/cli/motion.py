"""`cv-pipelines motion`: how the camera moves in the videos of the archive."""

import click

from cv_pipelines.cli.motion_package import package
from cv_pipelines.cli.motion_proof import proof
from cv_pipelines.cli.motion_show import show


@click.group()
def motion() -> None:
    """See how cameras move, and where they rest."""


for command in (show, proof, package):
    motion.add_command(command)
