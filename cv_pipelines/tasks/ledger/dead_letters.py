"""Messages that could not become tasks: looked at, replayed, dropped."""

from collections.abc import Sequence

from sqlalchemy import func, select, update

from cv_pipelines.database.clock import ago, now
from cv_pipelines.database.task_tables import dead_letters, events
from cv_pipelines.errors import InputError
from cv_pipelines.tasks.ledger.intake import Letter, Received, receive
from cv_pipelines.tasks.ledger.ledger import AnyRow, Ledger


def list_letters(
    ledger: Ledger, state: str | None = "open", limit: int = 50, after: int | None = None
) -> Sequence[AnyRow]:
    """Dead letters without their bodies, newest first.

    Args:
        ledger: where they are.
        state: `open`, `replayed` or `dropped`; None: all.
        limit: of rows.
        after: only those older than this one.
    """
    columns = (column for column in dead_letters.c if column.name != "body")
    query = select(*columns).order_by(dead_letters.c.id.desc()).limit(limit)
    if state is not None:
        query = query.where(dead_letters.c.state == state)
    if after is not None:
        query = query.where(dead_letters.c.id < after)
    with ledger.database.connect() as connection:
        return connection.execute(query).all()


def measure_letters(ledger: Ledger, state: str | None = "open") -> tuple[int, int]:
    """How many dead letters of a state there are (None: of all), and how many bytes the messages had."""
    query = select(func.count(), func.coalesce(func.sum(dead_letters.c.size), 0))
    if state is not None:
        query = query.where(dead_letters.c.state == state)
    with ledger.database.connect() as connection:
        number, size = connection.execute(query).one()
    return int(number), int(size)


def told_of(ledger: Ledger, letter_id: int) -> Sequence[AnyRow]:
    """The events by which the sender of a letter is told of it."""
    query = select(events).where(events.c.dead_letter_id == letter_id).order_by(events.c.number)
    with ledger.database.connect() as connection:
        return connection.execute(query).all()


def find_letter(ledger: Ledger, letter_id: int) -> AnyRow:
    """A dead letter.

    Raises:
        InputError: there is none of this number.
    """
    with ledger.database.connect() as connection:
        row = connection.execute(select(dead_letters).where(dead_letters.c.id == letter_id)).first()
    if row is None:
        raise InputError(
            "no_letter", f"There is no dead letter {letter_id}. 'cv-pipelines dead-letters list' shows them."
        )
    return row


def replay(ledger: Ledger, letter_id: int, body: bytes | None = None, allow: tuple[str, ...] = ()) -> Received:
    """Give a message another chance, as it came or with another body; if it is refused again it stays.

    Raises:
        InputError: there is none of this number, or too little of it was kept.
    """
    row = find_letter(ledger, letter_id)
    if body is None and row.size > len(row.body):
        kept = f"{len(row.body):,} of {row.size:,} bytes"
        message = f"Of dead letter {letter_id} only {kept} were kept: give it a body with --file."
        raise InputError("cut_letter", message)
    letter = Letter(
        body if body is not None else row.body,
        row.message_id,
        row.reply_to,
        row.correlation_id,
        row.headers,
        again=True,
    )
    received = receive(ledger, [letter], allow)
    if not received.refused:
        _decide(ledger, letter_id, "replayed")
    return received


def drop(ledger: Ledger, letter_id: int) -> None:
    """Say that nothing will be done about a message; it is kept until it is old.

    Raises:
        InputError: there is none of this number.
    """
    find_letter(ledger, letter_id)
    _decide(ledger, letter_id, "dropped")


def drop_all(ledger: Ledger, code: str | None = None, older: float | None = None) -> list[int]:
    """Drop open letters by the dozen; returns their numbers.

    Args:
        ledger: where they are.
        code: only those of this code.
        older: only those that came last before so many seconds.
    """
    which = [dead_letters.c.state == "open"]
    if code is not None:
        which.append(dead_letters.c.code == code)
    if older is not None:
        which.append(dead_letters.c.received_at <= ago(older))
    with ledger.database.begin() as connection:
        same = update(dead_letters).where(*which).values(state="dropped", decided_at=now())
        return sorted(connection.scalars(same.returning(dead_letters.c.id)))


def _decide(ledger: Ledger, letter_id: int, state: str) -> None:
    with ledger.database.begin() as connection:
        same = update(dead_letters).where(dead_letters.c.id == letter_id)
        connection.execute(same.values(state=state, decided_at=now()))
