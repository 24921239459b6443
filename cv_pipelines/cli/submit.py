"""`cv-pipelines task submit`: hand in a task."""

import sys
from typing import IO, TYPE_CHECKING, Any

import click

from cv_pipelines.cli.ages import seconds_of
from cv_pipelines.cli.context import announce, open_ledger, warn_without_daemon
from cv_pipelines.cli.output import console, errors, json_option, print_json, print_table
from cv_pipelines.settings import load_settings

if TYPE_CHECKING:
    from cv_pipelines.tasks.ledger.ledger import AnyRow, Ledger


@click.command()
@click.argument("kind")
@click.option("--param", "params", multiple=True, metavar="KEY=VALUE", help="A parameter; of a list, each value.")
@click.option("--file", type=click.File("rb"), help="Parameters, or a whole message, as JSON; -: stdin.")
@click.option("--id", "task_id", help="Your name for the task: handed in twice, it is done once.")
@click.option("--priority", type=int, help="From 0 to 9, higher comes first; default: 4.")
@click.option("--deadline", help="The latest useful finish: 2030-01-31T12:00:00Z, or +2h from now.")
@click.option("--webhook", metavar="URL", help="Told of every change.")
@click.option("--wait", is_flag=True, help="Stay until it has ended; status 1 if it has not succeeded.")
@json_option
def submit(
    kind: str,
    params: tuple[str, ...],
    file: IO[bytes] | None,
    deadline: str | None,
    webhook: str | None,
    wait: bool,
    as_json: bool,
    **options: Any,
) -> None:
    """Hand in a task of some KIND. A kind that does not exist gets you the list of those that do.

    \b
    Examples:
      cv-pipelines task submit ingest_dataset --param dataset=flowers --wait
      cv-pipelines task submit classify_images --param dataset=flowers --param uris=s3://photos/1.jpg
      cv-pipelines task submit train_model --file parameters.json --priority 7 --deadline +2h
      cv-pipelines task submit sleep --param seconds=5 --id nap-1 --webhook https://example.com/told
    """
    from cv_pipelines.cli.task_message import bytes_of, message_of
    from cv_pipelines.tasks.ledger.submission import submit as hand_in
    from cv_pipelines.tasks.parsing import read_object

    ledger = open_ledger()
    options["deadline"] = _moment(ledger, deadline) if deadline else None
    options["reply"] = {"webhook": webhook} if webhook else None
    message = message_of(kind, read_object(file.read()) if file else {}, params, options)
    submitted = hand_in(ledger, bytes_of(message), load_settings().url_allow)
    announce(ledger, submitted.events)
    if not as_json:
        word = "Handed in" if submitted.is_new else "It was handed in before, and is not done twice"
        console.print(f"{word}: task {submitted.task_id}", soft_wrap=True, markup=False)
    _finish(ledger, submitted.task_id, submitted.is_new, wait, as_json)


def _finish(ledger: "Ledger", task_id: str, is_new: bool, wait: bool, as_json: bool) -> None:
    """Show the task, at its end if that is wanted."""
    from cv_pipelines.cli.task_views import full, readable
    from cv_pipelines.tasks.ledger.queries import find_task
    from cv_pipelines.tasks.states import FINAL

    row = find_task(ledger, task_id)
    if row.state not in FINAL and (wait or not as_json):
        warn_without_daemon()
    if wait:
        row = _awaited(ledger, task_id)
    if as_json:
        print_json({"new": is_new, **full(row)})
    elif wait:
        print_table(["", ""], readable(full(row)))
    else:
        console.print(f"Next: cv-pipelines task status {task_id}", soft_wrap=True, markup=False)
    sys.exit(0 if not wait or row.state == "succeeded" else 1)


def _awaited(ledger: "Ledger", task_id: str) -> "AnyRow":
    from cv_pipelines.cli.task_waiting import wait_for_end

    try:
        return wait_for_end(ledger, task_id)
    except KeyboardInterrupt:
        errors.print(
            f"The task goes on. cv-pipelines task status {task_id} shows it, task cancel {task_id} ends it.",
            soft_wrap=True,
            markup=False,
        )
        sys.exit(130)


def _moment(ledger: "Ledger", text: str) -> str:
    """A deadline as messages have it; what is not counted from now is for the contract to read."""
    if not text.startswith("+"):
        return text
    from sqlalchemy import select

    from cv_pipelines.database.clock import from_now

    try:
        later = from_now(seconds_of(text[1:]))
    except ValueError as error:
        raise click.BadParameter(f"{error}.", param_hint="'--deadline'") from error
    with ledger.database.connect() as connection:
        return str(connection.execute(select(later)).scalar_one().isoformat())
