"""Tasks: the ledger of what is wanted, what is tried, and what is told of it."""

import sqlalchemy as sa
from alembic import op

from cv_pipelines.database.clock import UtcDateTime, now

revision = "0003"
down_revision = "0002"

WAITING = sa.text("state = 'queued' AND attempt IS NULL")
CLAIMED = sa.text("attempt IS NOT NULL")
FINISHED = sa.text("finished_at IS NOT NULL")
NUMBER = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    """Add five tables."""
    op.create_table(
        "attempts",
        sa.Column("id", NUMBER, primary_key=True),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("tasks", sa.Integer, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("run_id", sa.String(64), nullable=True),
        sa.Column("epoch", sa.Integer, nullable=False, server_default="0"),
        sa.Column("heartbeat_at", UtcDateTime, nullable=True),
        sa.Column("reason", sa.Text, nullable=False, server_default=""),
        sa.Column("created_at", UtcDateTime, nullable=False, server_default=now()),
        sa.Column("closed_at", UtcDateTime, nullable=True),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_attempts_state", "attempts", ["state", "kind"])
    op.create_table(
        "tasks",
        sa.Column("id", sa.String(128), primary_key=True),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("params", sa.JSON, nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("batch_key", sa.String(32), nullable=False),
        sa.Column("priority", sa.Integer, nullable=False),
        sa.Column("deadline", UtcDateTime, nullable=True),
        sa.Column("reply", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("submitted_by", sa.String(128), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("progress", sa.Float, nullable=True),
        sa.Column("attempts", sa.Integer, nullable=False, server_default="0"),
        sa.Column("attempt", NUMBER, sa.ForeignKey("attempts.id"), nullable=True),
        sa.Column("epoch", sa.Integer, nullable=True),
        sa.Column("not_before", UtcDateTime, nullable=True),
        sa.Column("cancel", sa.Boolean, nullable=False, server_default=sa.false()),
        sa.Column("last_event", sa.Integer, nullable=False, server_default="1"),
        sa.Column("result", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("error", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("created_at", UtcDateTime, nullable=False, server_default=now()),
        sa.Column("started_at", UtcDateTime, nullable=True),
        sa.Column("finished_at", UtcDateTime, nullable=True),
    )
    op.create_index("ix_tasks_created", "tasks", ["created_at", "id"])
    op.create_index("ix_tasks_state", "tasks", ["state", "created_at", "id"])
    op.create_index("ix_tasks_kind", "tasks", ["kind", "created_at", "id"])
    op.create_index("ix_tasks_state_kind", "tasks", ["state", "kind", "created_at", "id"])
    op.create_index(
        "ix_tasks_attempt", "tasks", ["attempt", "state"], sqlite_where=CLAIMED, postgresql_where=CLAIMED
    )
    op.create_index(
        "ix_tasks_waiting",
        "tasks",
        ["kind", "priority", "created_at"],
        sqlite_where=WAITING,
        postgresql_where=WAITING,
    )
    op.create_index(
        "ix_tasks_finished", "tasks", ["finished_at"], sqlite_where=FINISHED, postgresql_where=FINISHED
    )
    op.create_table(
        "events",
        sa.Column("id", NUMBER, primary_key=True),
        sa.Column("task_id", sa.String(128), sa.ForeignKey("tasks.id", ondelete="CASCADE"), nullable=False),
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
        sqlite_autoincrement=True,
    )
    op.create_index(
        "ix_events_open",
        "events",
        ["next_at", "id"],
        sqlite_where=sa.text("delivery = 'open'"),
        postgresql_where=sa.text("delivery = 'open'"),
    )
    op.create_table(
        "deliveries",
        sa.Column("id", NUMBER, primary_key=True),
        sa.Column("event_id", NUMBER, sa.ForeignKey("events.id", ondelete="CASCADE"), nullable=False),
        sa.Column("url", sa.Text, nullable=False),
        sa.Column("status", sa.Integer, nullable=True),
        sa.Column("error", sa.Text, nullable=False),
        sa.Column("milliseconds", sa.Integer, nullable=False),
        sa.Column("created_at", UtcDateTime, nullable=False, server_default=now()),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_deliveries_event", "deliveries", ["event_id"])
    op.create_table(
        "dead_letters",
        sa.Column("id", NUMBER, primary_key=True),
        sa.Column("fingerprint", sa.String(64), nullable=False, unique=True),
        sa.Column("body", sa.LargeBinary, nullable=False),
        sa.Column("size", sa.Integer, nullable=False),
        sa.Column("message_id", sa.Text, nullable=True),
        sa.Column("reply_to", sa.Text, nullable=True),
        sa.Column("correlation_id", sa.Text, nullable=True),
        sa.Column("headers", sa.JSON, nullable=False),
        sa.Column("code", sa.String(64), nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("times", sa.Integer, nullable=False, server_default="1"),
        sa.Column("received_at", UtcDateTime, nullable=False, server_default=now()),
        sa.Column("decided_at", UtcDateTime, nullable=True),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_dead_letters_state", "dead_letters", ["state", "id"])
