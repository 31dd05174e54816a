"""The line between a person and the gateway: a TCP forwarder that can break and be mended.

Counterpart: a browser that was told to find the gateway's name at this port. Breaking resets what is open and refuses
what comes, like a router that lost its uplink; `silence` lets the connections stand but carries nothing, like a tunnel.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Final

from common.tasks import TaskScope

_CHUNK: Final = 65_536


class Line:
    """One forwarder. `port` is where to connect."""

    def __init__(self, target_port: int) -> None:
        self.target_port = target_port
        self.port = 0
        self._listener: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()
        self._scope = TaskScope()
        self._carries = asyncio.Event()
        self._carries.set()

    async def mend(self) -> None:
        """Carry again, on the same port as before."""
        self._carries.set()
        if self._listener is None:
            self._listener = await asyncio.start_server(self._accept, "127.0.0.1", self.port, reuse_address=True)
            self.port = self._listener.sockets[0].getsockname()[1]

    async def break_off(self) -> None:
        """Reset every connection and refuse new ones."""
        if self._listener is not None:
            self._listener.close()
            self._listener = None
        for writer in tuple(self._writers):
            writer.transport.abort()

    def silence(self) -> None:
        """Keep the connections but carry nothing until `mend`."""
        self._carries.clear()

    async def close(self) -> None:
        """End it all."""
        await self.break_off()
        await self._scope.close()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        try:
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self.target_port)
        except OSError:
            writer.transport.abort()
            self._writers.discard(writer)
            return
        self._writers.add(far_writer)
        self._scope.spawn(self._carry(reader, far_writer), name="line out")
        self._scope.spawn(self._carry(far_reader, writer), name="line in")

    async def _carry(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while chunk := await source.read(_CHUNK):
                await self._carries.wait()
                sink.write(chunk)
                await sink.drain()
        sink.close()
        self._writers.discard(sink)


@asynccontextmanager
async def run_line(target_port: int) -> AsyncIterator[Line]:
    """A line that works, closed at the end."""
    line = Line(target_port)
    await line.mend()
    try:
        yield line
    finally:
        await line.close()
