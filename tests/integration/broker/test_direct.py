"""The direct connector against real sockets, real TLS and a real Xvnc, on both event loops' transports."""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Any

import pytest
import trustme

from broker.addresses import Address
from broker.connectors import direct
from broker.connectors.direct import DirectConnector, is_own_address
from broker.models import AddressKind, StaticTarget, TargetSecurity
from broker.settings import TargetSettings
from common.errors import TargetRefused, TargetTimedOut, TargetUnreachable
from common.ids import DesktopId, PoolId, TenantId
from tests.support.ports import free_port
from tests.support.xvnc import run_xvnc

LOOPBACK = ("127.0.0.1/32", "::1/128")


class Reader(asyncio.Protocol):
    """Keeps the first bytes and the end."""

    def __init__(self) -> None:
        self.got: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        self.lost = asyncio.Event()

    def data_received(self, data: bytes) -> None:
        if not self.got.done():
            self.got.set_result(data)

    def connection_lost(self, exc: Exception | None) -> None:
        self.lost.set()


def _settings(networks: tuple[str, ...] = LOOPBACK, **over: Any) -> TargetSettings:
    values: dict[str, Any] = {"allowed_networks": networks, "connect_seconds": 2}
    return TargetSettings(**(values | over))


def _target(port: int | None, host: str = "127.0.0.1", **over: Any) -> StaticTarget:
    values: dict[str, Any] = {
        "tenant_id": TenantId("city"),
        "id": DesktopId("pc-1"),
        "pool_id": PoolId("static"),
        "name_ja": "端末",
        "name_en": "PC",
        "address_kind": AddressKind.TCP,
        "host": host,
        "port": port,
        "security": (TargetSecurity.NONE,),
    }
    return StaticTarget(**(values | over))


async def _first_bytes(target: StaticTarget, settings: TargetSettings) -> bytes:
    reader: list[Reader] = []

    def make() -> Reader:
        reader.append(Reader())
        return reader[0]

    transport = await DirectConnector(target, settings).open(make)
    try:
        return await asyncio.wait_for(reader[0].got, 5)
    finally:
        transport.abort()
        await asyncio.wait_for(reader[0].lost.wait(), 5)


@asynccontextmanager
async def _greeter(*, tls: ssl.SSLContext | None = None, host: str = "127.0.0.1") -> AsyncIterator[int]:
    """Says hello to everybody."""

    async def greet(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"hello")
        await writer.drain()
        writer.close()

    port = free_port()
    listening = await asyncio.start_server(greet, host, port, ssl=tls)
    try:
        yield port
    finally:
        listening.close()


async def test_tcp_by_address_and_by_name() -> None:
    async with _greeter() as port:
        for host in ("127.0.0.1", "::ffff:127.0.0.1", "localhost"):
            assert await _first_bytes(_target(port, host), _settings()) == b"hello"


@pytest.mark.parametrize("networks", [(), ("0.0.0.0/0", "::/0"), ("10.0.0.0/8",), ("127.0.0.2/32",)])
@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::ffff:127.0.0.1"])
async def test_loopback_needs_an_entry_of_its_own(networks: tuple[str, ...], host: str) -> None:
    async with _greeter() as port:
        with pytest.raises(TargetUnreachable):
            await _first_bytes(_target(port, host), _settings(networks))


