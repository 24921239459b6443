"""`cv-pipelines motion …`: how the camera of a video moves."""

import click

from cv_pipelines.cli.motion_analyse import analyse
from cv_pipelines.cli.motion_regions import regions


@click.group()
def motion() -> None:
    """Camera motion: of one video at once, or of a whole archive."""


motion.add_command(analyse)
motion.add_command(regions)
