"""The two ends of the relay benchmark, each a process of its own. Counterpart: bench/relay.py, which starts them.

`python -m bench.relay_peers target MODE [RECORDING]` is an RFB server that replays: MODE flat (as fast as taken),
paced:BYTES_PER_SECOND, echo (a Bell for each pointer event), idle. It prints its port.
`python -m bench.relay_peers viewers URL COUNT SECONDS MODE [CA]` opens that many viewers and prints one JSON line.
Both speak just enough RFB and WebSocket to keep their own cost out of the picture: payloads are counted, not decoded.
"""

import asyncio
import base64
import json
import os
import ssl
import struct
import sys
import time
from pathlib import Path
from typing import Final, Self, cast
from urllib.parse import urlsplit

import uvloop

SLICE: Final = 256 * 1024
TICK: Final = 0.02
INIT: Final = struct.pack(">HH", 1280, 800) + bytes((32, 24, 0, 1, 0, 255, 0, 255, 0, 255, 0, 8, 16, 0, 0, 0))
POINTER: Final = struct.pack(">BBHH", 5, 0, 1, 1)
ENCODINGS: Final = (1, 7, 16, 0, -26, -254, -223, -224, -258, -261, -308, -312, -313, -239)
OPENING: Final = b"RFB 003.008\n\1\1" + struct.pack(f">BxH{len(ENCODINGS)}i", 2, len(ENCODINGS), *ENCODINGS)


