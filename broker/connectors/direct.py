"""Connects to a static target: TCP, TLS from the first byte, or a unix socket.

A name is resolved once; each address is checked by `broker/addresses.py`; the connection goes to the checked address.
Unix sockets must lie, after links are followed, in a directory that the operator listed. Nothing here reads or writes a
byte of the stream.
"""

import asyncio
import socket
import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from ipaddress import ip_address
from pathlib import Path
from typing import Final, cast

from broker.addresses import Address, AddressPolicy, parse_host
from broker.connectors.base import ProtocolFactory
from broker.models import AddressKind, StaticTarget
from broker.settings import TargetSettings
from common.errors import TargetRefused, TargetTimedOut, TargetUnreachable
from common.log import get_logger

_KEEPALIVE_IDLE_SECONDS: Final = 30
_KEEPALIVE_PROBES: Final = 4
_UNACKNOWLEDGED_MS: Final = 60_000
_log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class DirectConnector:
    """One static target under the operator's rules."""

    target: StaticTarget
    settings: TargetSettings

    async def open(self, protocol_factory: ProtocolFactory) -> asyncio.Transport:
        """See `Connector.open`."""
        try:
            async with asyncio.timeout(self.settings.connect_seconds):
                if self.target.address_kind is AddressKind.UNIX:
                    return await self._open_unix(protocol_factory)
                return await self._open_network(protocol_factory)
        except TimeoutError as error:
            raise TargetTimedOut(f"{self.target.id}: no connection in time") from error
        except ssl.SSLError as error:
            raise TargetRefused(f"{self.target.id}: TLS: {error.reason or error}") from error
        except OSError as error:
            raise TargetUnreachable(f"{self.target.id}: {error.strerror or type(error).__name__}") from error

    async def _open_unix(self, protocol_factory: ProtocolFactory) -> asyncio.Transport:
        # The real path is looked up off the loop (it touches the disk) and then used, so a link changed afterwards
        # leads nowhere else.
        path = await asyncio.to_thread(_real_socket, Path(self.target.host), self.settings.allowed_socket_directories)
        if path is None:
            raise TargetUnreachable(f"{self.target.id}: socket is not in an allowed directory")
        transport, _ = await asyncio.get_running_loop().create_unix_connection(protocol_factory, str(path))
        return transport

    async def _open_network(self, protocol_factory: ProtocolFactory) -> asyncio.Transport:
        context = (
            await asyncio.to_thread(_tls_context, self.target) if self.target.address_kind is AddressKind.TLS else None
        )
        connected = await self._connect()
        try:
            transport, _ = await asyncio.get_running_loop().create_connection(
                protocol_factory,
                sock=connected,
                ssl=context,
                server_hostname=(self.target.tls_name or self.target.host) if context else None,
            )
        except BaseException:
            connected.close()
            raise
        return transport

    async def _connect(self) -> socket.socket:
        """A connected socket to the first address that is allowed and answers."""
        addresses = await self._addresses()
        failure: OSError | None = None
        for address in addresses:
            try:
                return await _connect_to(address, self._port())
            except OSError as error:
                failure = error
        raise failure or OSError("no address")

    async def _addresses(self) -> Sequence[Address]:
        try:
            host = parse_host(self.target.host)
        except ValueError as error:
            raise TargetUnreachable(f"{self.target.id}: host is {error}") from error
        found = [host] if not isinstance(host, str) else await _resolve(host, self._port())
        policy = AddressPolicy(self.settings.allowed_networks)
        allowed: list[Address] = []
        for address in found:
            refused = policy.refusal(address, own=is_own_address(address))
            if refused is None:
                allowed.append(address)
            else:
                _log.warning("address refused", desktop_id=self.target.id, address=str(address), reason=refused)
        if not allowed:
            raise TargetUnreachable(f"{self.target.id}: no allowed address among {len(found)}")
        return allowed

    def _port(self) -> int:
        if self.target.port is None:
            raise TargetUnreachable(f"{self.target.id}: no port")
        return self.target.port


async def _resolve(name: str, port: int) -> list[Address]:
    """All addresses of a name, once, in the resolver's order."""
    loop = asyncio.get_running_loop()
    try:
        answers = await loop.getaddrinfo(name, port, type=socket.SOCK_STREAM)
    except socket.gaierror as error:
        raise TargetUnreachable(f"name {name}: {error.strerror}") from error
    return list(dict.fromkeys(ip_address(str(answer[4][0])) for answer in answers))


async def _connect_to(address: Address, port: int) -> socket.socket:
    family = socket.AF_INET if address.version == 4 else socket.AF_INET6
    opened = socket.socket(family, socket.SOCK_STREAM | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC)
    try:
        # A target that lost its power must be noticed although nobody types.
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, _KEEPALIVE_IDLE_SECONDS)
        opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, _KEEPALIVE_IDLE_SECONDS // 3)
        opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT, _KEEPALIVE_PROBES)
        opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, _UNACKNOWLEDGED_MS)
        opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        await asyncio.get_running_loop().sock_connect(opened, (str(address), port))
    except BaseException:
        opened.close()
        raise
    return opened


def is_own_address(address: Address) -> bool:
    """Whether a packet to this address would stay on this machine.

    Connecting a datagram socket sends nothing; it asks the kernel's routing table, and for one of the machine's own
    addresses the kernel picks that very address as the source.
    """
    mapped = address.ipv4_mapped if address.version == 6 else None
    asked = mapped or address
    family = socket.AF_INET if asked.version == 4 else socket.AF_INET6
    with socket.socket(family, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as probe:
        try:
            probe.connect((str(asked), 9))
        except OSError:
            return False  # no route: the connection will fail as well
        source = cast("str", probe.getsockname()[0])
    return ip_address(source.partition("%")[0]) == asked


def _real_socket(path: Path, allowed: Sequence[Path]) -> Path | None:
    """The path with all links followed, when it lies in an allowed directory."""
    if not path.is_absolute():
        return None
    real = path.resolve()
    return real if any(real.is_relative_to(directory.resolve()) for directory in allowed) else None


def _tls_context(target: StaticTarget) -> ssl.SSLContext:
    """TLS 1.2 or newer, the target's own CA when it has one, else the machine's."""
    make = partial(ssl.create_default_context, ssl.Purpose.SERVER_AUTH)
    context = make() if target.ca_pem is None else make(cadata=target.ca_pem)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context
