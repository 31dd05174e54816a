"""The desktop's side of a session: a byte stream that a connector opened. Counterpart: gateway.relay.

Reads into one buffer that the whole process shares (one per connection would cost a quarter of a megabyte each while
idle), runs the login, then hands what arrives to the relay, of busy targets one in each turn of the event loop. It must
not judge RFB messages: gateway.rfb does.
"""

import asyncio
import ssl
from collections import deque
from collections.abc import Callable
from typing import Final, Protocol, cast

from common.errors import TargetRefused, TargetTimedOut, TargetUnreachable
from gateway.rfb.errors import ProtocolError
from gateway.rfb.handshake import NeedTls, TargetHandshake, TargetLogin
from gateway.rfb.rules import RfbRules
from gateway.rfb.target_filter import MAX_TAIL
from gateway.websocket import MAX_HEADER, limit_socket_buffer

READ_BYTES: Final = 768 * 1024
"""The most that is read at once: fewer, larger reads wake everybody less often. A stalled viewer keeps as much, so this
bounds a session's memory."""
COPIED_READ_BYTES: Final = 256 * 1024
"""The same for a viewer whose transport copies, who keeps up to two of these: the bytes, and what was made of them."""
ROOM: Final = MAX_HEADER + MAX_TAIL
"""Free bytes before each read: the undecided tail and a frame header are put right in front of the new bytes."""
BULK_BYTES: Final = 64 * 1024
"""Who sent as much in one read waits for a turn before the next one."""
SPARE_BUFFERS: Final = 4
"""Kept at most, 3 MiB. As targets are read in turn, even many busy ones seldom need more at a time."""
_MAX_EARLY: Final = 4096


class ReadPool:
    """The process's one read buffer, and a few that came back from transports: fresh memory costs as much as a copy."""

    def __init__(self) -> None:
        self._spare: list[memoryview] = []
        self._use(_fresh())

    def lend(self) -> memoryview:
        """Leave the buffer to a transport that may hold a view of it, and go on with another one. Returns it."""
        lent = self.view
        self._use(self._spare.pop() if self._spare else _fresh())
        return lent

    def take_back(self, lent: memoryview) -> None:
        """Only once the transport has sent everything: what is read next, for anybody, overwrites it."""
        if len(self._spare) < SPARE_BUFFERS:
            self._spare.append(lent)

    def _use(self, view: memoryview) -> None:
        self.view, self.body = view, view[ROOM:]


def _fresh() -> memoryview:
    return memoryview(bytearray(ROOM + READ_BYTES))


POOL: Final = ReadPool()


class Turns:
    """Of the targets that send much, one is read in each turn of the event loop: a key or a small update of somebody
    else then waits for one read, its filter and its write, and not for as many as there are busy targets."""

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._waiting: deque[Callable[[], None]] = deque()

    def wait(self, read_on: Callable[[], None]) -> None:
        """Call it when its turn has come: at the earliest in the next turn of the event loop."""
        loop = asyncio.get_running_loop()
        if loop is not self._loop:
            self._loop, self._waiting = loop, deque()
        self._waiting.append(read_on)
        if len(self._waiting) == 1:
            loop.call_soon(self._next)

    def _next(self) -> None:
        read_on = self._waiting.popleft()
        if self._waiting and self._loop is not None:
            self._loop.call_soon(self._next)
        read_on()


_TURNS: Final = Turns()


class TargetSink(Protocol):
    """Who takes what the target sends; all calls come from the event loop, in order."""

    def target_sent(self, count: int) -> None:
        """`count` bytes stand in POOL.body. The sink must be done with them, or lend the buffer, before it returns."""

    def target_left(self, detail: str) -> None:
        """The target closed or vanished. Called once."""

    def target_blocked(self) -> None:
        """The target does not take its input: send no more."""

    def target_ready(self) -> None:
        """It took all: go on."""


