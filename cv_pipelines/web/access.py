"""Who asks, and whether they may: the first thing that every page with data depends on."""

from collections.abc import Awaitable, Callable
from typing import Annotated

from fastapi import Depends, Request
from starlette.concurrency import run_in_threadpool

from cv_pipelines.web.csrf import csrf_token, require_csrf_token
from cv_pipelines.web.platform import Platform, platform_of
from cv_pipelines.web.problems import Refused
from cv_pipelines.web.sessions import identify_session
from cv_pipelines.web.tokens import Identity, Role, identify_token

_COOKIE = "cv_session"


def cookie_name(request: Request) -> str:
    """Of the cookie of a session; over https one that no other host can have set (RFC 6265bis, 4.1.3.2)."""
    return f"__Host-{_COOKIE}" if request.url.scheme == "https" else _COOKIE


async def identify(request: Request, platform: Annotated[Platform, Depends(platform_of)]) -> Identity:
    """Whose token or session a request has; a session counts for a change only with its CSRF token.

    Raises:
        Refused: 401, or 403 with code `csrf`.
    """
    authorization = request.headers.get("authorization")
    session = request.cookies.get(cookie_name(request))
    identity = None
    if authorization is not None:
        scheme, _, token = authorization.partition(" ")
        if scheme.lower() == "bearer":
            identity = await run_in_threadpool(identify_token, platform.database, token.strip())
    elif session:
        identity = await run_in_threadpool(identify_session, platform.database, session)
    if identity is None:
        words = "Log in first, or send a valid token: 'Authorization: Bearer cv_…'."
        raise Refused(401, "unauthorized", words, {"WWW-Authenticate": "Bearer"})
    request.state.identity = identity
    if authorization is None and session:
        request.state.csrf = csrf_token(session)
        await require_csrf_token(request, session)
    return identity


def at_least(role: Role) -> Callable[..., Awaitable[Identity]]:
    """A dependency: who asks, with this role or a higher one.

    The dependency raises:
        Refused: 401 or 403.
    """

    async def require(identity: Annotated[Identity, Depends(identify)]) -> Identity:
        if identity.role < role:
            words = (
                f"This needs the role '{role.word}'; yours is '{identity.role.word}'. Ask an admin for a token."
            )
            raise Refused(403, "forbidden", words)
        return identity

    return require


Viewer = Annotated[Identity, Depends(at_least(Role.VIEWER))]
Annotator = Annotated[Identity, Depends(at_least(Role.ANNOTATOR))]
Admin = Annotated[Identity, Depends(at_least(Role.ADMIN))]
