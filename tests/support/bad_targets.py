"""Targets that no operator would want: slow, silent, lying, endless. Counterpart: tests of handshake and relay.

Each is a function for `serve`; it gets the connection's streams and misbehaves until it is cancelled or done.
"""

import asyncio
import secrets
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

Behaviour = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]

PIXEL_FORMAT = struct.pack(">BBBBHHHBBBxxx", 32, 24, 0, 1, 255, 255, 255, 0, 8, 16)


@asynccontextmanager
async def serve(behaviour: Behaviour) -> AsyncIterator[int]:
    """Listen on a loopback port (given) and behave so toward each connection."""
    running: set[asyncio.Task[None]] = set()

    async def connection(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        running.add(task)
        try:
            with suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
                await behaviour(reader, writer)
        finally:
            running.discard(task)
            writer.close()

    server = await asyncio.start_server(connection, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for task in list(running):
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
        await server.wait_closed()


async def open_session(
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    width: int = 640,
    height: int = 480,
    name: bytes = b"bad",
) -> None:
    """A proper 3.8 opening without security, up to ServerInit."""
    writer.write(b"RFB 003.008\n")
    await reader.readexactly(12)
    writer.write(b"\1\1")
    await reader.readexactly(1)
    writer.write(b"\0\0\0\0")
    await reader.readexactly(1)
    writer.write(struct.pack(">HH", width, height) + PIXEL_FORMAT + struct.pack(">I", len(name)) + name)
    await reader.readexactly(20)  # SetPixelFormat


def says(stream: bytes, *, then_close: bool = False) -> Behaviour:
    """Opens properly, sends exactly these bytes, then reads on (or closes)."""

    async def behaviour(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await open_session(reader, writer)
        writer.write(stream)
        await writer.drain()
        if not then_close:
            while await reader.read(65536):
                pass

    return behaviour


def opens_with(stream: bytes) -> Behaviour:
    """Sends these bytes instead of a handshake, then reads on."""

    async def behaviour(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(stream)
        while await reader.read(65536):
            pass

    return behaviour


async def never(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Accepts and stays silent."""
    while await reader.read(65536):
        pass


async def slow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """One byte of a proper version line every 50 ms, again and again."""
    while True:
        for byte in b"RFB 003.008\n":
            writer.write(bytes((byte,)))
            await writer.drain()
            await asyncio.sleep(0.05)


async def garbage(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Random bytes as fast as they are taken."""
    while True:
        writer.write(secrets.token_bytes(65536))
        await writer.drain()


async def deaf(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Opens properly, then never reads again."""
    await open_session(reader, writer)
    writer.write(b"\2")
    await asyncio.Event().wait()


def flood(rectangle_bytes: int = 400) -> Behaviour:
    """Opens properly, then sends raw rectangles without end, as fast as they are taken."""

    async def behaviour(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await open_session(reader, writer)
        width = rectangle_bytes // 4
        update = struct.pack(">BxHHHHHi", 0, 1, 0, 0, width, 1, 0) + b"p" * width * 4
        chunk = update * max(1, 262_144 // len(update))
        while True:
            writer.write(chunk)
            await writer.drain()

    return behaviour


def drip(stream: bytes, seconds: float) -> Behaviour:
    """Opens properly, then sends one byte of the stream every `seconds`."""

    async def behaviour(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await open_session(reader, writer)
        for byte in stream:
            writer.write(bytes((byte,)))
            await asyncio.sleep(seconds)
        await asyncio.Event().wait()

    return behaviour
