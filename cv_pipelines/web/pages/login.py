"""Logging in with a token, and out."""

from typing import Annotated

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import RedirectResponse, Response

from cv_pipelines.web.access import Viewer, cookie_name
from cv_pipelines.web.login_address import HOME, local_address
from cv_pipelines.web.platform import Platform, platform_of
from cv_pipelines.web.sessions import FAILURE_SECONDS, SESSION_SECONDS, TooManyFailures, log_in, log_out
from cv_pipelines.web.templating import render

router = APIRouter()
_LONGEST = 2000


@router.get("/login")
def login_page(request: Request, next: str = HOME) -> Response:  # noqa: A002 - as it is called in addresses
    """The form."""
    return render(request, "login.html", next=local_address(next), problem="")


@router.post("/login")
def login(
    request: Request,
    platform: Annotated[Platform, Depends(platform_of)],
    token: Annotated[str, Form(max_length=_LONGEST)] = "",
    next: Annotated[str, Form(max_length=_LONGEST)] = HOME,  # noqa: A002
) -> Response:
    """Take a token, and give a cookie for it; a session that there was before ends."""
    address = request.client.host if request.client else ""
    onwards = local_address(next)
    try:
        session = log_in(platform.database, token, address)
    except TooManyFailures:
        words = f"Too many logins have failed. Try again in {FAILURE_SECONDS / 60:.0f} minutes."
        headers = {"Retry-After": str(round(FAILURE_SECONDS))}
        return render(request, "login.html", 429, headers, next=onwards, problem=words)
    if session is None:
        words = "This token is not valid: it is mistyped, has expired, or was revoked."
        return render(request, "login.html", 401, next=onwards, problem=words)
    if earlier := request.cookies.get(cookie_name(request)):
        log_out(platform.database, earlier)
    answer = RedirectResponse(onwards, 303)
    secure = request.url.scheme == "https"
    answer.set_cookie(
        cookie_name(request), session, max_age=SESSION_SECONDS, httponly=True, samesite="lax", secure=secure
    )
    return answer


@router.post("/logout")
def logout(request: Request, platform: Annotated[Platform, Depends(platform_of)], who: Viewer) -> Response:
    """End the session, in all tabs."""
    if session := request.cookies.get(cookie_name(request)):
        log_out(platform.database, session)
    answer = RedirectResponse("/login", 303)
    answer.delete_cookie(cookie_name(request), secure=request.url.scheme == "https", httponly=True, samesite="lax")
    answer.headers["Clear-Site-Data"] = '"cache"'
    return answer
