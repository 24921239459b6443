"""`cv-pipelines motion`: how cameras move, in one video and in an archive of them."""

import click

from cv_pipelines.cli.motion_analyse import analyse
from cv_pipelines.cli.motion_inject import inject
from cv_pipelines.cli.motion_package import package
from cv_pipelines.cli.motion_proof import proof
from cv_pipelines.cli.motion_regions import regions
from cv_pipelines.cli.motion_show import show
from cv_pipelines.cli.motion_videos import backfill, remove, videos


@click.group()
def motion() -> None:
    """See how cameras move, and where they rest: in one video at once, or in a whole archive."""


for command in (analyse, regions, inject, videos, backfill, remove, show, proof, package):
    motion.add_command(command)