@pytest.mark.parametrize("host", ["2130706433", "0x7f.1", "127.1", "0177.0.0.1", "127.0.0.1.", "a b", ""])
async def test_odd_spellings_never_reach_the_resolver(host: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async def never(_name: str, _port: int) -> list[Address]:
        raise AssertionError("resolved")

    monkeypatch.setattr(direct, "_resolve", never)
    async with _greeter() as port:
        with pytest.raises(TargetUnreachable):
            await _first_bytes(_target(port, host), _settings(("0.0.0.0/0", *LOOPBACK)))


async def test_rebinding_name_is_resolved_once_and_the_checked_address_is_used(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    answers = iter([[ip_address("127.0.0.1")], [ip_address("127.0.0.2")]])
    asked: list[str] = []

    async def rebinding(name: str, _port: int) -> list[Address]:
        asked.append(name)
        return list(next(answers))

    monkeypatch.setattr(direct, "_resolve", rebinding)
    async with _greeter() as port:
        assert await _first_bytes(_target(port, "pc.example"), _settings()) == b"hello"
    assert asked == ["pc.example"]


async def test_of_several_addresses_only_allowed_ones_are_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    async def several(_name: str, _port: int) -> list[Address]:
        return [ip_address("127.0.0.9"), ip_address("::1"), ip_address("127.0.0.1")]

    tried: list[str] = []
    connect = direct._connect_to

    async def recording(address: Address, port: int) -> socket.socket:
        tried.append(str(address))
        return await connect(address, port)

    monkeypatch.setattr(direct, "_resolve", several)
    monkeypatch.setattr(direct, "_connect_to", recording)
    async with _greeter() as port:
        assert await _first_bytes(_target(port, "pc.example"), _settings()) == b"hello"
    assert tried == ["::1", "127.0.0.1"]


def test_own_addresses_are_known_from_the_routing_table() -> None:
    assert is_own_address(ip_address("127.0.0.1"))
    assert is_own_address(ip_address("::ffff:127.0.0.1"))
    assert not is_own_address(ip_address("203.0.113.77"))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("203.0.113.77", 9))
        except OSError:
            return  # no route out of this machine: nothing more to see
        assert is_own_address(ip_address(probe.getsockname()[0]))


async def test_unknown_name_closed_port_and_missing_port() -> None:
    for target in (_target(9, "no-such-host.invalid"), _target(free_port()), _target(None)):
        with pytest.raises(TargetUnreachable):
            await _first_bytes(target, _settings())


async def test_silent_address_runs_into_the_deadline() -> None:
    # A full accept queue: the kernel drops further SYNs, as a dead machine would.
    with socket.socket() as listening, socket.socket() as first, socket.socket() as second:
        listening.bind(("127.0.0.1", 0))
        listening.listen(0)
        for filler in (first, second):
            filler.setblocking(False)
            filler.connect_ex(listening.getsockname())
        with pytest.raises(TargetTimedOut):
            await _first_bytes(_target(listening.getsockname()[1]), _settings(connect_seconds=0.5))


@asynccontextmanager
async def _tls_greeter(name: str, authority: trustme.CA) -> AsyncIterator[int]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(name).configure_cert(context)
    async with _greeter(tls=context) as port:
        yield port


async def test_tls_with_the_targets_own_ca_and_name() -> None:
    authority, stranger = trustme.CA(), trustme.CA()
    pem, other = authority.cert_pem.bytes().decode(), stranger.cert_pem.bytes().decode()
    async with _tls_greeter("pc.example", authority) as port:
        right = {"address_kind": AddressKind.TLS, "tls_name": "pc.example", "ca_pem": pem}
        assert await _first_bytes(_target(port, **right), _settings()) == b"hello"
        for wrong in ({"tls_name": "other.example"}, {"tls_name": None}, {"ca_pem": other}, {"ca_pem": None}):
            with pytest.raises(TargetRefused):
                await _first_bytes(_target(port, **(right | wrong)), _settings())


async def test_tls_to_a_plain_and_to_a_silent_target() -> None:
    async with _greeter() as port:
        with pytest.raises(TargetRefused):
            await _first_bytes(_target(port, address_kind=AddressKind.TLS), _settings())
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        target = _target(silent.getsockname()[1], address_kind=AddressKind.TLS)
        with pytest.raises(TargetTimedOut):
            await _first_bytes(target, _settings(connect_seconds=0.5))


async def test_unix_socket_only_in_listed_directories_even_behind_links(short_path: Path) -> None:
    allowed, elsewhere = short_path / "allowed", short_path / "elsewhere"
    allowed.mkdir()
    elsewhere.mkdir()

    async def greet(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"hello")
        await writer.drain()
        writer.close()

    good = await asyncio.start_unix_server(greet, str(allowed / "rfb.sock"))
    control = await asyncio.start_unix_server(greet, str(elsewhere / "control.sock"))
    (allowed / "link.sock").symlink_to(elsewhere / "control.sock")
    settings = _settings(allowed_socket_directories=(allowed,))
    try:
        for name, passes in (
            ("allowed/rfb.sock", True),
            ("elsewhere/control.sock", False),
            ("allowed/link.sock", False),
            ("allowed/../elsewhere/control.sock", False),
            ("allowed/none.sock", False),
        ):
            target = _target(None, f"{short_path}/{name}", address_kind=AddressKind.UNIX)
            if passes:
                assert await _first_bytes(target, settings) == b"hello"
            else:
                with pytest.raises(TargetUnreachable):
                    await _first_bytes(target, settings)
        with pytest.raises(TargetUnreachable):
            await _first_bytes(_target(None, "rfb.sock", address_kind=AddressKind.UNIX), settings)
    finally:
        good.close()
        control.close()


def test_real_xvnc_over_tcp_and_unix_on_both_loops(short_path: Path) -> None:
    uvloop = pytest.importorskip("uvloop")
    settings = _settings(allowed_socket_directories=(short_path,))
    with run_xvnc(short_path / "t", tcp=True) as tcp, run_xvnc(short_path / "u") as unix:
        targets = [_target(tcp.port), _target(None, str(unix.socket), address_kind=AddressKind.UNIX)]
        for factory in (None, uvloop.new_event_loop):
            with asyncio.Runner(loop_factory=factory) as runner:
                for target in targets:
                    assert runner.run(_first_bytes(target, settings)) == b"RFB 003.008\n"


def test_allowed_networks_are_read_as_networks() -> None:
    assert _settings(("10.0.0.0/8",)).allowed_networks == (ip_network("10.0.0.0/8"),)
