"""The agent's only door: a unix socket on which the gateway gives orders. Counterpart: `broker.agent_link`.

One connection, one order (see `agents.protocol`). The socket is 0600 and belongs to the gateway's user; who connects is
checked again by the kernel's word (SO_PEERCRED). What arrives is treated as hostile all the same: a gateway that was
taken over gets desktops, not the host.
"""

from __future__ import annotations

import asyncio
import os
import socket
import stat
import struct
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final, assert_never

from agents.desktop import Desktop, NotReachable
from agents.host import SessionHost
from agents.messages import (
    Answer,
    FrameError,
    ListRequest,
    Opened,
    OpenRequest,
    Progress,
    Refusal,
    Refused,
    Request,
    StartRequest,
    StatsRequest,
    StopRequest,
)
from agents.protocol import MAX_REQUEST_BYTES, LineReader, decode_request, encode_answer
from agents.splice import splice
from common.errors import ConfigError
from common.log import get_logger
from common.tasks import TaskScope

_LINE_SECONDS: Final = 10.0
_ANSWER_SECONDS: Final = 10.0
_BACKLOG: Final = 128
_log = get_logger(__name__)


class ControlSocket:
    """Listens, and carries out one order per connection."""

    def __init__(self, host: SessionHost, path: Path, owner_uid: int, *, max_channels: int) -> None:
        """Bind nothing yet. `max_channels` bounds open connections, RFB streams included."""
        self._host = host
        self._path = path
        self._owner = owner_uid
        self._max = max_channels
        self._open = 0
        self._tasks = TaskScope()
        self._listener: socket.socket | None = None

    def listen(self) -> None:
        """Bind and begin to accept. Raises ConfigError when the place is taken by something else."""
        self._remove_stale()
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        listener.setblocking(False)
        before = os.umask(0o177)  # never, not even for an instant, open to others
        try:
            listener.bind(str(self._path))
        except OSError as error:
            listener.close()
            raise ConfigError(f"{self._path}: cannot listen: {error.strerror or error}") from error
        finally:
            os.umask(before)
        os.chown(self._path, self._owner, -1)
        listener.listen(_BACKLOG)
        self._listener = listener
        self._tasks.spawn(self._accept(listener), name="agent accept")

    async def close(self) -> None:
        """Accept no more, cut what is open, remove the socket."""
        if self._listener is not None:
            self._listener.close()
            self._path.unlink(missing_ok=True)
        await self._tasks.close()

    def _remove_stale(self) -> None:
        try:
            facts = self._path.lstat()
        except FileNotFoundError:
            return
        if not stat.S_ISSOCK(facts.st_mode):
            raise ConfigError(f"{self._path}: exists and is not a socket")
        self._path.unlink()

    async def _accept(self, listener: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        while True:
            try:
                channel, _ = await loop.sock_accept(listener)
            except OSError as error:
                # Out of descriptors: wait for some to come back instead of spinning.
                _log.warning("accept failed", error=error.strerror)
                await asyncio.sleep(0.2)
                continue
            _pid, uid, _gid = struct.unpack("3i", channel.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))
            if uid not in (self._owner, 0) or self._open >= self._max:
                _log.warning("channel refused", uid=uid, open=self._open)
                channel.close()
                continue
            self._open += 1
            self._tasks.spawn(self._serve(channel), name="agent channel")

    async def _serve(self, channel: socket.socket) -> None:
        try:
            with channel:
                channel.setblocking(False)
                await self._carry_out(channel)
        except (OSError, TimeoutError) as error:
            _log.debug("channel lost", error=str(error))
        finally:
            self._open -= 1

    async def _carry_out(self, channel: socket.socket) -> None:
        reader = LineReader(MAX_REQUEST_BYTES)
        try:
            request = await _read_request(channel, reader)
        except FrameError as error:
            _log.warning("order refused", why=str(error))
            await _send(channel, Refused(Refusal.BAD_REQUEST))
            return
        if request is None:
            return
        if isinstance(request, OpenRequest):
            await self._open_stream(channel, request, reader)
            return
        async for answer in self._answers(request):
            await _send(channel, answer)

    async def _answers(self, request: StartRequest | StopRequest | ListRequest | StatsRequest) -> AsyncIterator[Answer]:
        match request:
            case StartRequest():
                async for answer in self._host.start(request):
                    if request.progress or not isinstance(answer, Progress):
                        yield answer
            case StopRequest():
                yield await self._host.stop(request.desktop)
            case ListRequest():
                yield self._host.list()
            case StatsRequest():
                yield self._host.stats()
            case _ as unreachable:
                assert_never(unreachable)

    async def _open_stream(self, channel: socket.socket, request: OpenRequest, reader: LineReader) -> None:
        desktop = self._host.open(request.desktop)
        if isinstance(desktop, Refused):
            await _send(channel, desktop)
            return
        try:
            stream = desktop.connect()
        except NotReachable as error:
            _log.warning("desktop not reachable", desktop_id=request.desktop, why=str(error))
            await _send(channel, Refused(Refusal.UNREACHABLE))
            return
        await self._pass(desktop, channel, stream, reader)

    async def _pass(self, desktop: Desktop, channel: socket.socket, stream: socket.socket, reader: LineReader) -> None:
        desktop.viewers.add(stream)
        try:
            with stream:
                await _send(channel, Opened())
                await splice(channel, stream, first=reader.rest())
        finally:
            desktop.viewers.discard(stream)


async def _read_request(channel: socket.socket, reader: LineReader) -> Request | None:
    """Read the order; None when the other side closed instead. Raises FrameError, TimeoutError."""
    loop = asyncio.get_running_loop()
    async with asyncio.timeout(_LINE_SECONDS):
        while True:
            chunk = await loop.sock_recv(channel, MAX_REQUEST_BYTES)
            if not chunk:
                return None
            line = reader.feed(chunk)
            if line is not None:
                return decode_request(line)


async def _send(channel: socket.socket, answer: Answer) -> None:
    async with asyncio.timeout(_ANSWER_SECONDS):
        await asyncio.get_running_loop().sock_sendall(channel, encode_answer(answer))
