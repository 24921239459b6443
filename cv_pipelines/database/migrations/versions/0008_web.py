"""Tokens, sessions and failed logins of the web application."""

import sqlalchemy as sa
from alembic import op

from cv_pipelines.database.clock import UtcDateTime, now

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Add three tables."""
    op.create_table(
        "web_tokens",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("role", sa.String(16), nullable=False),
        sa.Column("digest", sa.LargeBinary(32), nullable=False),
        sa.Column("created_by", sa.String(128), nullable=False),
        sa.Column("created_at", UtcDateTime, nullable=False, server_default=now()),
        sa.Column("expires_at", UtcDateTime, nullable=True),
        sa.Column("revoked_at", UtcDateTime, nullable=True),
        sa.Column("last_used_at", UtcDateTime, nullable=True),
        sa.UniqueConstraint("digest"),
    )
    op.create_index("ix_web_tokens_name", "web_tokens", ["name"])
    op.create_table(
        "web_sessions",
        sa.Column("digest", sa.LargeBinary(32), primary_key=True),
        sa.Column("token_id", sa.Integer, sa.ForeignKey("web_tokens.id"), nullable=False),
        sa.Column("created_at", UtcDateTime, nullable=False, server_default=now()),
        sa.Column("expires_at", UtcDateTime, nullable=False),
    )
    op.create_index("ix_web_sessions_token_id", "web_sessions", ["token_id"])
    op.create_index("ix_web_sessions_expires_at", "web_sessions", ["expires_at"])
    op.create_table(
        "web_login_failures",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("address", sa.String(64), nullable=False),
        sa.Column("at", UtcDateTime, nullable=False, server_default=now()),
    )
    op.create_index("ix_web_login_failures_address_at", "web_login_failures", ["address", "at"])
    op.create_index("ix_web_login_failures_at", "web_login_failures", ["at"])
