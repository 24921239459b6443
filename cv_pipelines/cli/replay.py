"""`cv-pipelines dead-letters replay`: another chance for messages."""

import sys
from typing import IO, TYPE_CHECKING, Any

import click

from cv_pipelines.cli.context import announce, open_ledger
from cv_pipelines.cli.output import console, json_option, print_json
from cv_pipelines.errors import InputError
from cv_pipelines.settings import load_settings

if TYPE_CHECKING:
    from cv_pipelines.tasks.ledger.ledger import AnyRow, Ledger


@click.command()
@click.argument("letter_ids", metavar="ID...", type=int, nargs=-1, required=True)
@click.option("--file", type=click.File("rb"), help="The message as it should have been; -: stdin.")
@json_option
def replay(letter_ids: tuple[int, ...], file: IO[bytes] | None, as_json: bool) -> None:
    """Give messages another chance, as they came, or one of them mended. Status 1 if any is refused again.

    \b
    Examples:
      cv-pipelines dead-letters replay 12 13
      cv-pipelines dead-letters replay 12 --file mended.json
    """
    from cv_pipelines.tasks.ledger.dead_letters import find_letter

    if file and len(letter_ids) > 1:
        raise click.UsageError("--file goes with one letter.")
    ledger, body = open_ledger(), file.read() if file else None
    rows = [find_letter(ledger, letter_id) for letter_id in letter_ids]
    outcomes = [_replayed(ledger, row, body) for row in rows]
    if as_json:
        print_json(outcomes)
    else:
        for one in outcomes:
            words = one["reason"] or (f"task {one['task_id']}" if one["task_id"] else "its task was there before")
            console.print(f"{one['id']}: {one['outcome']}: {words}", soft_wrap=True, markup=False)
    sys.exit(1 if any(one["outcome"] == "refused" for one in outcomes) else 0)


def _replayed(ledger: "Ledger", row: "AnyRow", body: bytes | None) -> dict[str, Any]:
    """What becomes of one letter."""
    from cv_pipelines.tasks.ledger.dead_letters import replay as replay_one
    from cv_pipelines.tasks.parsing import parse_task

    allow = load_settings().url_allow
    outcome: dict[str, Any] = {"id": row.id, "outcome": "refused", "task_id": None, "reason": None}
    try:
        if body is not None:  # what somebody mistypes here is no dead letter of its own
            parse_task(body, row.message_id, row.reply_to, row.correlation_id, allow)
        received = replay_one(ledger, row.id, body, allow)
    except InputError as error:
        return {**outcome, "reason": error.user_message}
    if received.refused:
        return {**outcome, "reason": received.refused[0].reason}
    announce(ledger, received.events)
    name = received.accepted[0] if received.accepted else None
    return {**outcome, "outcome": "accepted" if name else "duplicate", "task_id": name}
