"""Serving the web application with uvicorn."""

import errno
import os
import socket
from collections.abc import Sequence
from contextlib import suppress

import uvicorn
from uvicorn.supervisors import Multiprocess

from cv_pipelines.errors import InputError
from cv_pipelines.web.careful_http import CarefulHttp

_WAITING = 2048
_END_SECONDS = 10
_MOST_CONNECTIONS = 900
"""Of a process; more are told that it is busy (503). A common bound on open files is 1,024."""


def listen(host: str, port: int) -> socket.socket:
    """Take a port; 0 takes a free one.

    Raises:
        InputError: code `port_taken` or `web_address`.
    """
    listening = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
        listening.listen(_WAITING)
    except OSError as error:
        listening.close()
        if error.errno == errno.EADDRINUSE:
            message = f"Port {port} of {host} is taken by another program: stop that one, or choose --port."
            raise InputError("port_taken", message) from error
        message = (
            f"'{host}' port {port} cannot be listened on: {error.strerror or error}. Check --host and --port."
        )
        raise InputError("web_address", message) from error
    listening.set_inheritable(True)
    return listening


def serve(listening: socket.socket, host: str, processes: int, proxies: Sequence[str]) -> None:
    """Serve until a signal ends it; requests that are worked on are finished.

    Args:
        listening: of `listen`.
        host: one of the names that people reach it by.
        processes: that serve it.
        proxies: addresses whose `X-Forwarded-…` are believed; nobody else's are.
    """
    os.environ["CV_WEB_HOST"] = host  # for processes that are started
    config = uvicorn.Config(
        "cv_pipelines.web.application:create",
        factory=True,
        workers=processes,
        proxy_headers=bool(proxies),
        forwarded_allow_ips=list(proxies),
        server_header=False,
        access_log=False,
        log_level="error",  # of requests that are none it would write lines that are no JSON
        timeout_graceful_shutdown=_END_SECONDS,
        ws="none",
        http=CarefulHttp,
        limit_concurrency=_MOST_CONNECTIONS,
    )
    with suppress(KeyboardInterrupt):  # which uvicorn raises once more after it has ended well
        if processes > 1:
            Multiprocess(config, sockets=[listening]).run()
        else:
            uvicorn.Server(config).run(sockets=[listening])
