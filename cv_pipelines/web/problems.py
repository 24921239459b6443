"""What went wrong: as problem details for programs (RFC 9457), as a page for people."""

import secrets
from http import HTTPStatus

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, RedirectResponse, Response
from sqlalchemy.exc import SQLAlchemyError
from starlette.exceptions import HTTPException

from cv_pipelines.database.outage import is_outage
from cv_pipelines.errors import CvError
from cv_pipelines.web.login_address import login_address
from cv_pipelines.web.templating import render

_log = structlog.get_logger("cv_pipelines.web")
_OF_SOURCE = {"input": 422, "submission": 422, "resource": 503, "infrastructure": 503, "internal": 500}
_ABSENT = (
    "no_dataset",
    "missing_image",
    "erased_image",
    "not_materialized",
    "no_class",
    "no_page",
    "no_task",
    "no_model",
)
"""Codes of what is asked for and is not there."""
_MOST_WRONG = 10
"""What is told of the mistakes of one request: a body may have a hundred thousand."""
_WORDS = {
    401: "Log in first, or send a valid token: 'Authorization: Bearer cv_…'.",
    404: "There is nothing at this address.",
    405: "This address takes no such request.",
    503: "The database, the store or the memory of this server is not available just now. Try again in a minute.",
}


class Refused(HTTPException):
    """A request that is not answered as it was meant.

    Attributes:
        code: a short stable name, for programs.
    """

    def __init__(self, status: int, code: str, detail: str, headers: dict[str, str] | None = None) -> None:
        super().__init__(status, detail, headers)
        self.code = code


def problem(
    request: Request, status: int, code: str, detail: str, headers: dict[str, str] | None = None
) -> Response:
    """The answer that says what is wrong; a person who is not logged in is led to where they can be."""
    title = HTTPStatus(status).phrase
    if not is_for_people(request):
        body = {"type": "about:blank", "title": title, "status": status, "detail": detail, "code": code}
        return JSONResponse(body, status, headers, media_type="application/problem+json")
    if status == 401 and request.method == "GET":
        return RedirectResponse(login_address(request.scope), 303)
    return render(request, "error.html", status=status, headers=headers, title=title, detail=detail)


def internal_problem(request: Request, error: Exception) -> Response:
    """The answer to what is our mistake: an id that stands in the log, too, and nothing of the mistake itself."""
    number = secrets.token_hex(6)
    _log.error("internal", id=number, path=request.url.path, exc_info=error)
    detail = f"This is a mistake of ours, and is in the log as {number}. Tell whoever runs this server."
    return problem(request, 500, "internal", detail)


def answer_problems(application: FastAPI) -> None:
    """Let an application answer errors as problems; what is not listed here is for `internal_problem`."""

    @application.exception_handler(HTTPException)
    def _http(request: Request, error: HTTPException) -> Response:
        code = getattr(error, "code", HTTPStatus(error.status_code).name.lower())
        plain = error.detail == HTTPStatus(error.status_code).phrase
        detail = _WORDS.get(error.status_code, error.detail) if plain else error.detail
        return problem(request, error.status_code, code, detail, dict(error.headers or {}))

    @application.exception_handler(RequestValidationError)
    def _invalid(request: Request, error: RequestValidationError) -> Response:
        found = error.errors()
        wrong = [f"{'.'.join(map(str, one['loc'][1:]))}: {one['msg']}" for one in found[:_MOST_WRONG]]
        more = [f"and {len(found) - _MOST_WRONG:,} more"] if len(found) > _MOST_WRONG else []
        return problem(request, 422, "invalid", "; ".join(wrong + more))

    @application.exception_handler(CvError)
    def _ours(request: Request, error: CvError) -> Response:
        status = 404 if error.code in _ABSENT else _OF_SOURCE[error.source]
        if status == 500:
            return internal_problem(request, error)
        if status == 503:
            return _unavailable(request, error.code, error)
        return problem(request, status, error.code, error.user_message)

    @application.exception_handler(SQLAlchemyError)
    def _database(request: Request, error: SQLAlchemyError) -> Response:
        return _unavailable(request, "database", error) if is_outage(error) else internal_problem(request, error)


def _unavailable(request: Request, code: str, error: Exception) -> Response:
    """What is away is no stranger's business; it is in the log."""
    _log.warning("unavailable", code=code, reason=str(error).splitlines()[0], detail=getattr(error, "detail", ""))
    return problem(request, 503, code, _WORDS[503], {"Retry-After": "10"})


def is_for_people(request: Request) -> bool:
    """A browser that shows a page asks for HTML; programs, and pictures in a page, do not."""
    return "text/html" in request.headers.get("accept", "")
