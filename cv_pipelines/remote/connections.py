"""Connections to servers that somebody else named, checked where they are made.

A name may stand for another address each time that it is asked for. So the address that was checked is the one
that is connected to, whatever the name says a moment later.
"""

import os
import socket
from functools import lru_cache

from urllib3 import HTTPConnectionPool, HTTPSConnectionPool, PoolManager, Timeout
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import ConnectTimeoutError, HTTPError, NameResolutionError, NewConnectionError
from urllib3.util.connection import create_connection

from cv_pipelines.remote.addresses import is_allowed

CONNECT_SECONDS = 5
READ_SECONDS = 30


class ForbiddenAddressError(HTTPError):
    """A name that stands for machines which a stranger must not reach through us."""


@lru_cache(maxsize=4)
def connections(allow: tuple[str, ...]) -> PoolManager:
    """The connections of this process, kept open; threads may share them.

    Args:
        allow: hosts and networks that may be asked though they are not public.
    """

    class Plain(HTTPConnection):
        def _new_conn(self) -> socket.socket:
            return _connect(self, allow)

    class Secure(HTTPSConnection):
        def _new_conn(self) -> socket.socket:
            return _connect(self, allow)

    class PlainPool(HTTPConnectionPool):
        ConnectionCls = Plain

    class SecurePool(HTTPSConnectionPool):
        ConnectionCls = Secure

    timeout = Timeout(connect=CONNECT_SECONDS, read=READ_SECONDS)
    manager = PoolManager(num_pools=64, maxsize=16, timeout=timeout, retries=False)
    manager.pool_classes_by_scheme = {"http": PlainPool, "https": SecurePool}
    return manager


os.register_at_fork(after_in_child=connections.cache_clear)  # a connection belongs to one process


def _connect(connection: HTTPConnection, allow: tuple[str, ...]) -> socket.socket:
    host, port = connection.host, connection.port
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:  # a label of no or too many letters cannot even be asked for
        raise NameResolutionError(host, connection, socket.gaierror(*error.args)) from error
    addresses = [str(entry[4][0]) for entry in found]
    allowed = [address for address in addresses if is_allowed(host, address, allow)]
    if not allowed:
        message = f"'{host}' is not a public address. Name it in CV_URL_ALLOW if it may be asked"
        raise ForbiddenAddressError(message)
    try:
        return create_connection((allowed[0], port), connection.timeout, socket_options=connection.socket_options)
    except TimeoutError as error:
        raise ConnectTimeoutError(connection, str(error)) from error
    except OSError as error:
        raise NewConnectionError(connection, str(error)) from error
