"""Many viewers in one process: `python -m bench.viewers URL COUNT SECONDS MODE [CA]` prints "ready", then JSON.

URL: ws, wss, or tcp for a target without a relay. MODE: count (take what comes), stall (read nothing), echo (pointer
event, answer, again at once), echo-paced (each 20 ms, spread), office (typing with a Page Down now and then), at-once
(all connect together, each sees one echo), churn (COUNT at a time connect, see ServerInit, leave, again; prints no
"ready").
Each speaks just enough RFB and WebSocket to keep its own cost out of the picture: payloads are counted, not decoded.
Counterparts: `bench/replay_target.py`, `bench/contenders.py`.
"""

import asyncio
import base64
import gc
import json
import math
import os
import ssl
import struct
import sys
import time
from typing import Final, Self, cast
from urllib.parse import urlsplit

import uvloop

POINTER: Final = struct.pack(">BBHH", 5, 0, 1, 1)
ENCODINGS: Final = (1, 7, 16, 0, -26, -254, -223, -224, -258, -261, -308, -312, -313, -239)
OPENING: Final = b"RFB 003.008\n\1\1" + struct.pack(f">BxH{len(ENCODINGS)}i", 2, len(ENCODINGS), *ENCODINGS)
_KEYS: Final = tuple(struct.pack(">BBxxI", 4, down, 0x61) for down in (1, 0))
_PAGE_DOWN: Final = tuple(struct.pack(">BBxxI", 4, down, 0xFF56) for down in (1, 0))
_SERVER_INIT: Final = 40
PACE: Final = 0.02
"""Seconds between two echoes of one paced connection."""
_OPEN_SECONDS: Final = 30.0
_TOGETHER: Final = 50
_EACH_PAGE: Final = 40
"""Keys between two Page Downs."""


class Viewer(asyncio.BufferedProtocol):
    """One counting connection; `ready` is set once ServerInit is there, or the connection is lost."""

    pool: Final = memoryview(bytearray(1024 * 1024))

    def __init__(self, *, web: bool) -> None:
        self._web = web
        self._http = b""
        self._opened = not web
        self.bytes = 0
        self.lost = False
        self.ready = asyncio.Event()
        self.answered: asyncio.Future[None] | None = None

    @classmethod
    async def connect(
        cls, url: str, tls: ssl.SSLContext | None, *, protocols: str = "binary", headers: str = ""
    ) -> Self:
        """Open and wait for ServerInit; `lost` tells whether it came."""
        parts = urlsplit(url)
        viewer = cls(web=parts.scheme != "tcp")
        key = base64.b64encode(os.urandom(16)).decode()
        try:
            async with asyncio.timeout(_OPEN_SECONDS):
                await asyncio.get_running_loop().create_connection(
                    lambda: viewer, parts.hostname or "", parts.port or 0, ssl=tls
                )
                viewer.transport.write(
                    f"GET {parts.path or '/'} HTTP/1.1\r\nHost: {parts.netloc}\r\nUpgrade: websocket\r\n"
                    f"Connection: Upgrade\r\nSec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n"
                    f"Sec-WebSocket-Protocol: {protocols}\r\n{headers}\r\n".encode()
                    if viewer._web
                    else OPENING
                )
                await viewer.ready.wait()
        except (OSError, TimeoutError):
            viewer.lost = True
        return viewer

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)

    def send(self, payload: bytes) -> None:
        """One masked frame (mask 0)."""
        header = bytes((0x82, 0x80 | len(payload), 0, 0, 0, 0)) if self._web else b""
        self.transport.write(header + payload)

    def get_buffer(self, sizehint: int) -> memoryview:
        return self.pool

    def buffer_updated(self, count: int) -> None:
        if self._opened:
            self.bytes += count
            if self.answered is not None and not self.answered.done():
                self.answered.set_result(None)
            if not self.ready.is_set() and self.bytes > _SERVER_INIT:
                self.ready.set()
            return
        self._http += bytes(self.pool[:count])
        head, end, rest = self._http.partition(b"\r\n\r\n")
        if end and b" 101 " in head:
            self._opened = True
            self.bytes += len(rest)
            self.send(OPENING)
        elif end:
            self.transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        self.lost = True
        self.ready.set()
        if self.answered is not None and not self.answered.done():
            self.answered.set_result(None)


async def ask(viewer: Viewer) -> float:
    """Pointer event, small update: how long it took."""
    viewer.answered = asyncio.get_running_loop().create_future()
    start = time.perf_counter()
    viewer.send(POINTER)
    await viewer.answered
    return time.perf_counter() - start


