"""Forwarded headers are believed from named proxies only."""

from ipaddress import ip_address, ip_network

import pytest

from gateway.source import ForwardingError, source_address

PROXIES = [ip_network("10.0.0.0/24"), ip_network("fd00::/64")]


@pytest.mark.parametrize(
    ("peer", "forwarded", "proto", "expected"),
    [
        ("203.0.113.9", [], [], "203.0.113.9"),
        ("203.0.113.9", ["10.1.1.1"], ["https"], "203.0.113.9"),  # a stranger's header
        ("10.0.0.1", ["198.51.100.7"], ["https"], "198.51.100.7"),
        ("10.0.0.1", ["1.1.1.1, 198.51.100.7, 10.0.0.2"], ["https"], "198.51.100.7"),  # the client wrote the first hop
        ("10.0.0.1", ["1.1.1.1", "198.51.100.7"], ["https"], "198.51.100.7"),  # the client sent a header of its own
        ("::ffff:203.0.113.9", [], [], "203.0.113.9"),
        ("::ffff:10.0.0.1", ["198.51.100.7"], ["https"], "198.51.100.7"),
        ("fd00::1", ["2001:db8::7"], ["HTTPS"], "2001:db8::7"),
    ],
)
def test_addresses(peer: str, forwarded: list[str], proto: list[str], expected: str) -> None:
    assert source_address(peer, forwarded, proto, PROXIES) == ip_address(expected)


@pytest.mark.parametrize(
    ("forwarded", "proto"),
    [
        ([], ["https"]),
        (["unknown"], ["https"]),
        (["198.51.100.7, x"], ["https"]),
        (["10.0.0.2"], ["https"]),
        (["198.51.100.7"], []),
        (["198.51.100.7"], ["http"]),
        (["198.51.100.7"], ["https", "http"]),
        (["' or 1=1 --"], ["https"]),
    ],
)
def test_nonsense_from_a_proxy_is_refused(forwarded: list[str], proto: list[str]) -> None:
    with pytest.raises(ForwardingError):
        source_address("10.0.0.1", forwarded, proto, PROXIES)


def test_a_local_socket_has_no_address() -> None:
    assert source_address("", [], [], PROXIES) is None
    assert source_address(None, ["1.1.1.1"], ["https"], PROXIES) is None
