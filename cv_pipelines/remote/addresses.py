"""Which machines a URL that somebody else wrote may lead us to."""

from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

_Network = IPv4Network | IPv6Network
_NAT64 = IPv6Network("64:ff9b::/96")


def is_allowed(host: str, address: str, allow: tuple[str, ...]) -> bool:
    """Whether a connection may be made.

    Args:
        host: as the URL names it.
        address: the IP address that it stands for now.
        allow: hosts and networks (`10.1.0.0/16`) that may be asked though they are not public.
    """
    ip = _innermost(ip_address(address.partition("%")[0]))
    inside = any(ip.version == network.version and ip in network for network in _networks(allow))
    return inside or host.lower() in allow or (ip.is_global and not ip.is_multicast)


def _innermost(ip: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
    """The IPv4 address that an IPv6 address leads to, where it does (RFC 4291, 3056 and 6052)."""
    if isinstance(ip, IPv4Address):
        return ip
    translated = IPv4Address(int(ip) & 0xFFFFFFFF) if ip in _NAT64 else None
    return ip.ipv4_mapped or ip.sixtofour or translated or ip


@lru_cache(maxsize=16)
def _networks(allow: tuple[str, ...]) -> tuple[_Network, ...]:
    found = []
    for entry in allow:
        try:
            found.append(ip_network(entry, strict=False))
        except ValueError:  # a host
            continue
    return tuple(found)
