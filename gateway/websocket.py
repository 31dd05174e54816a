"""The browser's side of a session: one WebSocket over a connection that aiohttp accepted. Counterpart: gateway.relay.

aiohttp reads the request and writes the 101; then this protocol takes over the transport (`set_protocol`), because the
relay needs what aiohttp keeps private: the pause and resume callbacks of the write side. Frames are parsed and control
frames answered by the `websockets` library's sans-I/O protocol; only outgoing binary frames are built here, in place.
It must not look at RFB bytes, and it holds none.
"""

import asyncio
import logging
import socket
from typing import Final, Protocol

from aiohttp import web
from websockets.datastructures import Headers
from websockets.frames import Frame, Opcode
from websockets.http11 import Request
from websockets.protocol import State
from websockets.server import ServerProtocol
from websockets.typing import Subprotocol

SUBPROTOCOL: Final = "binary"
MAX_MESSAGE: Final = 16 * 1024
"""Largest message of a viewer; noVNC sends at most 10 KiB at once. Fragments count together."""
PIECE_BYTES: Final = 4 * 1024
TURN_SECONDS: Final = 0.005
REST_FACTOR: Final = 4
"""A viewer's bytes are taken in pieces; after a turn this long it rests that many times as long. An honest viewer needs
microseconds; one that floods with what is dear to check would otherwise keep all others from their desktops."""
MAX_HEADER: Final = 10
"""Bytes to keep free in front of a payload for `frame_header`."""
TLS_HIGH_WATER: Final = 64 * 1024
SOCKET_BUFFER: Final = 512 * 1024
INBOX_BYTES: Final = 32 * 1024
"""What the kernel, and again TLS, should keep of what a viewer says; without it they keep up to 512 KiB each."""
_READ: Final = memoryview(bytearray(INBOX_BYTES))  # of all viewers: emptied at once
_PONG: Final = 0x8A

# Not in the logging tree: at DEBUG the library would write every frame, that is every key, to the log.
_FRAME_LOG: Final = logging.Logger("gateway.websocket.frames", logging.ERROR)


class ViewerSink(Protocol):
    """Who takes what the viewer sends; all calls come from the event loop, in order."""

    def viewer_sent(self, piece: bytes) -> None:
        """Payload of one binary frame, unmasked; pieces have no meaning, RFB is a stream."""

    def viewer_left(self, detail: str) -> None:
        """The viewer closed, vanished or broke WebSocket rules. Called once."""

    def viewer_blocked(self) -> None:
        """Bytes wait that the viewer does not take: write no more."""

    def viewer_ready(self) -> None:
        """All was taken: go on."""


def frame_header(length: int) -> bytes:
    """The 2, 4 or 10 bytes before an unmasked, unfragmented binary frame (RFC 6455 5.2)."""
    if length < 126:
        return bytes((0x82, length))
    if length < 65536:
        return b"\x82\x7e" + length.to_bytes(2, "big")
    return b"\x82\x7f" + length.to_bytes(8, "big")


async def accept_viewer(request: web.Request) -> "ViewerConnection":
    """Answer the upgrade request with 101 and take the connection over; reading stays paused until a sink is set.

    After this no HTTP answer is possible: refuse with `ViewerConnection.close(code, reason)`, which the page can read
    (a browser hides the status of a failed upgrade). The handler must return `ViewerConnection.response`.
    Raises an aiohttp HTTPException for a request that is no proper WebSocket upgrade offering "binary".
    """
    opening = ServerProtocol(subprotocols=[Subprotocol(SUBPROTOCOL)], logger=_FRAME_LOG)
    answer = opening.accept(Request(request.path, Headers(list(request.headers.items())), request.method))
    if answer.status_code != 101:
        raise web.HTTPBadRequest(text="not a websocket upgrade\n")
    # aiohttp writes the answer, with its hooks and its access log.
    response = web.StreamResponse(status=101, headers=dict(answer.headers.raw_items()))
    response.force_close()
    transport = request.transport
    if transport is None:
        raise web.HTTPBadRequest(text="connection is gone\n")
    await response.prepare(request)
    request.protocol.keep_alive(False)
    # A second one in the open state: the first would parse the request from the stream, which aiohttp has done.
    frames = ServerProtocol(state=State.OPEN, max_size=MAX_MESSAGE, logger=_FRAME_LOG)
    viewer = ViewerConnection(frames, transport, request.protocol, response)
    transport.set_protocol(viewer)
    transport.pause_reading()
    return viewer


