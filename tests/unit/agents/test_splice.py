"""The splice: bytes both ways in order, back-pressure, and the end of either side ends both."""

from __future__ import annotations

import asyncio
import secrets
import socket

from agents.splice import LIMIT, splice
from common.tasks import spawn


def _pairs() -> tuple[socket.socket, socket.socket, socket.socket, socket.socket]:
    viewer, near = socket.socketpair()
    far, desktop = socket.socketpair()
    for end in (viewer, near, far, desktop):
        end.setblocking(False)
    return viewer, near, far, desktop


async def _read(end: socket.socket, count: int) -> bytes:
    loop = asyncio.get_running_loop()
    got = b""
    async with asyncio.timeout(10):
        while len(got) < count:
            got += await loop.sock_recv(end, 1 << 16)
    return got


async def test_bytes_pass_both_ways_and_early_ones_come_first() -> None:
    viewer, near, far, desktop = _pairs()
    loop = asyncio.get_running_loop()
    task = spawn(splice(near, far, first=b"early "), name="splice")
    up, down = secrets.token_bytes(3 << 20), secrets.token_bytes(3 << 20)
    results = await asyncio.gather(
        loop.sock_sendall(viewer, up),
        loop.sock_sendall(desktop, down),
        _read(desktop, len(up) + 6),
        _read(viewer, len(down)),
    )
    assert results[2] == b"early " + up
    assert results[3] == down
    viewer.close()
    await asyncio.wait_for(task, 5)
    assert await _read_end(desktop) == b""
    desktop.close()


async def test_last_bytes_arrive_before_the_end() -> None:
    viewer, near, far, desktop = _pairs()
    task = spawn(splice(near, far), name="splice")
    last = secrets.token_bytes(100_000)
    await asyncio.get_running_loop().sock_sendall(desktop, last)
    desktop.close()
    assert await _read(viewer, len(last)) == last
    await asyncio.wait_for(task, 5)
    viewer.close()


async def test_side_that_does_not_read_stops_the_other() -> None:
    viewer, near, far, desktop = _pairs()
    task = spawn(splice(near, far), name="splice")
    sent = 0
    quiet = 0
    while quiet < 5:
        try:
            sent += desktop.send(bytes(1 << 16))
            quiet = 0
        except BlockingIOError:
            quiet += 1
            await asyncio.sleep(0.02)
    kernel = sum(end.getsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF) for end in (viewer, desktop))
    assert sent <= LIMIT + 2 * kernel
    viewer.close()
    await asyncio.wait_for(task, 5)
    desktop.close()


async def test_cancelled_splice_closes_both_sides() -> None:
    viewer, near, far, desktop = _pairs()
    task = spawn(splice(near, far), name="splice")
    await asyncio.sleep(0.05)
    task.cancel()
    await asyncio.wait((task,))
    assert await _read_end(viewer) == b""
    assert await _read_end(desktop) == b""
    viewer.close()
    desktop.close()


async def _read_end(end: socket.socket) -> bytes:
    async with asyncio.timeout(5):
        return await asyncio.get_running_loop().sock_recv(end, 10)