class TargetConnection(asyncio.BufferedProtocol):
    """One target. Give `lambda: target` to a connector's `open`, then await `handshake`.

    It must not inherit asyncio.Protocol too: uvloop would silently fall back to `data_received`.
    After the handshake `width`, `height` are the framebuffer's pixels, and reading is paused until a sink is attached.
    """

    def __init__(self, rules: RfbRules) -> None:
        self.width = 0
        self.height = 0
        self.transport: asyncio.Transport | None = None
        self._rules = rules
        self._login: TargetHandshake | None = None
        self._changed = asyncio.Event()
        self._early = bytearray()
        self._securing = False
        self._sink: TargetSink | None = None
        self._held = True
        self._waits = False
        self._most = COPIED_READ_BYTES
        self._lost: str | None = None

    async def handshake(
        self,
        login: TargetLogin,
        *,
        tls: ssl.SSLContext | None = None,
        server_hostname: str | None = None,
        within: float = 10.0,
    ) -> None:
        """Log in. `tls` verifies the target's certificate (VeNCrypt X509), for `server_hostname` if it checks names.

        Raises TargetRefused (login, security type, certificate, not RFB), TargetTimedOut (after `within` seconds) or
        TargetUnreachable (the connection ended); the connection is closed then. `detail` may hold the target's text.
        """
        try:
            async with asyncio.timeout(within):
                await self._converse(login, tls, server_hostname)
        except TimeoutError:
            self.abort()
            raise TargetTimedOut(f"no rfb handshake within {within:g} s") from None
        except BaseException:
            self.abort()
            raise

    async def _converse(self, login: TargetLogin, tls: ssl.SSLContext | None, hostname: str | None) -> None:
        talk = self._login = TargetHandshake(login, self._rules)
        self._take_early()
        while not talk.done:
            if talk.error is not None:
                raise TargetRefused(_explain(talk.error)) from talk.error
            if talk.need_tls is not None:
                await self._start_tls(talk.need_tls, tls, hostname)
                self._write(talk.tls_started())
                self._take_early()
                continue
            if self._lost is not None:
                raise TargetUnreachable(self._lost)
            self._changed.clear()
            await self._changed.wait()
        self._login = None
        self._early += talk.rest
        self.width, self.height = talk.width, talk.height

    async def _start_tls(self, need: NeedTls, tls: ssl.SSLContext | None, hostname: str | None) -> None:
        context = _anonymous_context() if need.anonymous else tls
        if context is None:
            raise TargetRefused("target wants x509 tls and no trusted certificate is configured")
        if self.transport is None or self.transport.is_closing():
            raise TargetUnreachable("target closed before tls")
        loop = asyncio.get_running_loop()
        # From here on only decrypted bytes can arrive, maybe before start_tls returns; clear ones were refused before.
        self._securing = True
        try:
            secured = await loop.start_tls(self.transport, self, context, server_hostname=hostname)
        except ssl.SSLError as error:
            raise TargetRefused(f"tls with the target failed: {error}") from error
        except OSError as error:
            raise TargetUnreachable(f"tls with the target broke off: {error}") from error
        if secured is None:
            raise TargetUnreachable("target closed during tls")
        self.transport = secured
        self._securing = False

    def attach(self, sink: TargetSink, *, most: int = COPIED_READ_BYTES) -> None:
        """Hand over to the relay, at most `most` bytes at once; reading starts at `resume`."""
        self._sink, self._most = sink, most
        if self._lost is not None:
            sink.target_left(self._lost)

    def resume(self) -> None:
        """Read on: the viewer takes what we send."""
        self._held = False
        if self._early:
            count = len(self._early)
            POOL.body[:count] = self._early
            self._early.clear()
            if self._sink is not None:
                self._sink.target_sent(count)
        if not self._waits:
            self._read_on()

    def hold(self) -> None:
        """Stop reading: the viewer does not keep up, or the session is over."""
        self._held = True
        if self.transport is not None and not self.transport.is_closing():
            self.transport.pause_reading()

    def write(self, message: bytes) -> None:
        """Send toward the desktop."""
        self._write(message)

    def close(self) -> None:
        """End the stream; what was written still goes out."""
        if self.transport is not None:
            self.transport.close()

    def abort(self) -> None:
        """End the stream at once."""
        if self.transport is not None:
            self.transport.abort()

    # asyncio calls

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        limit_socket_buffer(transport, sending=False)

    def get_buffer(self, sizehint: int) -> memoryview:
        return POOL.body[: self._most]

    def buffer_updated(self, count: int) -> None:
        sink = self._sink
        if sink is None:
            self._advance(bytes(POOL.body[:count]))
            return
        if count >= BULK_BYTES and not self._waits and self.transport is not None:
            # Also without others: libuv would read a busy socket 32 times before it looks at any other.
            self._waits = True
            if not self.transport.is_closing():
                self.transport.pause_reading()
            _TURNS.wait(self._turn)
        sink.target_sent(count)

    def eof_received(self) -> bool:
        return False  # the transport closes itself

    def connection_lost(self, exc: Exception | None) -> None:
        self._lost = "target closed the connection" if exc is None else f"connection to the target broke: {exc}"
        self._changed.set()
        if self._sink is not None:
            self._sink.target_left(self._lost)

    def pause_writing(self) -> None:
        if self._sink is not None:
            self._sink.target_blocked()

    def resume_writing(self) -> None:
        if self._sink is not None:
            self._sink.target_ready()

    def _turn(self) -> None:
        self._waits = False
        self._read_on()

    def _read_on(self) -> None:
        if not self._held and self.transport is not None and not self.transport.is_closing():
            self.transport.resume_reading()

    def _advance(self, chunk: bytes) -> None:
        """Bytes while no sink is there: the login's, or a target that speaks too early or too much."""
        talk = self._login
        if talk is None or self._securing:
            self._early += chunk
            if len(self._early) > _MAX_EARLY:
                self.hold()
            return
        self._write(talk.feed(chunk))
        if talk.done:
            self.hold()
        self._changed.set()

    def _take_early(self) -> None:
        early = bytes(self._early)
        self._early.clear()
        self._advance(early)

    def _write(self, message: bytes) -> None:
        if message and self.transport is not None and not self.transport.is_closing():
            self.transport.write(message)


def _explain(error: ProtocolError) -> str:
    detail = getattr(error, "detail", "")
    return f"{error.reason}: {detail!r:.300}" if detail else error.reason


def _anonymous_context() -> ssl.SSLContext:
    """For VeNCrypt TLS*: encrypted, with nobody's identity proved. Only reached when the login allows it."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers("ADH:AECDH:@SECLEVEL=0")
    return context