async def echo(viewer: Viewer, until: float, latencies: list[float]) -> None:
    """Ask, again and again."""
    while time.perf_counter() < until and not viewer.lost:
        latencies.append(await ask(viewer))


async def echo_paced(viewer: Viewer, start: float, until: float, latencies: list[float]) -> None:
    """Ask at `start` and at fixed times after it. People do not type in step: whoever calls this spreads the starts.

    A pause after each answer instead would drive all into one burst, whose queue would then be what is measured.
    """
    due = start
    while due < until and not viewer.lost:
        await asyncio.sleep(due - time.perf_counter())
        latencies.append(await ask(viewer))
        due += PACE * max(1, math.ceil((time.perf_counter() - due) / PACE))


async def work(viewer: Viewer, until: float, number: int) -> None:
    """Somebody who types four letters a second and turns a page every ten seconds."""
    await asyncio.sleep(number % 25 / 100)
    keys = number % _EACH_PAGE
    while time.perf_counter() < until and not viewer.lost:
        keys += 1
        for message in _KEYS if keys % _EACH_PAGE else _PAGE_DOWN:
            viewer.send(message)
        await asyncio.sleep(0.25)


async def at_once(url: str, count: int, tls: ssl.SSLContext | None) -> dict[str, float]:
    """All together; served is who gets an answer to a first message."""
    start = time.perf_counter()
    opened = await asyncio.gather(*(Viewer.connect(url, tls) for _ in range(count)))
    print("ready", flush=True)
    asked = [asyncio.ensure_future(ask(viewer)) for viewer in opened if not viewer.lost]
    done = (await asyncio.wait(asked, timeout=10))[0] if asked else set()
    served = min(len(done), sum(not viewer.lost for viewer in opened))
    return {"errors": count - served, "served": served, "seconds": time.perf_counter() - start}


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


async def watch(url: str, count: int, seconds: float, mode: str, tls: ssl.SSLContext | None) -> dict[str, float]:
    """Open all, do what the mode says, sum up."""
    samples: list[float] = []
    opened: list[Viewer] = []
    while len(opened) < count:
        more = min(_TOGETHER, count - len(opened))
        opened += await asyncio.gather(*(Viewer.connect(url, tls) for _ in range(more)))
    await asyncio.sleep(0.5)  # what was said before the first measured byte is through
    if mode == "stall":
        for viewer in opened:
            viewer.transport.pause_reading()
    print("ready", flush=True)
    before, start = sum(viewer.bytes for viewer in opened), time.perf_counter()
    until = start + seconds
    if mode == "echo":
        await asyncio.gather(*(echo(viewer, until, samples) for viewer in opened))
    elif mode == "echo-paced":
        starts = (start + PACE * number / count for number in range(count))
        paced = zip(opened, starts, strict=True)
        await asyncio.gather(*(echo_paced(viewer, first, until, samples) for viewer, first in paced))
    elif mode == "office":
        await asyncio.gather(*(work(viewer, until, number) for number, viewer in enumerate(opened)))
    else:
        await asyncio.sleep(seconds)
    return {
        "bytes": sum(viewer.bytes for viewer in opened) - before,
        "seconds": time.perf_counter() - start,
        "lost": sum(viewer.lost for viewer in opened),
        "done": len(samples),
        "p50_us": quantile(samples, 0.5),
        "p99_us": quantile(samples, 0.99),
    }


async def run(url: str, count: int, seconds: float, mode: str, authority: str | None) -> dict[str, float]:
    """One scenario."""
    tls = ssl.create_default_context(cafile=authority) if authority else None
    if mode == "at-once":
        return await at_once(url, count, tls)
    if mode == "churn":
        samples: list[float] = []
        until = time.perf_counter() + seconds
        await asyncio.gather(*(churn(url, tls, until, samples) for _ in range(count)))
        return {"done": len(samples), "p50_us": quantile(samples, 0.5), "p99_us": quantile(samples, 0.99)}
    return await watch(url, count, seconds, mode, tls)


def main() -> None:
    """See the module's text."""
    url, count, seconds, mode, *authority = sys.argv[1:]
    gc.disable()  # a pause of ours would be counted as the relay's
    result = uvloop.run(run(url, int(count), float(seconds), mode, authority[0] if authority else None))
    print(json.dumps(result), flush=True)
    os._exit(0)  # thousands of open sockets need no farewell


if __name__ == "__main__":
    main()
