"""An RFB server that replays: `python -m bench.replay_target MODE RECORDING`. It prints its port on 127.0.0.1.

MODE: flat (as fast as taken), paced:BYTES_PER_SECOND, echo (a small update for each pointer event), idle, mixed:N (the
first N connections flat, in a process of their own: an echo must wait for the relay, not for its neighbours here; the
others echo), given:FD (flat, connections come from that socket), office (a key paints a little, Page Down much: real
updates of the recording). It ends when its standard input closes.

Counterparts: `bench/viewers.py`, `bench/contenders.py`.
"""

import asyncio
import gc
import json
import socket
import struct
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, cast

import uvloop

SLICE: Final = 256 * 1024
TICK: Final = 0.02
WIDTH: Final = 1280
HEIGHT: Final = 800
PAGE_DOWN: Final = 0xFF56
KEY: Final = struct.Struct(">BBxxI")
_PIXELS: Final = bytes((32, 24, 0, 1, 0, 255, 0, 255, 0, 255, 0, 8, 16, 0, 0, 0))
_INIT: Final = struct.pack(">HH", WIDTH, HEIGHT) + _PIXELS + struct.pack(">I", 5) + b"bench"
_POINTER_BYTES: Final = 6
_ANSWER: Final = struct.pack(">BxHHHHHiI", 0, 1, 0, 0, 8, 16, 1, 0)  # one CopyRect; a flood of Bells would be refused
_TYPED_BYTES: Final = 2_000
_PAGE_BYTES: Final = 150_000


@dataclass
class Replay:
    """What all connections send: the stream, and for office work some of its messages."""

    mode: str
    stream: memoryview
    ends: list[int]
    typed: list[memoryview] = field(default_factory=list)

    def __post_init__(self) -> None:
        pairs = zip(self.ends, self.ends[1:], strict=False)
        self.typed = [self.stream[start:end] for start, end in pairs if 0 < end - start < _TYPED_BYTES] or [
            memoryview(b"\2")
        ]

    def page(self, number: int) -> memoryview:
        """Consecutive messages, about a screen's worth."""
        first = number * 37 % len(self.ends)
        last = first
        while last + 1 < len(self.ends) and self.ends[last] - self.ends[first] < _PAGE_BYTES:
            last += 1
        return self.stream[self.ends[first] : self.ends[last]]


class Target(asyncio.Protocol):
    """One replaying connection."""

    def __init__(self, replay: Replay) -> None:
        self._replay = replay
        self._mode, _, rate = replay.mode.partition(":")
        self._per_tick = int(float(rate or 0) * TICK)
        self._at = 0
        self._heard = 0
        self._keys = 0
        self._running = False
        self._blocked = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._transport.write(b"RFB 003.008\n")

    def data_received(self, data: bytes) -> None:
        before, self._heard = self._heard, self._heard + len(data)
        for count, answer in ((12, b"\1\1"), (13, b"\0\0\0\0"), (14, _INIT)):
            if before < count <= self._heard:
                self._transport.write(answer)
        if self._heard >= 14 and not self._running:
            self._running = True
            if self._mode in ("flat", "paced"):
                self._send()
        elif self._mode == "echo" and len(data) % _POINTER_BYTES == 0 and data[0] == 5:
            self._transport.write(_ANSWER * (len(data) // _POINTER_BYTES))
        elif self._mode == "office" and len(data) % KEY.size == 0 and data[0] == 4:
            for _, down, keysym in KEY.iter_unpack(data):
                if down:
                    self._keys += 1
                    typed = self._replay.typed
                    page = keysym == PAGE_DOWN
                    self._transport.write(self._replay.page(self._keys) if page else typed[self._keys % len(typed)])

    def pause_writing(self) -> None:
        self._blocked = True

    def resume_writing(self) -> None:
        self._blocked = False
        if self._mode == "flat":
            self._send()

    def _next(self, size: int) -> None:
        stream = self._replay.stream
        while size:
            piece = stream[self._at : self._at + size]
            self._transport.write(piece)
            size -= len(piece)
            self._at = (self._at + len(piece)) % len(stream)

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


async def serve(mode: str, recording: Path) -> None:
    """Serve until standard input closes."""
    stream = await asyncio.to_thread(recording.read_bytes)
    ends = json.loads(await asyncio.to_thread(recording.with_name(recording.name + ".ends").read_text))
    kind, _, number = mode.partition(":")
    replay = Replay("flat" if kind == "given" else "echo" if kind == "mixed" else mode, memoryview(stream), ends)
    loop = asyncio.get_running_loop()
    if kind == "given":
        with socket.socket(fileno=int(number)) as giver:
            while (given := await asyncio.to_thread(socket.recv_fds, giver, 1, 1))[1]:
                await loop.connect_accepted_socket(lambda: Target(replay), socket.socket(fileno=given[1][0]))
        return
    listening = socket.create_server(("127.0.0.1", 0), backlog=2048)
    listening.setblocking(False)
    print(listening.getsockname()[1], flush=True)
    if kind == "mixed":
        await give(int(number), listening, recording)
    server = await loop.create_server(lambda: Target(replay), sock=listening)
    await asyncio.to_thread(sys.stdin.read)
    server.close()


async def give(count: int, listening: socket.socket, recording: Path) -> None:
    """Leave the first connections to a process of its own, which ends with this one."""
    ours, theirs = socket.socketpair()
    arguments = [sys.executable, "-m", "bench.replay_target", f"given:{theirs.fileno()}", str(recording)]
    await asyncio.create_subprocess_exec(*arguments, pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL)
    theirs.close()
    for _ in range(count):
        connection, _ = await asyncio.get_running_loop().sock_accept(listening)
        with connection:
            socket.send_fds(ours, [b"-"], [connection.fileno()])
    ours.detach()  # open until this process ends


if __name__ == "__main__":
    gc.disable()  # as in the viewers
    uvloop.run(serve(sys.argv[1], Path(sys.argv[2])))
