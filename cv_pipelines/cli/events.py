"""`cv-pipelines events`: what somebody has to be told of."""

import click

from cv_pipelines.cli.context import open_ledger
from cv_pipelines.cli.output import console, json_option, print_json


@click.group()
def events() -> None:
    """Tell once more of what nobody could be told of."""


@events.command()
@click.argument("task_id", metavar="[TASK]", required=False)
@click.option("--all", "of_all", is_flag=True, help="Of all tasks.")
@json_option
def redeliver(task_id: str | None, of_all: bool, as_json: bool) -> None:
    """Try abandoned events again, of one task or of all; without either, say how many there are.

    \b
    Examples:
      cv-pipelines events redeliver nap-1
      cv-pipelines events redeliver --all
    """
    from cv_pipelines.tasks.ledger import outbox
    from cv_pipelines.tasks.ledger.queries import find_task

    if task_id is not None and of_all:
        raise click.UsageError("Give a task or --all, not both.")
    ledger = open_ledger()
    if task_id is not None:
        find_task(ledger, task_id)
    reopened = outbox.redeliver(ledger, task_id) if of_all or task_id is not None else 0
    left = outbox.undelivered(ledger)
    if as_json:
        print_json({"reopened": reopened, **left})
        return
    if of_all or task_id is not None:
        console.print(f"Opened again: {reopened:,}. The daemon tells of them within seconds.")
    console.print(f"Open events: {left['open']:,}. Abandoned: {left['abandoned']:,}.")
    if left["abandoned"] and not of_all:
        console.print("All of them once more: cv-pipelines events redeliver --all")
