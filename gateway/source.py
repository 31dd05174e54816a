"""Where a request comes from: believes forwarded headers only from the named proxies. Pure.

Counterpart: the identity middleware. A header that a stranger sends is never looked at, so nobody can choose their own
address and walk around throttling or network rules.
"""

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network


class ForwardingError(Exception):
    """A named proxy sent forwarding headers that make no sense; the request is refused."""


def source_address(
    peer: str | None, forwarded_for: Sequence[str], forwarded_proto: Sequence[str], proxies: Sequence[Network]
) -> Address | None:
    """The client's address; None when it has none (a local socket).

    `forwarded_for` and `forwarded_proto` are all header values in order. Raises ForwardingError.
    """
    address = _parse(peer)
    if address is None or not _is_proxy(address, proxies):
        return address
    if [proto.strip().lower() for value in forwarded_proto for proto in value.split(",")] != ["https"]:
        raise ForwardingError("the proxy did not say that the client used https")
    hops = [hop.strip() for value in forwarded_for for hop in value.split(",")]
    for hop in reversed(hops):
        client = _parse(hop)
        if client is None:
            raise ForwardingError("X-Forwarded-For holds something that is no address")
        if not _is_proxy(client, proxies):
            return client
    raise ForwardingError("X-Forwarded-For names no client")


def _parse(text: str | None) -> Address | None:
    if not text:
        return None
    try:
        address = ip_address(text.strip("[]").split("%")[0])
    except ValueError:
        return None
    return address.ipv4_mapped or address if isinstance(address, IPv6Address) else address


def _is_proxy(address: Address, proxies: Sequence[Network]) -> bool:
    return any(address in network for network in proxies)
