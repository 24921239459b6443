"""The `cv-pipelines` command."""

import click

from cv_pipelines.cli.backfill import backfill
from cv_pipelines.cli.dataset import dataset
from cv_pipelines.cli.db import db
from cv_pipelines.cli.dead_letters import dead_letters
from cv_pipelines.cli.demo import demo
from cv_pipelines.cli.detections import detections
from cv_pipelines.cli.dev import dev
from cv_pipelines.cli.events import events
from cv_pipelines.cli.image import image
from cv_pipelines.cli.labels import labels
from cv_pipelines.cli.model import model
from cv_pipelines.cli.motion import motion
from cv_pipelines.cli.node import node
from cv_pipelines.cli.output import ErrorGroup
from cv_pipelines.cli.report import report
from cv_pipelines.cli.run import run
from cv_pipelines.cli.schema import schema
from cv_pipelines.cli.store import store
from cv_pipelines.cli.task import task
from cv_pipelines.cli.token import token
from cv_pipelines.cli.video import video
from cv_pipelines.cli.web import web
from cv_pipelines.garbage import collect_rarely


@click.group(cls=ErrorGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="cv-pipelines")
def main() -> None:
    """Data sets, labels, models and predictions as Dagster assets.

    \b
    Examples:
      cv-pipelines dataset add flowers ~/photos/flowers
      cv-pipelines run flowers
      cv-pipelines report flowers --json
    """
    collect_rarely()


for command in (
    dataset,
    run,
    backfill,
    report,
    model,
    image,
    labels,
    detections,
    video,
    motion,
    task,
    dead_letters,
    events,
    schema,
    node,
    db,
    store,
    demo,
    dev,
    web,
    token,
):
    main.add_command(command)
