"""The tables of the ledger of tasks. A change here comes with a migration."""

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
    UniqueConstraint,
    false,
    text,
)

from cv_pipelines.database.clock import UtcDateTime, now
from cv_pipelines.database.tables import metadata

Number = BigInteger().with_variant(Integer, "sqlite")
"""A key that counts up by itself; SQLite does that for INTEGER only."""
_WAITING = text("state = 'queued' AND attempt IS NULL")
_CLAIMED = text("attempt IS NOT NULL")
_FINISHED = text("finished_at IS NOT NULL")

# What somebody wants done. `attempt` is the one that works on it, or that has finished it; `epoch` is
# that attempt's when it finished; `last_event` numbers the task's events.
tasks = Table(
    "tasks",
    metadata,
    Column("id", String(128), primary_key=True),
    Column("kind", String(32), nullable=False),
    Column("params", JSON, nullable=False),
    Column("digest", String(64), nullable=False),
    Column("batch_key", String(32), nullable=False),
    Column("size", Integer, nullable=False, server_default="1"),
    Column("priority", Integer, nullable=False),
    Column("deadline", UtcDateTime, nullable=True),
    Column("reply", JSON(none_as_null=True), nullable=True),
    Column("submitted_by", String(128), nullable=False),
    Column("state", String(16), nullable=False),
    Column("progress", Float, nullable=True),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("attempt", Number, ForeignKey("attempts.id"), nullable=True),
    Column("epoch", Integer, nullable=True),
    Column("not_before", UtcDateTime, nullable=True),
    Column("cancel", Boolean, nullable=False, server_default=false()),
    Column("last_event", Integer, nullable=False, server_default="1"),
    Column("result", JSON(none_as_null=True), nullable=True),
    Column("error", JSON(none_as_null=True), nullable=True),
    Column("created_at", UtcDateTime, nullable=False, server_default=now()),
    Column("started_at", UtcDateTime, nullable=True),
    Column("finished_at", UtcDateTime, nullable=True),
    Index("ix_tasks_created", "created_at", "id"),
    Index("ix_tasks_state", "state", "created_at", "id"),
    Index("ix_tasks_kind", "kind", "created_at", "id"),
    Index("ix_tasks_state_kind", "state", "kind", "created_at", "id"),
    # what a new task is in none of costs an intake nothing
    Index("ix_tasks_attempt", "attempt", "state", sqlite_where=_CLAIMED, postgresql_where=_CLAIMED),
    Index("ix_tasks_waiting", "kind", "priority", "created_at", sqlite_where=_WAITING, postgresql_where=_WAITING),
    Index("ix_tasks_finished", "finished_at", sqlite_where=_FINISHED, postgresql_where=_FINISHED),
)

# One run's worth of tasks. `epoch` counts how often the run has begun it: whoever names an older one is late.
attempts = Table(
    "attempts",
    metadata,
    Column("id", Number, primary_key=True),
    Column("kind", String(32), nullable=False),
    Column("tasks", Integer, nullable=False),
    Column("state", String(16), nullable=False),
    Column("run_id", String(64), nullable=True),
    Column("epoch", Integer, nullable=False, server_default="0"),
    Column("heartbeat_at", UtcDateTime, nullable=True),
    Column("reason", Text, nullable=False, server_default=""),
    Column("created_at", UtcDateTime, nullable=False, server_default=now()),
    Column("closed_at", UtcDateTime, nullable=True),
    Index("ix_attempts_state", "state", "kind"),
    sqlite_autoincrement=True,  # or the number of a row that was deleted comes again
)

# What has become of tasks, or that a dead letter is one, to be told: the outbox. `pending` names the receivers
# that do not know yet.
events = Table(
    "events",
    metadata,
    Column("id", Number, primary_key=True),
    Column("task_id", String(128), ForeignKey("tasks.id", ondelete="CASCADE"), nullable=True),
    Column("dead_letter_id", Number, ForeignKey("dead_letters.id", ondelete="CASCADE"), nullable=True),
    Column("number", Integer, nullable=False),
    Column("state", String(16), nullable=False),
    Column("progress", Float, nullable=True),
    Column("delivery", String(16), nullable=False),
    Column("pending", JSON, nullable=False),
    Column("tries", Integer, nullable=False, server_default="0"),
    Column("next_at", UtcDateTime, nullable=False, server_default=now()),
    Column("reason", Text, nullable=False, server_default=""),
    Column("created_at", UtcDateTime, nullable=False, server_default=now()),
    UniqueConstraint("task_id", "number"),
    UniqueConstraint("dead_letter_id", "number"),
    CheckConstraint("(task_id IS NULL) <> (dead_letter_id IS NULL)", name="one_subject"),
    Index(
        "ix_events_open",
        "next_at",
        "id",
        sqlite_where=text("delivery = 'open'"),
        postgresql_where=text("delivery = 'open'"),
    ),
    sqlite_autoincrement=True,
)

# Every call of a webhook, append-only.
deliveries = Table(
    "deliveries",
    metadata,
    Column("id", Number, primary_key=True),
    Column("event_id", Number, ForeignKey("events.id", ondelete="CASCADE"), nullable=False),
    Column("url", Text, nullable=False),
    Column("status", Integer, nullable=True),
    Column("error", Text, nullable=False),
    Column("milliseconds", Integer, nullable=False),
    Column("created_at", UtcDateTime, nullable=False, server_default=now()),
    Index("ix_deliveries_event", "event_id"),
    sqlite_autoincrement=True,
)

# Messages that could not become tasks, as they came, with the reason. `task_id`, `kind` and `reply` are what the
# sender is told, and how, as far as that could be read.
dead_letters = Table(
    "dead_letters",
    metadata,
    Column("id", Number, primary_key=True),
    Column("fingerprint", String(64), nullable=False, unique=True),
    Column("body", LargeBinary, nullable=False),
    Column("size", Integer, nullable=False),
    Column("message_id", Text, nullable=True),
    Column("reply_to", Text, nullable=True),
    Column("correlation_id", Text, nullable=True),
    Column("headers", JSON, nullable=False),
    Column("task_id", String(128), nullable=True),
    Column("kind", String(32), nullable=True),
    Column("reply", JSON(none_as_null=True), nullable=True),
    Column("code", String(64), nullable=False),
    Column("reason", Text, nullable=False),
    Column("state", String(16), nullable=False),
    Column("times", Integer, nullable=False, server_default="1"),
    Column("received_at", UtcDateTime, nullable=False, server_default=now()),
    Column("decided_at", UtcDateTime, nullable=True),
    Index("ix_dead_letters_state", "state", "id"),
    sqlite_autoincrement=True,
)
