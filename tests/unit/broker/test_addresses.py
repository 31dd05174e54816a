"""Which addresses may be connected to."""

from ipaddress import ip_address, ip_network

import pytest

from broker.addresses import AddressPolicy, Refusal, embedded, parse_host

OFFICE = AddressPolicy((ip_network("10.20.0.0/16"), ip_network("2001:db8:20::/48")))
EVERYTHING = AddressPolicy((ip_network("0.0.0.0/0"), ip_network("::/0")))


@pytest.mark.parametrize("address", ["10.20.3.4", "2001:db8:20::5", "::ffff:10.20.3.4"])
def test_listed_addresses_pass(address: str) -> None:
    assert OFFICE.refusal(ip_address(address)) is None


@pytest.mark.parametrize("address", ["10.21.0.1", "192.168.1.1", "8.8.8.8", "2001:db8:21::1", "::ffff:10.21.0.1"])
def test_what_is_not_listed_is_refused(address: str) -> None:
    assert OFFICE.refusal(ip_address(address)) is Refusal.NOT_LISTED
    assert AddressPolicy(()).refusal(ip_address(address)) is Refusal.NOT_LISTED


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "127.8.9.10", "::1", "::ffff:127.0.0.1", "169.254.169.254", "::ffff:169.254.169.254",
        "fe80::1", "fec0::1", "100.100.100.200", "192.0.0.192", "fd00:ec2::254",
    ],
)  # fmt: skip
def test_special_addresses_need_an_entry_of_their_own(address: str) -> None:
    parsed = ip_address(address)
    mapped = parsed.ipv4_mapped if parsed.version == 6 else None
    own_entry = AddressPolicy((ip_network(mapped or parsed),))
    assert EVERYTHING.refusal(parsed) is Refusal.SPECIAL
    assert own_entry.refusal(parsed) is None


@pytest.mark.parametrize(
    "address",
    [
        "0.0.0.0",
        "0.1.2.3",
        "::",
        "224.0.0.1",
        "239.1.2.3",
        "240.0.0.1",
        "255.255.255.255",
        "ff02::1",
        "2001::1",
        "100::1",
    ],
)
def test_never_addresses_pass_under_no_list(address: str) -> None:
    parsed = ip_address(address)
    assert EVERYTHING.refusal(parsed) is Refusal.NEVER
    assert AddressPolicy((ip_network(parsed),)).refusal(parsed) is Refusal.NEVER


@pytest.mark.parametrize(
    "address",
    [
        "2002:7f00:1::1",  # 6to4 of 127.0.0.1
        "64:ff9b::7f00:1",  # NAT64 of 127.0.0.1
        "64:ff9b:1::a9fe:a9fe",  # NAT64, local-use prefix, of 169.254.169.254
        "::7f00:1",  # IPv4-compatible 127.0.0.1
        "2001:db8::5efe:7f00:1",  # ISATAP of 127.0.0.1
        "2001:db8::200:5efe:7f00:1",  # ISATAP with a global identifier
        "2002:e000:1::",  # 6to4 of multicast
    ],
)
def test_an_address_inside_an_address_is_judged_too(address: str) -> None:
    assert EVERYTHING.refusal(ip_address(address)) in (Refusal.SPECIAL, Refusal.NEVER)


def test_a_carried_address_must_be_listed_itself() -> None:
    nat64 = ip_network("64:ff9b::/96")
    carried = ip_address("64:ff9b::0a14:0001")  # 10.20.0.1
    assert AddressPolicy((nat64,)).refusal(carried) is Refusal.NOT_LISTED
    assert AddressPolicy((nat64, ip_network("10.20.0.0/16"))).refusal(carried) is None
    assert embedded(carried) == (ip_address("10.20.0.1"),)


def test_own_addresses_need_a_single_address_entry() -> None:
    address = ip_address("10.20.3.4")
    assert OFFICE.refusal(address, own=True) is Refusal.OWN
    assert AddressPolicy((ip_network("10.20.3.4/32"),)).refusal(address, own=True) is None


def test_zone_identifiers_are_refused() -> None:
    assert EVERYTHING.refusal(ip_address("2001:db8::1%eth0")) is Refusal.SCOPED


@pytest.mark.parametrize(
    ("text", "parsed"),
    [
        ("10.0.0.1", ip_address("10.0.0.1")),
        ("2001:DB8::1", ip_address("2001:db8::1")),
        ("PC-01.City.Example.JP", "pc-01.city.example.jp"),
        ("pc01.", "pc01"),
        ("xn--r8jz45g.jp", "xn--r8jz45g.jp"),
        ("_vnc._tcp.example", "_vnc._tcp.example"),
        ("3com.example", "3com.example"),
    ],
)
def test_hosts_in_their_normal_form(text: str, parsed: object) -> None:
    assert parse_host(text) == parsed


@pytest.mark.parametrize(
    "text",
    [
        "", ".", "2130706433", "0x7f000001", "0177.0.0.1", "127.1", "0x7f.1", "1.2.3", "1.2.3.4.5", "host.0x7f",
        "127.0.0.1.", "a..b", "-a.example", "a-.example", "a b", "a/b", "a:1", "[::1]", "ユーザ.jp", "a" * 64,
        ".".join(["a" * 60] * 5), "a\0b", "a\n", "１２７.0.0.1",
    ],
)  # fmt: skip
def test_other_spellings_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="address"):
        parse_host(text)
