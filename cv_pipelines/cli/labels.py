"""`cv-pipelines labels …`: what is known of images."""

import click

from cv_pipelines.cli.labels_assign import assign, assignments, withdraw
from cv_pipelines.cli.labels_classes import classes
from cv_pipelines.cli.labels_convert import check, convert, formats
from cv_pipelines.cli.labels_exchange import export, import_
from cv_pipelines.cli.labels_review import adjudicate, agreement, disputes
from cv_pipelines.cli.labels_set import delete, set_
from cv_pipelines.cli.labels_versions import commit, diff, history, restore, show, versions


@click.group()
def labels() -> None:
    """Labels: versions, classes, exchange with other tools, checks, agreement of people."""


for command in (import_, export, convert, check, formats, commit, versions, show, diff, restore, history, classes):
    labels.add_command(command)
for command in (set_, delete, assign, assignments, withdraw, agreement, disputes, adjudicate):
    labels.add_command(command)
