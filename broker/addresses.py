"""To which addresses the gateway may connect for a static target. Pure: it resolves nothing and opens nothing.

Counterpart: `broker/connectors/direct.py` resolves a name once, asks here about each address, and connects to one that
passed, never to the name again (no DNS rebinding). An address that carries another one inside (IPv4-mapped, 6to4,
NAT64, ...) is judged by both. What passes must lie in a network that the operator listed; addresses that lead back into
this machine or to cloud metadata need a network of their own in that list, so `0.0.0.0/0` never opens them.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Final

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

_LABEL: Final = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)", re.IGNORECASE)
_NUMBER: Final = re.compile(r"[0-9]+|0x[0-9a-f]*", re.IGNORECASE)
_MAX_HOST_CHARS: Final = 253

_NEVER: Final[tuple[Network, ...]] = (
    IPv4Network("0.0.0.0/8"),  # "this host": connects to loopback on Linux
    IPv4Network("224.0.0.0/4"),
    IPv4Network("240.0.0.0/4"),  # reserved, and the broadcast address
    IPv6Network("::/128"),
    IPv6Network("ff00::/8"),
    IPv6Network("2001::/32"),  # Teredo: the packet would end at an address of somebody's choice
    IPv6Network("100::/64"),
)
_ONLY_BY_OWN_ENTRY: Final[tuple[Network, ...]] = (
    IPv4Network("127.0.0.0/8"),
    IPv6Network("::1/128"),
    IPv4Network("169.254.0.0/16"),  # link-local, and the metadata service of most clouds
    IPv6Network("fe80::/10"),
    IPv6Network("fec0::/10"),
    IPv4Network("192.0.0.0/24"),  # protocol assignments, and one cloud's metadata service
    IPv4Network("100.100.100.200/32"),  # another cloud's
    IPv6Network("fd00:ec2::254/128"),  # another cloud's
)
_NAT64: Final = (IPv6Network("64:ff9b::/96"), IPv6Network("64:ff9b:1::/48"))
_IPV4_COMPATIBLE: Final = IPv6Network("::/96")
_ISATAP: Final = (0x00005EFE, 0x02005EFE)


class Refusal(StrEnum):
    """Why an address may not be connected to."""

    NOT_LISTED = "not_listed"
    NEVER = "never"
    SPECIAL = "special"
    OWN = "own"
    SCOPED = "scoped"


@dataclass(frozen=True, slots=True)
class AddressPolicy:
    """The operator's list."""

    allowed: tuple[Network, ...]

    def refusal(self, address: Address, *, own: bool = False) -> Refusal | None:
        """None when the address may be connected to. `own`: it is one of this machine's."""
        if isinstance(address, IPv6Address) and address.scope_id is not None:
            return Refusal.SCOPED
        # Of `::ffff:a.b.c.d` the socket only ever reaches the IPv4 address, so that one alone is judged.
        mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
        outer = mapped or address
        return self._refusal(outer, own=own) or self._inner_refusal(outer)

    def _refusal(self, address: Address, *, own: bool) -> Refusal | None:
        if _within(address, _NEVER):
            return Refusal.NEVER
        listing = [network for network in self.allowed if address in network]
        if not listing:
            return Refusal.NOT_LISTED
        special = [network for network in _ONLY_BY_OWN_ENTRY if address in network]
        if special and not any(_inside(network, special) for network in listing):
            return Refusal.SPECIAL
        if own and not special and not any(network.prefixlen == network.max_prefixlen for network in listing):
            return Refusal.OWN
        return None

    def _inner_refusal(self, address: Address) -> Refusal | None:
        for inner in embedded(address):
            # The carrier was listed; what it carries must not be more than the list says either.
            if refused := self._refusal(inner, own=False):
                return refused
        return None


def embedded(address: Address) -> tuple[IPv4Address, ...]:
    """IPv4 addresses that an IPv6 address leads to: 6to4, NAT64, IPv4-compatible, ISATAP."""
    if isinstance(address, IPv4Address):
        return ()
    low = IPv4Address(int(address) & 0xFFFFFFFF)
    found: list[IPv4Address] = []
    if address.sixtofour is not None:
        found.append(address.sixtofour)
    if any(address in network for network in _NAT64) or (address in _IPV4_COMPATIBLE and int(address) > 1):
        found.append(low)
    if (int(address) >> 32) & 0xFFFFFFFF in _ISATAP:
        found.append(low)
    return tuple(found)


def parse_host(text: str) -> Address | str:
    """A literal address in its one normal form, or a DNS name in lower case. Raises ValueError.

    Other spellings of numbers (`2130706433`, `0177.0.0.1`, `0x7f.1`), which the resolver of the system would take for
    addresses, are refused: what an administrator reads in a list must be what is connected to.
    """
    try:
        return ip_address(text)
    except ValueError:
        pass
    name = text.removesuffix(".")
    labels = name.split(".")
    if not name or len(name) > _MAX_HOST_CHARS or not all(_LABEL.fullmatch(label) for label in labels):
        raise ValueError("neither an address nor a DNS name")
    if _NUMBER.fullmatch(labels[-1]):
        raise ValueError("an address in an unusual spelling: write it as a.b.c.d or as an IPv6 address")
    return name.lower()


def _within(address: Address, networks: Sequence[Network]) -> bool:
    return any(address in network for network in networks)


def _inside(network: Network, outer: Sequence[Network]) -> bool:
    return any(
        (isinstance(network, IPv4Network) and isinstance(around, IPv4Network) and network.subnet_of(around))
        or (isinstance(network, IPv6Network) and isinstance(around, IPv6Network) and network.subnet_of(around))
        for around in outer
    )
