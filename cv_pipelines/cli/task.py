"""`cv-pipelines task`: hand in tasks, look at them, cancel them."""

import shlex
from typing import Any, get_args

import click

from cv_pipelines.cli.ages import AGE, span_of
from cv_pipelines.cli.context import announce, open_ledger
from cv_pipelines.cli.output import console, json_option, print_json, print_table
from cv_pipelines.cli.submit import submit
from cv_pipelines.cli.task_events import events
from cv_pipelines.tasks.states import FINAL, State


@click.group()
def task() -> None:
    """Hand in tasks, look at them, cancel them."""


task.add_command(submit)
task.add_command(events)


@task.command("list")
@click.option("--state", type=click.Choice(get_args(State)), help="Only these.")
@click.option("--kind", help="Only these.")
@click.option("--older", type=AGE, metavar="AGE", help="Only those handed in longer ago, as 90s, 15m, 2h, 1d12h.")
@click.option("--newer", type=AGE, metavar="AGE", help="Only those handed in since.")
@click.option("--limit", type=click.IntRange(1, 1000), default=50, show_default=True)
@click.option("--after", metavar="ID", help="Go on where a page has ended.")
@json_option
def list_(as_json: bool, **wanted: Any) -> None:
    """List tasks, newest first.

    \b
    Examples:
      cv-pipelines task list --state failed --newer 1d
      cv-pipelines task list --kind classify_images --state queued --older 15m --json
    """
    from cv_pipelines.cli.task_views import brief, error_line, percent
    from cv_pipelines.tasks.kinds.registry import kind_of
    from cv_pipelines.tasks.ledger.queries import list_tasks

    if wanted["kind"] is not None:
        kind_of(wanted["kind"])
    page = list_tasks(open_ledger(), **wanted)
    tasks = [brief(row) for row in page.rows]
    if as_json:
        print_json({"tasks": tasks, "after": page.after})
        return
    if not tasks:
        console.print("There is no such task." if any(wanted[name] for name in _FILTERS) else "There is no task.")
        return
    columns = ["task", "kind", "state", "done#", "priority#", "attempts#", "by", "handed in", "ended", "error"]
    rows = [{**one, "progress": percent(one["progress"]), "error": error_line(one["error"])} for one in tasks]
    print_table(columns, [list(row.values()) for row in rows])
    if page.after:
        console.print(f"More: {_next_page(wanted, page.after)}", soft_wrap=True, markup=False)


@task.command()
@click.argument("task_id", metavar="ID")
@json_option
def status(task_id: str, as_json: bool) -> None:
    """Show a task: state, parameters, run, result or error.

    \b
    Example:
      cv-pipelines task status nap-1
    """
    from cv_pipelines.cli.task_views import full, readable
    from cv_pipelines.tasks.ledger.queries import find_task

    facts = full(find_task(open_ledger(), task_id))
    if as_json:
        print_json(facts)
    else:
        print_table(["", ""], readable(facts))


@task.command()
@click.argument("task_ids", metavar="ID...", nargs=-1, required=True)
@json_option
def cancel(task_ids: tuple[str, ...], as_json: bool) -> None:
    """Cancel tasks: one that waits never starts, one at work is stopped, one that has ended stays so.

    \b
    Example:
      cv-pipelines task cancel nap-1 nap-2
    """
    from cv_pipelines.tasks.ledger.cancelling import cancel as cancel_one
    from cv_pipelines.tasks.ledger.queries import find_task

    ledger = open_ledger()
    before = {name: find_task(ledger, name).state for name in task_ids}  # a slip of the pen cancels nothing
    announce(ledger, [event for name in before for event in cancel_one(ledger, name)])
    after = {name: find_task(ledger, name).state for name in before}
    if as_json:
        print_json([{"task_id": name, "state": state} for name, state in after.items()])
        return
    for name, state in after.items():
        if before[name] in FINAL:
            words = f"has ended before: {state}"
        else:
            words = state if state in FINAL else "will be stopped within seconds"
        console.print(f"{name}: {words}", soft_wrap=True, markup=False)


_FILTERS = ("state", "kind", "older", "newer", "after")


def _next_page(wanted: dict[str, Any], after: str) -> str:
    """The command that goes on."""
    parts = ["cv-pipelines", "task", "list"]
    for name, value in {**wanted, "after": after}.items():
        if value is not None:
            parts += [f"--{name}", span_of(value) if name in ("older", "newer") else str(value)]
    return shlex.join(parts)
