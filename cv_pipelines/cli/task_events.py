"""`cv-pipelines task events`: what has happened to a task, and who has been told."""

from datetime import datetime
from typing import Any

import click

from cv_pipelines.cli.context import open_ledger
from cv_pipelines.cli.output import console, json_option, print_json, print_table

_EVENT = ("number", "state", "progress", "created_at", "delivery", "pending", "tries", "next_at", "reason")
_CALL = ("number", "created_at", "url", "status", "error", "milliseconds")


@click.command()
@click.argument("task_id", metavar="ID")
@json_option
def events(task_id: str, as_json: bool) -> None:
    """Show what has happened to a task, by numbers, and who has been told of it.

    \b
    Example:
      cv-pipelines task events nap-1
    """
    from cv_pipelines.tasks.ledger.queries import deliveries_of, events_of

    ledger = open_ledger()
    happened = [{name: getattr(row, name) for name in _EVENT} for row in events_of(ledger, task_id)]
    for one in happened:
        if one["delivery"] != "open":
            one["next_at"] = None
    calls = [{name: getattr(row, name) for name in _CALL} for row in deliveries_of(ledger, task_id)]
    if as_json:
        print_json({"task_id": task_id, "events": happened, "calls": calls})
        return
    columns = ["number#", "state", "done#", "at", "told", "waiting for", "tries#", "next try", "reason"]
    print_table(columns, [list(_readable(one).values()) for one in happened])
    if calls:
        columns = ["number#", "at", "webhook", "answer", "error", "ms#"]
        print_table(columns, [list(_readable(one).values()) for one in calls], title="Calls of the webhook")
    if any(one["delivery"] == "abandoned" for one in happened):
        console.print(f"Once more: cv-pipelines events redeliver {task_id}", soft_wrap=True, markup=False)


def _readable(facts: dict[str, Any]) -> dict[str, Any]:
    from cv_pipelines.cli.task_views import percent

    shown = {name: f"{value:%H:%M:%S}" if isinstance(value, datetime) else value for name, value in facts.items()}
    if "progress" in shown:
        shown["progress"] = percent(facts["progress"])
    if "pending" in shown:
        shown["pending"] = ", ".join(facts["pending"])
    return shown
