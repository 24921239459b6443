"""One line of JSON for each request: what was asked for, by whom, how it ended. No token and no query gets in."""

import logging
import sys
import time

import structlog
from fastapi import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from cv_pipelines.web.problems import internal_problem

_log = structlog.get_logger("cv_pipelines.web")


def set_up_log() -> None:
    """Let lines go to stderr as JSON; uvicorn's own of requests, which show queries, are left out."""
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.dict_tracebacks,
            structlog.processors.JSONRenderer(ensure_ascii=True),
        ],
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    logging.getLogger("uvicorn.access").disabled = True


class RequestLog:
    """Writes the line, and answers what nobody has caught."""

    def __init__(self, application: ASGIApp) -> None:
        self._application = application

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on."""
        if scope["type"] != "http":
            await self._application(scope, receive, send)
            return
        started, status = time.perf_counter(), 0
        scope.setdefault("state", {})

        async def send_and_look(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._application(scope, receive, send_and_look)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is logged, and somebody waits for an answer
            answer = internal_problem(Request(scope), error)
            if not status:
                await answer(scope, receive, send_and_look)
        finally:
            identity = scope["state"].get("identity")
            _log.info(
                "request",
                method=scope["method"],
                route=_route(scope),
                status=status,
                ms=round((time.perf_counter() - started) * 1000, 1),
                who=identity.name if identity else "-",
            )


def _route(scope: Scope) -> str:
    """The template of an address, `-` where there is none."""
    if scope["path"].startswith("/static/"):
        return "/static"
    return getattr(scope.get("route"), "path", None) or "-"
