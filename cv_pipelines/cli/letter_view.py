"""Dead letters as programs read them, and as people do; what is in them was written by strangers."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from cv_pipelines.cli.output import console, print_table, printable

if TYPE_CHECKING:
    from cv_pipelines.tasks.ledger.ledger import AnyRow

_HEX_BYTES = 256
_SHOWN = 4000


def brief_letter(row: "AnyRow") -> dict[str, Any]:
    """A dead letter in a list."""
    return {
        "id": row.id,
        "state": row.state,
        "times": row.times,
        "received_at": row.received_at,
        "decided_at": row.decided_at,
        "message_id": row.message_id,
        "size": row.size,
        "code": row.code,
        "reason": row.reason,
    }


def full_letter(row: "AnyRow") -> dict[str, Any]:
    """All of a dead letter: `text` where the message is text, else `hex` of its first bytes."""
    text = text_of(row.body)
    return {
        **brief_letter(row),
        "reply_to": row.reply_to,
        "correlation_id": row.correlation_id,
        "headers": row.headers,
        "kept": len(row.body),
        "text": text,
        "hex": None if text is not None else row.body[:_HEX_BYTES].hex(),
    }


def told_letter(event: "AnyRow") -> dict[str, Any]:
    """Whether its sender and the exchange know of a dead letter."""
    names = ("number", "created_at", "delivery", "pending", "tries", "reason")
    return {name: getattr(event, name) for name in names}


def show_letter(row: "AnyRow", told: "Sequence[AnyRow]") -> None:
    """Print a dead letter for people, and how telling of it went."""
    facts = full_letter(row)
    text, digits, headers = facts.pop("text"), facts.pop("hex"), facts.pop("headers")
    facts["id"] = str(row.id)
    print_table(["", ""], [(name.replace("_", " "), value) for name, value in facts.items() if value is not None])
    if headers:
        print_table(["header", ""], list(headers.items()))
    if told:
        cells = [list({**told_letter(one), "pending": ", ".join(one.pending)}.values()) for one in told]
        print_table(["number#", "at", "told", "waiting for", "tries#", "reason"], cells)
    if text is None:
        console.print(f"The message is no text; its first bytes: {digits}", soft_wrap=True)
        return
    console.print("The message:")
    click.echo(printable(text[:_SHOWN]))
    if len(text) > _SHOWN:
        console.print(f"… all of it: cv-pipelines dead-letters show {row.id} --body")


def text_of(body: bytes) -> str | None:
    """Bytes as text, None where they are none."""
    try:
        text = body.decode()
    except UnicodeDecodeError:
        return None
    return None if "\0" in text else text
