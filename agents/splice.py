"""Two sockets become one stream: bytes both ways with back-pressure. Counterpart: `agents.control` after "open".

Holds at most `LIMIT` bytes per direction: a side that stops reading stops the other side's sending, not the agent.
It never looks at the bytes: the gateway's filter does.
"""

from __future__ import annotations

import asyncio
import socket
from typing import Final

_READ: Final = 64 * 1024
LIMIT: Final = 256 * 1024
"""Most bytes held per direction: high-water mark plus one read."""


class _End(asyncio.BufferedProtocol):
    """One of the two sides."""

    def __init__(self, over: asyncio.Future[None]) -> None:
        self.transport: asyncio.Transport | None = None
        self._early = bytearray()
        self._other: asyncio.Transport | None = None
        self._buffer = bytearray(_READ)
        self._over = over

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 - narrows what asyncio promises for stream sockets
        self.transport = transport
        transport.set_write_buffer_limits(high=LIMIT - _READ, low=_READ)
        transport.pause_reading()

    @property
    def other(self) -> asyncio.Transport | None:
        """Where this side's bytes go."""
        return self._other

    def join(self, other: asyncio.Transport) -> None:
        """Begin to pass bytes to the other side, first of all those that came before it was there.

        Python before 3.11.4 starts to read after `connection_made` although that paused reading.
        """
        self._other = other
        other.write(bytes(self._early))
        self._early.clear()

    def get_buffer(self, sizehint: int) -> bytearray:
        del sizehint
        return self._buffer

    def buffer_updated(self, nbytes: int) -> None:
        if self._other is None:
            self._early += self._buffer[:nbytes]
        else:
            # A copy: newer asyncio keeps what it cannot send at once by reference, and the buffer is used again.
            self._other.write(bytes(memoryview(self._buffer)[:nbytes]))

    def pause_writing(self) -> None:
        if self.other is not None:
            self.other.pause_reading()

    def resume_writing(self) -> None:
        if self.other is not None and not self.other.is_closing():
            self.other.resume_reading()

    def eof_received(self) -> bool:
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        del exc
        if not self._over.done():
            self._over.set_result(None)


async def splice(one: socket.socket, two: socket.socket, *, first: bytes = b"") -> None:
    """Pass bytes between two connected sockets until either side ends. `first` goes to `two` before anything else.

    Takes both sockets over: they are detached from the caller's objects and closed here, after what was read is sent.
    """
    loop = asyncio.get_running_loop()
    over: asyncio.Future[None] = loop.create_future()
    transports: list[asyncio.Transport] = []
    try:
        ends = [_End(over), _End(over)]
        for end, given in zip(ends, (one, two), strict=True):
            sock = socket.socket(fileno=given.detach())
            transport, _ = await loop.connect_accepted_socket(lambda end=end: end, sock)  # type: ignore[misc]
            transports.append(transport)
        if first:
            transports[1].write(first)
        ends[0].join(transports[1])
        ends[1].join(transports[0])
        for transport in transports:
            transport.resume_reading()
        await over
    finally:
        for transport in transports:
            # What was read is still sent; a side that does not take it is cut.
            transport.close()
        await asyncio.sleep(0)
        for transport in transports:
            if transport.get_write_buffer_size():
                loop.call_later(2.0, transport.abort)
