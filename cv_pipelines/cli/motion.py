"""`cv-pipelines motion …`: how the camera of a video moves."""

import click

from cv_pipelines.cli.motion_analyse import analyse
from cv_pipelines.cli.motion_package import package
from cv_pipelines.cli.motion_proof import proof
from cv_pipelines.cli.motion_regions import regions
from cv_pipelines.cli.motion_show import show


@click.group()
def motion() -> None:
    """Camera motion: of one video at once, or of a whole archive."""


for command in (analyse, regions, show, proof, package):
    motion.add_command(command)
