"""Refusals that are told, and tasks that know how much work they are."""

import sqlalchemy as sa
from alembic import op

from cv_pipelines.database.clock import UtcDateTime, now

revision = "0004"
down_revision = "0003"

NUMBER = sa.BigInteger().with_variant(sa.Integer, "sqlite")
ONE_SUBJECT = "(task_id IS NULL) <> (dead_letter_id IS NULL)"
OPEN = sa.text("delivery = 'open'")
SEQUENCE = sa.table("sqlite_sequence", sa.column("name", sa.String), sa.column("seq", sa.Integer))


def upgrade() -> None:
    """Add columns; an event is of a task or of a dead letter."""
    op.add_column("tasks", sa.Column("size", sa.Integer, nullable=False, server_default="1"))
    op.add_column("dead_letters", sa.Column("task_id", sa.String(128), nullable=True))
    op.add_column("dead_letters", sa.Column("kind", sa.String(32), nullable=True))
    op.add_column("dead_letters", sa.Column("reply", sa.JSON(none_as_null=True), nullable=True))
    if op.get_bind().dialect.name == "sqlite":
        _rebuild_events()
    else:
        _alter_events()


def _alter_events() -> None:
    op.alter_column("events", "task_id", nullable=True)
    op.add_column("events", sa.Column("dead_letter_id", NUMBER, nullable=True))
    op.create_foreign_key(
        "events_dead_letter_id_fkey", "events", "dead_letters", ["dead_letter_id"], ["id"], ondelete="CASCADE"
    )
    op.create_unique_constraint(None, "events", ["dead_letter_id", "number"])
    op.create_check_constraint("one_subject", "events", ONE_SUBJECT)


def _rebuild_events() -> None:
    """SQLite cannot let a column be empty later on, and dropping a table empties those that refer to it.

    So both are copied; renaming the one also renames it in the other.
    """
    ours = SEQUENCE.c.name.in_(["events", "deliveries"])
    last = op.get_bind().execute(sa.select(SEQUENCE).where(ours)).mappings().all()
    _create_events("new_events")
    _create_deliveries("new_deliveries", "new_events")
    for table in ("events", "deliveries"):
        names = [column["name"] for column in sa.inspect(op.get_bind()).get_columns(table)]
        old, new = (sa.table(name, *map(sa.column, names)) for name in (table, f"new_{table}"))
        op.execute(new.insert().from_select(names, sa.select(old)))
    for table in ("deliveries", "events"):
        op.drop_table(table)
    for table in ("events", "deliveries"):
        op.rename_table(f"new_{table}", table)
    op.create_index("ix_events_open", "events", ["next_at", "id"], sqlite_where=OPEN)
    op.create_index("ix_deliveries_event", "deliveries", ["event_id"])
    op.execute(SEQUENCE.delete().where(ours))
    op.bulk_insert(SEQUENCE, [dict(row) for row in last])  # the number of a row that was deleted never comes again


def _create_events(name: str) -> None:
    op.create_table(
        name,
        sa.Column("id", NUMBER, primary_key=True),
        sa.Column("task_id", sa.String(128), sa.ForeignKey("tasks.id", ondelete="CASCADE"), nullable=True),
        sa.Column("dead_letter_id", NUMBER, sa.ForeignKey("dead_letters.id", ondelete="CASCADE"), nullable=True),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("progress", sa.Float, nullable=True),
        sa.Column("delivery", sa.String(16), nullable=False),
        sa.Column("pending", sa.JSON, nullable=False),
        sa.Column("tries", sa.Integer, nullable=False, server_default="0"),
        sa.Column("next_at", UtcDateTime, nullable=False, server_default=now()),
        sa.Column("reason", sa.Text, nullable=False, server_default=""),
        sa.Column("created_at", UtcDateTime, nullable=False, server_default=now()),
        sa.UniqueConstraint("task_id", "number"),
        sa.UniqueConstraint("dead_letter_id", "number"),
        sa.CheckConstraint(ONE_SUBJECT, name="one_subject"),
        sqlite_autoincrement=True,
    )


def _create_deliveries(name: str, of: str) -> None:
    op.create_table(
        name,
        sa.Column("id", NUMBER, primary_key=True),
        sa.Column("event_id", NUMBER, sa.ForeignKey(f"{of}.id", ondelete="CASCADE"), nullable=False),
        sa.Column("url", sa.Text, nullable=False),
        sa.Column("status", sa.Integer, nullable=True),
        sa.Column("error", sa.Text, nullable=False),
        sa.Column("milliseconds", sa.Integer, nullable=False),
        sa.Column("created_at", UtcDateTime, nullable=False, server_default=now()),
        sqlite_autoincrement=True,
    )
