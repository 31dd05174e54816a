"""TLS for libldap, made by Python: a loop in a thread dials, does StartTLS and TLS, and pumps bytes to a socketpair.

Counterpart: `auth/ldap_pool.py` gives the socketpair's other end to libldap. Debian's libldap is linked to GnuTLS,
whose handshake hangs for ever on a directory that accepts and says nothing; here every dial has one deadline, and a
wrong certificate says what is wrong with it. There is no way to skip verification. libldap must never be told
`ldaps://`: with a ready descriptor it would do no TLS and send passwords in clear.
"""

import asyncio
import ipaddress
import socket
import ssl
import threading
from concurrent.futures import CancelledError, ThreadPoolExecutor
from typing import Final, cast

from auth.ldap_wire import (
    HEADER_BYTES,
    STARTTLS_REQUEST,
    WireError,
    body_length,
    length_bytes,
    starttls_result,
)
from auth.settings import LdapEndpoint, LdapSettings
from common.errors import ConfigError

_CLOSE_SECONDS: Final = 1.0
"""How long a polite end of TLS may take before the connection is torn down."""


class ConnectFailed(Exception):
    """No usable connection to this directory server; the text says why, in an administrator's words.

    `silent`: nothing came back from the other end, so nobody is there. A wrong certificate or a refusal is an answer.
    """

    def __init__(self, text: str, *, silent: bool = False) -> None:
        super().__init__(text)
        self.silent = silent


def client_context(settings: LdapSettings) -> ssl.SSLContext:
    """TLS 1.2 or newer, always verifying chain and name. Raises ConfigError naming the unreadable file."""
    try:
        context = ssl.create_default_context(cafile=settings.ca_file)
    except (OSError, ssl.SSLError) as error:
        raise ConfigError(f"auth.ldap.ca_file {settings.ca_file}: {error}") from error
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if settings.client_certificate_file is not None:
        try:
            context.load_cert_chain(settings.client_certificate_file)
        except (OSError, ssl.SSLError) as error:
            raise ConfigError(
                f"auth.ldap.client_certificate_file {settings.client_certificate_file}: {error}"
            ) from error
    return context