class Target(asyncio.Protocol):
    """One replaying connection."""

    def __init__(self, mode: str, stream: bytes) -> None:
        self._mode, _, rate = mode.partition(":")
        self._per_tick = int(float(rate or 0) * TICK)
        self._stream = memoryview(stream)
        self._at = 0
        self._heard = 0
        self._running = False
        self._blocked = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._transport.write(b"RFB 003.008\n")

    def data_received(self, data: bytes) -> None:
        before, self._heard = self._heard, self._heard + len(data)
        for count, answer in ((12, b"\1\1"), (13, b"\0\0\0\0"), (14, INIT + struct.pack(">I", 5) + b"bench")):
            if before < count <= self._heard:
                self._transport.write(answer)
        if self._heard >= 14 and not self._running:
            self._running = True
            if self._mode in ("flat", "paced"):
                self._send()
        elif self._mode == "echo" and len(data) % 6 == 0 and data[0] == 5:
            self._transport.write(b"\2" * (len(data) // 6))

    def pause_writing(self) -> None:
        self._blocked = True

    def resume_writing(self) -> None:
        self._blocked = False
        if self._mode == "flat":
            self._send()

    def _next(self, size: int) -> None:
        while size:
            piece = self._stream[self._at : self._at + size]
            self._transport.write(piece)
            size -= len(piece)
            self._at = (self._at + len(piece)) % len(self._stream)

    def _send(self) -> None:
        if self._transport.is_closing():
            return
        if self._mode == "paced":
            if not self._blocked:
                self._next(self._per_tick)
            asyncio.get_running_loop().call_later(TICK, self._send)
            return
        while not self._blocked and not self._transport.is_closing():
            self._next(SLICE)


class Viewer(asyncio.BufferedProtocol):
    """One counting connection; `ready` is set at the first byte of ServerInit."""

    pool: Final = memoryview(bytearray(1024 * 1024))

    def __init__(self, host: str) -> None:
        self._host = host
        self._http = b""
        self._opened = False
        self.bytes = 0
        self.lost = False
        self.ready = asyncio.Event()
        self.answered: asyncio.Future[None] | None = None

    @classmethod
    async def connect(cls, url: str, tls: ssl.SSLContext | None) -> Self:
        """Open and wait for ServerInit."""
        parts = urlsplit(url)
        viewer = cls(parts.netloc)
        key = base64.b64encode(os.urandom(16)).decode()
        loop = asyncio.get_running_loop()
        await loop.create_connection(lambda: viewer, parts.hostname or "", parts.port or 0, ssl=tls)
        viewer.transport.write(
            f"GET {parts.path or '/'} HTTP/1.1\r\nHost: {parts.netloc}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: binary\r\n\r\n".encode()
        )
        await viewer.ready.wait()
        return viewer

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)

    def send(self, payload: bytes) -> None:
        """One masked frame (mask 0)."""
        self.transport.write(bytes((0x82, 0x80 | len(payload), 0, 0, 0, 0)) + payload)

    def get_buffer(self, sizehint: int) -> memoryview:
        return self.pool

    def buffer_updated(self, count: int) -> None:
        if self._opened:
            self.bytes += count
            if self.answered is not None and not self.answered.done():
                self.answered.set_result(None)
            if not self.ready.is_set() and self.bytes > 40:
                self.ready.set()
            return
        self._http += bytes(self.pool[:count])
        head, end, rest = self._http.partition(b"\r\n\r\n")
        if end:
            self._opened = b" 101 " in head
            self.bytes += len(rest)
            self.send(OPENING)

    def connection_lost(self, exc: Exception | None) -> None:
        self.lost = True
        self.ready.set()
        if self.answered is not None and not self.answered.done():
            self.answered.set_result(None)


async def echo(viewer: Viewer, until: float, latencies: list[float], pause: float) -> None:
    """Pointer event, Bell, again."""
    loop = asyncio.get_running_loop()
    while time.perf_counter() < until and not viewer.lost:
        viewer.answered = loop.create_future()
        start = time.perf_counter()
        viewer.send(POINTER)
        await viewer.answered
        latencies.append(time.perf_counter() - start)
        if pause:
            await asyncio.sleep(pause)


async def churn(url: str, tls: ssl.SSLContext | None, until: float, times: list[float]) -> None:
    """Connect, see ServerInit, leave, again."""
    while time.perf_counter() < until:
        start = time.perf_counter()
        viewer = await Viewer.connect(url, tls)
        if not viewer.lost:
            times.append(time.perf_counter() - start)
        viewer.transport.abort()


def quantile(values: list[float], share: float) -> float:
    """In microseconds; 0 without values."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))] * 1e6 if ordered else 0.0


async def viewers(url: str, count: int, seconds: float, mode: str, authority: str | None) -> dict[str, float]:
    """One scenario: count, wait, sum up."""
    tls = ssl.create_default_context(cafile=authority) if authority else None
    samples: list[float] = []
    if mode == "churn":
        until = time.perf_counter() + seconds
        await asyncio.gather(*(churn(url, tls, until, samples) for _ in range(count)))
        return {"done": len(samples), "p50_us": quantile(samples, 0.5), "p99_us": quantile(samples, 0.99)}
    opened = [await Viewer.connect(url, tls) for _ in range(count)]
    await asyncio.sleep(0.5)  # what was said before the first measured byte is through
    if mode == "stall":
        for viewer in opened:
            viewer.transport.pause_reading()
    print("ready", flush=True)
    before, start = sum(viewer.bytes for viewer in opened), time.perf_counter()
    if mode in ("echo", "echo-paced"):
        pause = 0.02 if mode == "echo-paced" else 0.0
        await asyncio.gather(*(echo(viewer, start + seconds, samples, pause) for viewer in opened))
    else:
        await asyncio.sleep(seconds)
    taken = time.perf_counter() - start
    return {
        "bytes": sum(viewer.bytes for viewer in opened) - before,
        "seconds": taken,
        "lost": sum(viewer.lost for viewer in opened),
        "done": len(samples),
        "p50_us": quantile(samples, 0.5),
        "p99_us": quantile(samples, 0.99),
    }


async def target(mode: str, recording: str | None) -> None:
    """Serve until standard input closes."""
    stream = await asyncio.to_thread(Path(recording).read_bytes) if recording else b"\2"
    server = await asyncio.get_running_loop().create_server(lambda: Target(mode, stream), "127.0.0.1", 0, backlog=1024)
    print(server.sockets[0].getsockname()[1], flush=True)
    await asyncio.to_thread(sys.stdin.read)


def main() -> None:
    """See the module's text."""
    role, *rest = sys.argv[1:]
    if role == "target":
        uvloop.run(target(rest[0], rest[1] if len(rest) > 1 else None))
    else:
        url, count, seconds, mode, *authority = rest
        result = uvloop.run(viewers(url, int(count), float(seconds), mode, authority[0] if authority else None))
        print(json.dumps(result), flush=True)
        os._exit(0)  # thousands of open sockets need no farewell


if __name__ == "__main__":
    main()
