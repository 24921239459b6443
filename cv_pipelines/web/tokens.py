"""Tokens: who may use the web application, and as what. Only their hashes are kept."""

import hashlib
import re
import secrets
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum

from sqlalchemy import ColumnElement, Engine, Row, and_, func, or_, select

from cv_pipelines.database.clock import from_now, now, seconds_since
from cv_pipelines.database.engine import if_free, reading
from cv_pipelines.database.locks import take_turns
from cv_pipelines.database.web_tables import web_sessions, web_tokens
from cv_pipelines.errors import InputError

PREFIX = "cv_"
"""So that scanners for secrets know a token that was committed by mistake."""
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@-]{0,63}")
_SECONDS_A_DAY = 86_400
USED_SECONDS = 60
"""When a token was last used is known to a minute: a request rarely writes."""


class Role(IntEnum):
    """What a token may do; each role may also do what those before it may."""

    VIEWER = 1
    ANNOTATOR = 2
    ADMIN = 3

    @property
    def word(self) -> str:
        """As people and tables write it."""
        return self.name.lower()


ROLES = {role.word: role for role in Role}


@dataclass(frozen=True)
class Identity:
    """Who asks: the name and role of a token that is valid now."""

    token_id: int
    name: str
    role: Role


@dataclass(frozen=True)
class Token:
    """What is known of a token, but not the token."""

    name: str
    role: str
    state: str
    created_by: str
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None

    @property
    def may_label(self) -> bool:
        """Whether somebody can label with it now."""
        return self.state == "valid" and ROLES[self.role] >= Role.ANNOTATOR


def create_token(database: Engine, name: str, role: Role, who: str, days: float | None = None) -> str:
    """Make a token; it is returned here and kept nowhere.

    Args:
        database: the application database.
        name: of the person or program.
        role: what it may do.
        who: makes it.
        days: after which it expires; None: never.

    Raises:
        InputError: code `token_name` or `token_exists`.
    """
    if not _NAME.fullmatch(name):
        message = f"'{name}' cannot be a token's name: use 1 to 64 of A-Z, a-z, 0-9, '.', '_', '@' and '-'."
        raise InputError("token_name", message)
    token = PREFIX + secrets.token_urlsafe(32)
    expires = from_now(days * _SECONDS_A_DAY) if days is not None else None
    row = {"name": name, "role": role.word, "digest": digest_of(token), "created_by": who, "expires_at": expires}
    with database.begin() as connection:
        take_turns(connection, "tokens")
        if connection.execute(select(web_tokens.c.id).where(web_tokens.c.name == name, is_valid())).first():
            message = f"There is a token '{name}'. Take another name, or 'cv-pipelines token revoke {name}' first."
            raise InputError("token_exists", message)
        connection.execute(web_tokens.insert().values(row))
    return token


def list_tokens(database: Engine) -> list[Token]:
    """All tokens that there ever were, by name, newest first."""
    expired = (web_tokens.c.expires_at <= now()).label("expired")
    query = select(web_tokens, expired).order_by(web_tokens.c.name, web_tokens.c.id.desc())
    with reading(database) as connection:
        return [_token(row) for row in connection.execute(query)]


def revoke_token(database: Engine, name: str) -> int:
    """Let a token be worth nothing any more, and end its sessions; returns how many sessions that were.

    Raises:
        InputError: code `no_token`: none of this name is valid.
    """
    with database.begin() as connection:
        valid = web_tokens.update().where(web_tokens.c.name == name, is_valid())
        revoked = connection.execute(valid.values(revoked_at=now()).returning(web_tokens.c.id)).scalars().all()
        if not revoked:
            message = f"There is no valid token '{name}'. 'cv-pipelines token list' shows those that there are."
            raise InputError("no_token", message)
        return connection.execute(web_sessions.delete().where(web_sessions.c.token_id.in_(revoked))).rowcount


def identify_token(database: Engine, token: str) -> Identity | None:
    """Whose token this is; None where it is wrong, expired or revoked, which nobody can tell apart.

    It is looked up by its hash, so the time that this takes says nothing of tokens that are nearly right.
    """
    query = select(*IDENTITY).where(web_tokens.c.digest == digest_of(token), is_valid())
    with reading(database) as connection:
        row = connection.execute(query).first()
    return identified(database, row)


def digest_of(secret: str) -> bytes:
    """SHA-256 of a random secret of 256 bits, for which no slow hash is needed."""
    return hashlib.sha256(secret.encode("utf-8", "replace")).digest()


def is_valid() -> ColumnElement[bool]:
    """A token that is neither revoked nor expired."""
    expires = web_tokens.c.expires_at
    return and_(web_tokens.c.revoked_at.is_(None), or_(expires.is_(None), expires > now()))


IDENTITY = (
    web_tokens.c.id,
    web_tokens.c.name,
    web_tokens.c.role,
    (func.coalesce(seconds_since(web_tokens.c.last_used_at), USED_SECONDS + 1) > USED_SECONDS).label("stale"),
)
"""What `identified` needs to know of a token."""


def identified(database: Engine, row: Row[tuple[int, str, str, bool]] | None) -> Identity | None:
    """Who is meant by a row of IDENTITY; that the token was used is noted, rarely, and nobody waits for that."""
    if row is None:
        return None
    if row.stale:
        with if_free(database) as connection:
            if connection is not None:
                connection.execute(web_tokens.update().where(web_tokens.c.id == row.id).values(last_used_at=now()))
    return Identity(row.id, row.name, ROLES[row.role])


def _token(row: Row[tuple[object, ...]]) -> Token:
    state = "revoked" if row.revoked_at else ("expired" if row.expired else "valid")
    return Token(row.name, row.role, state, row.created_by, row.created_at, row.expires_at, row.last_used_at)
