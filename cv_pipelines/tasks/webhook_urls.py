"""Which URLs may be a webhook, as far as the URL itself tells."""

import socket
from ipaddress import ip_address

from cv_pipelines.remote.addresses import is_allowed


def webhook_problem(url: str, allow: tuple[str, ...]) -> str:
    """What is wrong with a URL; empty: nothing.

    A name may stand for any address, so connecting checks again. This tells at once what can be told.

    Args:
        url: starts with `http://` or `https://`.
        allow: hosts and networks that may be asked though they are not public.
    """
    from urllib3.exceptions import LocationParseError  # the first import of urllib3 takes a while
    from urllib3.util import parse_url

    try:
        parsed = parse_url(url)  # the reader that connecting uses
    except LocationParseError:
        return "is not a URL"
    if not parsed.host:
        return "has no host"
    if parsed.auth is not None:
        return "must not hold a user or a password"
    host = parsed.host.strip("[]").rstrip(".")
    address = _literal(host)
    if address and not is_allowed(host, address, allow):
        return f"'{parsed.host}' is not a public address"
    return ""


def _literal(host: str) -> str:
    """The IP address that a host is without asking anybody; empty: it is a name."""
    if host.lower() == "localhost" or host.lower().endswith(".localhost"):  # RFC 6761
        return "127.0.0.1"
    try:
        return str(ip_address(host.partition("%")[0]))
    except ValueError:
        pass
    try:
        return socket.inet_ntoa(socket.inet_aton(host))  # 127.1, 0x7f.1 and 2130706433 too
    except OSError:
        return ""
