"""`cv-pipelines dead-letters`: messages that could not become tasks."""

import sys

import click

from cv_pipelines.cli.ages import AGE
from cv_pipelines.cli.context import open_ledger
from cv_pipelines.cli.letter_view import brief_letter, full_letter, show_letter, told_letter
from cv_pipelines.cli.output import console, json_option, print_json, print_table
from cv_pipelines.cli.replay import replay


@click.group("dead-letters")
def dead_letters() -> None:
    """Messages that could not become tasks: look at them, replay them, drop them."""


dead_letters.add_command(replay)


@dead_letters.command("list")
@click.option(
    "--state",
    type=click.Choice(["open", "replayed", "dropped", "all"]),
    default="open",
    show_default=True,
    help="Only these.",
)
@click.option("--limit", type=click.IntRange(1, 1000), default=50, show_default=True)
@click.option("--after", type=int, metavar="ID", help="Go on where a page has ended.")
@json_option
def list_(state: str, limit: int, after: int | None, as_json: bool) -> None:
    """List dead letters, newest first.

    \b
    Examples:
      cv-pipelines dead-letters list
      cv-pipelines dead-letters list --state all --json
    """
    from cv_pipelines.tasks.ledger.dead_letters import list_letters, measure_letters

    ledger, wanted = open_ledger(), None if state == "all" else state
    number, size = measure_letters(ledger, wanted)
    found = list_letters(ledger, wanted, limit + 1, after)
    letters = [brief_letter(row) for row in found[:limit]]
    last = letters[-1]["id"] if len(found) > limit else None
    if as_json:
        print_json({"letters": letters, "after": last, "number": number, "bytes": size})
        return
    if not letters:
        console.print("There is no dead letter." if state == "all" else f"There is no {state} dead letter.")
        return
    columns = ["id", "state", "times#", "came last", "decided", "message id", "bytes#", "code", "reason"]
    print_table(columns, [[str(row["id"]), *list(row.values())[1:]] for row in letters])
    console.print(f"{number:,} in all, {size:,} bytes.")
    if last is not None:
        console.print(
            f"More: cv-pipelines dead-letters list --state {state} --limit {limit} --after {last}", soft_wrap=True
        )


@dead_letters.command()
@click.argument("letter_id", metavar="ID", type=int)
@click.option("--body", "only_body", is_flag=True, help="Print the message only, byte for byte.")
@json_option
def show(letter_id: int, only_body: bool, as_json: bool) -> None:
    """Show a dead letter: why it is one, its properties, the message.

    \b
    Examples:
      cv-pipelines dead-letters show 12
      cv-pipelines dead-letters show 12 --body > message.json
    """
    from cv_pipelines.tasks.ledger.dead_letters import find_letter, told_of

    ledger = open_ledger()
    row = find_letter(ledger, letter_id)
    if only_body:
        sys.stdout.buffer.write(row.body)
    elif as_json:
        print_json({**full_letter(row), "told": [told_letter(one) for one in told_of(ledger, letter_id)]})
    else:
        show_letter(row, told_of(ledger, letter_id))


@dead_letters.command()
@click.argument("letter_ids", metavar="[ID...]", type=int, nargs=-1)
@click.option("--code", help="All open ones of this code.")
@click.option("--older-than", type=AGE, help="All open ones that came last so long ago, as 30d.")
@json_option
def drop(letter_ids: tuple[int, ...], code: str | None, older_than: float | None, as_json: bool) -> None:
    """Say that nothing will be done about dead letters; they are kept until they are old.

    \b
    Examples:
      cv-pipelines dead-letters drop 12 13
      cv-pipelines dead-letters drop --code not_json --older-than 30d
    """
    from cv_pipelines.tasks.ledger.dead_letters import drop as drop_one
    from cv_pipelines.tasks.ledger.dead_letters import drop_all, find_letter

    wanted = code is not None or older_than is not None
    if wanted == bool(letter_ids):
        raise click.UsageError("Name letters, or say which by --code and --older-than.")
    ledger = open_ledger()
    for letter_id in letter_ids:
        find_letter(ledger, letter_id)  # a slip of the pen drops nothing
    for letter_id in letter_ids:
        drop_one(ledger, letter_id)
    dropped = drop_all(ledger, code, older_than) if wanted else list(letter_ids)
    if as_json:
        print_json([{"id": letter_id, "state": "dropped"} for letter_id in dropped])
    elif wanted:
        console.print(f"Dropped: {len(dropped):,} dead letters.")
    else:
        console.print(f"Dropped: {', '.join(map(str, dropped))}")