class ViewerConnection(asyncio.BufferedProtocol):
    """One open WebSocket of a browser. `response` is what the aiohttp handler returns at the end.

    Buffered, because TLS transports otherwise take fresh memory of 256 KiB for each key and mouse move. It must not
    inherit asyncio.Protocol too: uvloop would silently fall back to `data_received`.
    """

    def __init__(
        self,
        frames: ServerProtocol,
        transport: asyncio.Transport,
        http: asyncio.Protocol,
        response: web.StreamResponse,
    ) -> None:
        self.transport = transport
        self.response = response
        self.heard = 0
        """Chunks that came in; a watcher compares it to see whether the viewer lives."""
        self._frames = frames
        self._http = http
        self._sink: ViewerSink | None = None
        self._inbox = bytearray()
        self._rest: asyncio.TimerHandle | None = None
        self._held = True
        self._blocked = False
        self._left = False
        self._lost = asyncio.get_running_loop().create_future()
        # A high-water mark of 0 never resumes on TLS transports (measured on asyncio and uvloop).
        self.secure = transport.get_extra_info("sslcontext") is not None
        """Whether it came by TLS, which ends here."""
        self.copies = self.secure or isinstance(transport, asyncio.Transport)
        """Whether the transport copies what it cannot send: TLS and the standard event loop do, uvloop keeps a view."""
        transport.set_write_buffer_limits(high=TLS_HIGH_WATER if self.secure else 0)
        limit_socket_buffer(transport, sending=True)
        limit_socket_buffer(transport, INBOX_BYTES, sending=False)
        if self.secure:
            transport.set_read_buffer_limits(high=INBOX_BYTES)  # type: ignore[attr-defined]  # only TLS transports

    def attach(self, sink: ViewerSink) -> None:
        """Start reading for this sink."""
        self._sink = sink
        if self.transport.is_closing():
            self._leave("viewer is gone")
        else:
            self.resume()

    def hold(self) -> None:
        """Stop reading: what the viewer says cannot be passed on now."""
        self._held = True
        self._read_or_not()

    def resume(self) -> None:
        """Read on."""
        self._held = False
        self._read_or_not()

    @property
    def open(self) -> bool:
        """Whether frames may still be sent."""
        return self._frames.state is State.OPEN and not self.transport.is_closing()

    def send(self, payload: bytes) -> None:
        """Send one binary frame. For the bulk the relay writes in place instead, see `frame_header`."""
        if self.open:
            self.transport.write(frame_header(len(payload)) + payload)

    def ping(self) -> None:
        """Ask for a sign of life (RFC 6455 5.5.2)."""
        if self.open and not self._blocked:
            self._frames.send_ping(b"")
            self._flush()

    def send_close(self, code: int, reason: str) -> None:
        """Begin the closing handshake; at most one close frame is ever sent. `reason` is cut to what fits a frame."""
        if self.open:
            self._frames.send_close(code, reason.encode()[:120].decode(errors="ignore"))
            self._flush()

    async def close(self, code: int, reason: str, *, within: float = 3.0) -> None:
        """Close with that code, wait for the viewer's answer and the end of the connection, cut it after `within` s."""
        self.send_close(code, reason)
        self.resume()
        try:
            async with asyncio.timeout(within):
                await asyncio.shield(self._lost)
        except TimeoutError:
            self.transport.abort()
            await self._lost
        except asyncio.CancelledError:
            self.transport.abort()
            raise

    def get_buffer(self, sizehint: int) -> memoryview:
        return _READ

    def buffer_updated(self, count: int) -> None:
        self.heard += 1
        self._inbox += _READ[:count]
        if self._rest is None:
            self._work()

    def _work(self) -> None:
        """Take what came in, a turn at a time; meanwhile nothing more is read, so little can pile up."""
        loop = asyncio.get_running_loop()
        rested, self._rest = self._rest is not None, None
        began = loop.time()
        while self._inbox:
            piece = bytes(self._inbox[:PIECE_BYTES])
            del self._inbox[:PIECE_BYTES]
            self._take(piece)
            spent = loop.time() - began
            if spent > TURN_SECONDS:
                self._rest = loop.call_later(spent * REST_FACTOR, self._work)
                break
        if rested or self._rest is not None:
            self._read_or_not()

    def _read_or_not(self) -> None:
        if self.transport.is_closing():
            return
        if self._held or self._rest is not None:
            self.transport.pause_reading()
        else:
            self.transport.resume_reading()

    def _take(self, piece: bytes) -> None:
        frames = self._frames
        frames.receive_data(piece)
        for frame in frames.events_received():
            if not isinstance(frame, Frame) or self._left:
                continue
            if frame.opcode is Opcode.BINARY or frame.opcode is Opcode.CONT:
                if self._sink is not None:
                    self._sink.viewer_sent(bytes(frame.data))
            elif frame.opcode is Opcode.TEXT:
                self.send_close(1003, "binary_only")
                self._leave("viewer sent text")
        self._flush()
        if frames.parser_exc is not None:
            self._leave("viewer broke the websocket rules")
        elif frames.close_rcvd is not None:
            self._leave(f"viewer closed with {frames.close_rcvd.code}")

    def eof_received(self) -> bool:
        return False  # the transport closes itself

    def connection_lost(self, exc: Exception | None) -> None:
        self._http.connection_lost(exc)  # aiohttp's own book-keeping ends here
        if self._rest is not None:
            self._rest.cancel()
        if not self._lost.done():
            self._lost.set_result(None)
        self._leave("viewer's connection was lost")

    def pause_writing(self) -> None:
        self._blocked = True
        if self._sink is not None:
            self._sink.viewer_blocked()

    def resume_writing(self) -> None:
        self._blocked = False
        if self._sink is not None:
            self._sink.viewer_ready()

    def _leave(self, detail: str) -> None:
        if not self._left:
            self._left = True
            if self._sink is not None:
                self._sink.viewer_left(detail)

    def _flush(self) -> None:
        """Write what the library has to say. A viewer that takes nothing gets no pongs, so pings cannot fill memory."""
        for piece in self._frames.data_to_send():
            if not piece:
                if not self.transport.is_closing():  # Python 3.11.2: closed twice, TLS cannot be aborted any more
                    self.transport.close()
            elif not (self._blocked and piece[0] == _PONG):
                self.transport.write(piece)


def limit_socket_buffer(transport: asyncio.BaseTransport, size: int = SOCKET_BUFFER, *, sending: bool) -> None:
    """Keep the kernel's share small too: what waits there is neither fresh nor ours to count."""
    sock = transport.get_extra_info("socket")
    if sock is not None:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF if sending else socket.SO_RCVBUF, size)
