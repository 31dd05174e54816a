"""No spelling of, and no detour to, a forbidden address gets past the address policy."""

import socket
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

from hypothesis import given
from hypothesis import strategies as st

from broker.addresses import Address, AddressPolicy, embedded, parse_host

WIDE_OPEN = AddressPolicy((IPv4Network("0.0.0.0/0"), IPv6Network("::/0")))
FORBIDDEN = ("127.0.0.0/8", "169.254.0.0/16", "0.0.0.0/8", "224.0.0.0/4", "240.0.0.0/4")

forbidden_v4 = st.one_of([st.ip_addresses(v=4, network=network) for network in FORBIDDEN])
any_address = st.one_of(st.ip_addresses(v=4), st.ip_addresses(v=6))
networks = st.lists(
    st.builds(
        lambda address, cut: (
            IPv4Network((int(address), min(cut, 32)), strict=False)
            if isinstance(address, IPv4Address)
            else IPv6Network((int(address), cut), strict=False)
        ),
        any_address,
        st.integers(0, 128),
    ),
    max_size=5,
)


@given(forbidden_v4)
def test_every_ipv6_detour_to_a_forbidden_ipv4_address_is_refused(target: IPv4Address) -> None:
    low = int(target)
    detours = [
        IPv6Address((0xFFFF << 32) | low),
        IPv6Address((0x2002 << 112) | (low << 80) | 1),
        IPv6Address((0x0064FF9B << 96) | low),
        IPv6Address((0x0064FF9B0001 << 80) | low),
        IPv6Address((0x20010DB8 << 96) | (0x5EFE << 32) | low),
        IPv6Address((0x20010DB8 << 96) | (0x02005EFE << 32) | low),
    ]
    assert WIDE_OPEN.refusal(target) is not None
    for detour in detours:
        assert WIDE_OPEN.refusal(detour) is not None, detour


@given(any_address, networks)
def test_what_passes_was_listed_and_so_was_what_it_carries(
    address: Address, listed: list[IPv4Network | IPv6Network]
) -> None:
    policy = AddressPolicy(tuple(listed))
    if policy.refusal(address) is None:
        mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
        for reached in (mapped or address, *embedded(address)):
            assert any(reached in network for network in listed)
            assert not reached.is_multicast
            assert not reached.is_unspecified


@given(any_address, networks)
def test_own_addresses_are_refused_whenever_others_are(
    address: Address, listed: list[IPv4Network | IPv6Network]
) -> None:
    policy = AddressPolicy(tuple(listed))
    if policy.refusal(address) is not None:
        assert policy.refusal(address, own=True) is not None


def _spellings(address: IPv4Address) -> list[str]:
    parts = address.packed
    number = int(address)
    return [
        str(number),
        hex(number),
        f"0{number:o}",
        ".".join(f"0{part:o}" for part in parts),
        ".".join(hex(part) for part in parts),
        f"{parts[0]}.{(parts[1] << 16) | (parts[2] << 8) | parts[3]}",
        f"{parts[0]}.{parts[1]}.{(parts[2] << 8) | parts[3]}",
        f"{address}.",
    ]


@given(st.ip_addresses(v=4))
def test_numeric_spellings_are_either_refused_or_the_very_address(address: IPv4Address) -> None:
    for text in _spellings(address):
        try:
            parsed = parse_host(text)
        except ValueError:
            continue
        assert parsed == address, text


@given(st.text(alphabet="0123456789abcdefxX.-", min_size=1, max_size=24))
def test_a_name_is_never_something_that_the_system_reads_as_a_number(text: str) -> None:
    try:
        parsed = parse_host(text)
    except ValueError:
        return
    if isinstance(parsed, str):
        try:
            socket.inet_aton(parsed)
        except OSError:
            return
        raise AssertionError(f"{parsed} would be read as {ip_address(socket.inet_aton(parsed))}")
