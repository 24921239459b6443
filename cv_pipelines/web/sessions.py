"""Sessions of people who have logged in with a token, and a bound on trying."""

import secrets

from sqlalchemy import Engine, func, select

from cv_pipelines.database.clock import ago, from_now, now
from cv_pipelines.database.engine import reading
from cv_pipelines.database.locks import take_turns
from cv_pipelines.database.web_tables import web_login_failures, web_sessions, web_tokens
from cv_pipelines.web.tokens import IDENTITY, Identity, digest_of, identified, identify_token, is_valid

SESSION_SECONDS = 12 * 3600
"""A working day: then the token is asked for again."""
MOST_FAILURES = 10
FAILURE_SECONDS = 300.0
"""From one address no more than MOST_FAILURES logins may fail in this time."""


class TooManyFailures(Exception):  # noqa: N818 - not an error of the platform
    """So many logins have failed from an address that none is looked at for a while."""


def log_in(database: Engine, token: str, address: str) -> str | None:
    """Start a session; returns what the cookie holds, None where the token is not valid.

    Args:
        database: the application database, in which all processes count failures.
        token: what somebody has typed.
        address: from where.

    Raises:
        TooManyFailures: whatever the token is.
    """
    attempt = _attempt(database, address)
    identity = identify_token(database, token.strip())
    if identity is None:
        return None
    session = secrets.token_urlsafe(32)
    row = {"digest": digest_of(session), "token_id": identity.token_id, "expires_at": from_now(SESSION_SECONDS)}
    with database.begin() as connection:
        connection.execute(web_login_failures.delete().where(web_login_failures.c.id == attempt))
        connection.execute(web_sessions.delete().where(web_sessions.c.expires_at <= now()))
        connection.execute(web_sessions.insert().values(row))
    return session


def identify_session(database: Engine, session: str) -> Identity | None:
    """Whose session this is; None where it or its token has ended, or there never was one."""
    query = (
        select(*IDENTITY)
        .join(web_sessions, web_sessions.c.token_id == web_tokens.c.id)
        .where(web_sessions.c.digest == digest_of(session), web_sessions.c.expires_at > now(), is_valid())
    )
    with reading(database) as connection:
        row = connection.execute(query).first()
    return identified(database, row)


def log_out(database: Engine, session: str) -> None:
    """End a session, for all processes."""
    with database.begin() as connection:
        connection.execute(web_sessions.delete().where(web_sessions.c.digest == digest_of(session)))


def _attempt(database: Engine, address: str) -> int:
    """Note a login as failed until it has not; returns the id of the note."""
    failures, since = web_login_failures, ago(FAILURE_SECONDS)
    lately = select(func.count()).where(failures.c.address == address, failures.c.at > since)
    with database.begin() as connection:
        take_turns(connection, "logins")
        if connection.execute(lately).scalar_one() >= MOST_FAILURES:
            raise TooManyFailures
        connection.execute(failures.delete().where(failures.c.at <= since))
        noted = failures.insert().values(address=address).returning(failures.c.id)
        return int(connection.execute(noted).scalar_one())
