"""A session host's agent for tests of the broker: a real unix socket and the real line protocol, no real desktops.

A test can hold, refuse or break its answers, which the real agent cannot be made to do at a given moment. The stream of
an opened desktop greets with an RFB version line and echoes what it receives.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from agents.messages import (
    Answer,
    DesktopInfo,
    DesktopList,
    DesktopState,
    EndCause,
    ListRequest,
    Opened,
    OpenRequest,
    Progress,
    Refusal,
    Refused,
    Request,
    Stage,
    Started,
    StartRequest,
    Stats,
    StatsRequest,
    Stopped,
    StopRequest,
)
from agents.protocol import MAX_REQUEST_BYTES, LineReader, decode_request, encode_answer
from common.ids import DesktopId, PoolId, UserId

GREETING: Final = b"RFB 003.008\n"


class ShamAgent:
    """Set the fields to script it."""

    def __init__(self, socket: Path) -> None:
        self.socket = socket
        self.desktops: dict[DesktopId, DesktopInfo] = {}
        self.started: list[StartRequest] = []
        self.stopped: list[DesktopId] = []
        self.refuse_start: Refusal | None = None
        self.refuse_stop: Refusal | None = None
        self.may_start = asyncio.Event()
        self.may_start.set()
        self.may_stop = asyncio.Event()
        self.may_stop.set()
        self.raw_answer: bytes | None = None
        """Sent instead of any answer."""
        self.max_desktops = 50
        self.starting = 0
        self.most_starting = 0

    def vanish(self, desktop_id: DesktopId, cause: EndCause | None = None) -> None:
        """The desktop ends by itself; with a cause it stays listed as ended."""
        info = self.desktops.pop(desktop_id)
        if cause is not None:
            self.desktops[desktop_id] = desktop_info(info.desktop, info.user, info.pool, DesktopState.ENDED, cause)

    def running(self) -> set[DesktopId]:
        """Desktops that run."""
        return {info.desktop for info in self.desktops.values() if info.state is DesktopState.READY}

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One channel."""
        try:
            lines = LineReader(MAX_REQUEST_BYTES)
            line = None
            while line is None:
                received = await reader.read(4096)
                if not received:
                    return
                line = lines.feed(received)
            if self.raw_answer is not None:
                writer.write(self.raw_answer)
                return
            request = decode_request(line)
            answer = await self._answer(request, writer)
            if isinstance(answer, Opened):
                # Answer and greeting in one write: the client must keep what follows the line.
                writer.write(encode_answer(answer) + GREETING)
                while received := await reader.read(4096):
                    writer.write(received)
            else:
                writer.write(encode_answer(answer))
        except ConnectionError:
            pass
        finally:
            with suppress(ConnectionError):
                writer.close()

    async def _answer(self, request: Request, writer: asyncio.StreamWriter) -> Answer:
        match request:
            case StartRequest():
                return await self._start(request, writer)
            case StopRequest():
                await self.may_stop.wait()
                if self.refuse_stop is not None:
                    return Refused(self.refuse_stop)
                self.stopped.append(request.desktop)
                known = self.desktops.pop(request.desktop, None)
                return Stopped() if known else Refused(Refusal.NOT_FOUND)
            case OpenRequest():
                return Opened() if request.desktop in self.running() else Refused(Refusal.NOT_FOUND)
            case ListRequest():
                return DesktopList(tuple(self.desktops.values()))
            case StatsRequest():
                return Stats(0.5, 2, 4_000_000_000, 2_000_000_000, len(self.desktops), self.max_desktops, "rlimits")

    async def _start(self, request: StartRequest, writer: asyncio.StreamWriter) -> Answer:
        self.started.append(request)
        if self.refuse_start is not None:
            return Refused(self.refuse_start)
        if request.progress:
            writer.write(encode_answer(Progress(Stage.DISPLAY)))
        self.starting += 1
        self.most_starting = max(self.most_starting, self.starting)
        try:
            await self.may_start.wait()
        finally:
            self.starting -= 1
        already = request.desktop in self.running()
        self.desktops[request.desktop] = desktop_info(
            request.desktop, request.user, request.pool, DesktopState.READY, None
        )
        return Started(already)


def desktop_info(
    desktop: DesktopId, user: UserId, pool: PoolId, state: DesktopState, cause: EndCause | None
) -> DesktopInfo:
    """One line of a listing."""
    return DesktopInfo(
        desktop=desktop,
        user=user,
        pool=pool,
        state=state,
        stage=Stage.READY,
        pid=4321,
        started_at=datetime(2026, 4, 1, tzinfo=UTC),
        memory_bytes=1_000_000,
        processes=3,
        viewers=0,
        cause=cause,
    )


@asynccontextmanager
async def run_sham_agent(socket: Path) -> AsyncIterator[ShamAgent]:
    """Listen until the block ends."""
    agent = ShamAgent(socket)
    listening = await asyncio.start_unix_server(agent.serve, str(socket))
    try:
        yield agent
    finally:
        agent.may_start.set()
        agent.may_stop.set()
        listening.close()
