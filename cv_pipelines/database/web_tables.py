"""The tables of the web application: who may come in. A change here comes with a migration."""

from sqlalchemy import Column, ForeignKey, Index, Integer, LargeBinary, String, Table

from cv_pipelines.database.clock import UtcDateTime, now
from cv_pipelines.database.tables import metadata

# Tokens, of which only hashes are kept (SHA-256; they are random, 256 bits). Rows stay: labels name who made them.
web_tokens = Table(
    "web_tokens",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", String(64), nullable=False, index=True),
    Column("role", String(16), nullable=False),
    Column("digest", LargeBinary(32), nullable=False, unique=True),
    Column("created_by", String(128), nullable=False),
    Column("created_at", UtcDateTime, nullable=False, server_default=now()),
    Column("expires_at", UtcDateTime, nullable=True),
    Column("revoked_at", UtcDateTime, nullable=True),
    Column("last_used_at", UtcDateTime, nullable=True),
)

# People who have logged in with a token; `digest` is that of the cookie.
web_sessions = Table(
    "web_sessions",
    metadata,
    Column("digest", LargeBinary(32), primary_key=True),
    Column("token_id", Integer, ForeignKey("web_tokens.id"), nullable=False, index=True),
    Column("created_at", UtcDateTime, nullable=False, server_default=now()),
    Column("expires_at", UtcDateTime, nullable=False, index=True),
)

# Logins that failed lately, by the address they came from.
web_login_failures = Table(
    "web_login_failures",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("address", String(64), nullable=False),
    Column("at", UtcDateTime, nullable=False, server_default=now()),
    Index("ix_web_login_failures_address_at", "address", "at"),
    Index("ix_web_login_failures_at", "at"),
)
