"""`cv-pipelines motion …`: how the camera of a video moves."""

import click

from cv_pipelines.cli.motion_analyse import analyse
from cv_pipelines.cli.motion_inject import inject
from cv_pipelines.cli.motion_regions import regions
from cv_pipelines.cli.motion_videos import backfill, remove, videos


@click.group()
def motion() -> None:
    """Camera motion: of one video at once, or of a whole archive."""


for command in (analyse, regions, inject, videos, backfill, remove):
    motion.add_command(command)