class TlsPump:
    """Opens protected connections for worker threads. One loop, one thread, no descriptor left behind."""

    def __init__(self, context: ssl.SSLContext, *, plain_on_loopback: bool = False) -> None:
        self._context = context
        self._plain_on_loopback = plain_on_loopback
        self._closing = False
        self._loop = asyncio.SelectorEventLoop()
        self._resolver = ThreadPoolExecutor(2, "ldap-dns")  # names may hang too; never the process's default threads
        self._loop.set_default_executor(self._resolver)
        self._sides: set[_Side] = set()
        self._thread = threading.Thread(target=self._loop.run_forever, name="ldap-tls", daemon=True)
        self._thread.start()

    def connect(self, endpoint: LdapEndpoint, timeout: float) -> socket.socket:
        """Our end of a socketpair whose bytes go through TLS to the directory. Blocks a worker thread.

        Raises ConnectFailed, at the latest after `timeout` seconds.
        """
        if self._closing:
            raise ConnectFailed("the directory client is closed")
        future = asyncio.run_coroutine_threadsafe(self._connect(endpoint, timeout), self._loop)
        try:
            return future.result()
        except CancelledError as error:
            raise ConnectFailed("the directory client is closing") from error

    def close(self) -> None:
        """Tear down all connections and end the thread; whoever still dials gets ConnectFailed."""
        if self._closing:
            return
        self._closing = True
        asyncio.run_coroutine_threadsafe(self._abort_all(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
        self._resolver.shutdown(wait=False, cancel_futures=True)

    async def _abort_all(self) -> None:
        dialling = asyncio.all_tasks() - {cast(asyncio.Task[None], asyncio.current_task())}
        for task in dialling:
            task.cancel()
        await asyncio.gather(*dialling, return_exceptions=True)
        sides = tuple(self._sides)
        for side in sides:
            side.abort()
        for side in sides:
            await side.lost.wait()

    async def _connect(self, endpoint: LdapEndpoint, timeout: float) -> socket.socket:
        where = endpoint.security
        try:
            async with asyncio.timeout(timeout):
                dialled = await self._dial(endpoint, timeout)
                return await self._join(dialled, endpoint)
        except TimeoutError as error:
            raise ConnectFailed(f"{where}: no answer in {timeout:.1f} s", silent=True) from error
        except ssl.SSLCertVerificationError as error:
            raise ConnectFailed(f"{where}: certificate refused: {error.verify_message}") from error
        except ssl.SSLError as error:
            closed = isinstance(error, ssl.SSLEOFError)  # a balancer in front of nothing takes the call and hangs up
            raise ConnectFailed(f"{where}: TLS failed: {error.reason or error}", silent=closed) from error
        except WireError as error:
            raise ConnectFailed(f"{where}: {error}") from error
        except (OSError, EOFError) as error:
            raise ConnectFailed(f"{where}: {error}", silent=True) from error

    async def _dial(self, endpoint: LdapEndpoint, timeout: float) -> socket.socket:
        """A TCP connection on which TLS may start, from the first address that answers."""
        found = await self._loop.getaddrinfo(endpoint.host, endpoint.port, type=socket.SOCK_STREAM)
        for place, (family, _type, protocol, _name, address) in enumerate(found):
            if endpoint.security == "plain":
                self._check_plain(str(address[0]))
            dialled = socket.socket(family, socket.SOCK_STREAM, protocol)
            try:
                dialled.setblocking(False)
                share = timeout / (len(found) - place + 1) if place + 1 < len(found) else timeout
                async with asyncio.timeout(share):
                    await self._loop.sock_connect(dialled, address)
                dialled.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                if endpoint.security == "starttls":
                    await self._starttls(dialled)
                return dialled
            except (OSError, TimeoutError):
                dialled.close()
                if place + 1 == len(found):
                    raise
            except BaseException:
                dialled.close()
                raise
        raise ConnectFailed(f"{endpoint.host}: no address", silent=True)

    def _check_plain(self, address: str) -> None:
        if not self._plain_on_loopback or not ipaddress.ip_address(address.partition("%")[0]).is_loopback:
            raise ConnectFailed(f"{address}: unprotected LDAP is refused (only for loopback tests)")

    async def _starttls(self, dialled: socket.socket) -> None:
        """Ask for TLS. Reads not one byte beyond the answer, so nothing slipped in before TLS is believed after it."""
        await self._loop.sock_sendall(dialled, STARTTLS_REQUEST)
        header = await self._exactly(dialled, HEADER_BYTES)
        try:
            more = await self._exactly(dialled, length_bytes(header))
            body = await self._exactly(dialled, body_length(header, more))
        except EOFError as error:
            raise WireError("connection closed in the middle of the answer") from error
        code, text = starttls_result(body)
        if code != 0:
            raise ConnectFailed(f"StartTLS refused with code {code}: {text}")

    async def _exactly(self, dialled: socket.socket, count: int) -> bytes:
        received = b""
        while len(received) < count:
            chunk = await self._loop.sock_recv(dialled, count - len(received))
            if not chunk:
                raise EOFError("connection closed during StartTLS")
            received += chunk
        return received

    async def _join(self, dialled: socket.socket, endpoint: LdapEndpoint) -> socket.socket:
        """TLS on the dialled side, a socketpair on the other, both linked. The result is libldap's end."""
        near, ours = socket.socketpair()
        ours.setblocking(False)  # libldap then waits by poll with its timeout, also inside half a message
        local, remote = _Side(self._sides), _Side(self._sides)
        local.other, remote.other = remote, local
        try:
            await self._loop.create_connection(lambda: local, sock=near)
            tls = None if endpoint.security == "plain" else self._context
            await self._loop.create_connection(
                lambda: remote,
                sock=dialled,
                ssl=tls,
                server_hostname=endpoint.host if tls else None,
                ssl_shutdown_timeout=_CLOSE_SECONDS if tls else None,
            )
        except BaseException:
            local.abort()
            ours.close()
            dialled.close()
            raise
        return ours


class _Side(asyncio.Protocol):
    """One end of the pump: what it receives goes to the other side, with back-pressure; ends together with it."""

    def __init__(self, sides: "set[_Side]") -> None:
        self._sides = sides
        self.transport: asyncio.Transport | None = None
        self.other: _Side | None = None
        self.lost = asyncio.Event()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        self._sides.add(self)

    def data_received(self, data: bytes) -> None:
        if (onward := self._onward()) is not None and not onward.is_closing():
            onward.write(data)

    def pause_writing(self) -> None:
        if (onward := self._onward()) is not None:
            onward.pause_reading()

    def resume_writing(self) -> None:
        if (onward := self._onward()) is not None:
            onward.resume_reading()

    def connection_lost(self, exc: Exception | None) -> None:
        self._sides.discard(self)
        self.lost.set()
        # Python 3.11.2: a TLS transport that is closed once too often forgets its protocol, and cannot be aborted then.
        if (onward := self._onward()) is not None and not onward.is_closing():
            onward.close()

    def abort(self) -> None:
        if self.transport is not None:
            self.transport.abort()

    def _onward(self) -> asyncio.Transport | None:
        return self.other.transport if self.other is not None else None
