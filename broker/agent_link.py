"""The gateway's end of the talk with a session host's agent. Counterparts: `agents/protocol.py` (the lines), the agent.

`AgentLink` is what the broker needs of any transport; `UnixAgentLink` is the one for an agent on this machine. A later
SSH link opens one channel where this opens one connection. The agent's answers are checked like a stranger's.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol, cast

from agents.messages import (
    Answer,
    DesktopInfo,
    DesktopList,
    FrameError,
    ListRequest,
    Op,
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
from agents.protocol import MAX_ANSWER_BYTES, LineReader, decode_answer, encode_request
from broker.connectors.base import ProtocolFactory
from common.errors import TargetError, TargetRefused, TargetTimedOut, TargetUnreachable
from common.ids import DesktopId

OnProgress = Callable[[Stage], None]
_READ_BYTES: Final = 64 * 1024
_OPEN_ANSWER_BYTES: Final = 4096
_NOT_THERE: Final = frozenset({Refusal.NOT_FOUND, Refusal.NOT_READY, Refusal.UNREACHABLE, Refusal.STOPPING})


class AgentLink(Protocol):
    """What a session host can be asked. Every call raises TargetUnreachable, TargetRefused or TargetTimedOut."""

    async def start(self, request: StartRequest, *, deadline_seconds: float, on_progress: OnProgress) -> bool:
        """Start a desktop, or confirm that it runs; True when it had been running before."""
        ...

    async def stop(self, desktop_id: DesktopId, *, deadline_seconds: float) -> None:
        """End a desktop with all its processes; also fine when there is none."""
        ...

    async def list(self) -> tuple[DesktopInfo, ...]:
        """All desktops of the host, the recently ended ones included."""
        ...

    async def stats(self) -> Stats:
        """The host's load and capacity."""
        ...

    async def open(self, desktop_id: DesktopId, protocol_factory: ProtocolFactory) -> asyncio.Transport:
        """The desktop's raw RFB stream, read and written by the caller's protocol."""
        ...


@dataclass(frozen=True, slots=True)
class UnixAgentLink:
    """An agent on this machine, one connection to its control socket per request."""

    socket: Path
    answer_seconds: float

    async def start(self, request: StartRequest, *, deadline_seconds: float, on_progress: OnProgress) -> bool:
        """See `AgentLink.start`."""
        answer = await self._ask(Op.START, request, deadline_seconds, on_progress)
        if not isinstance(answer, Started):
            raise _strange(answer)
        return answer.already

    async def stop(self, desktop_id: DesktopId, *, deadline_seconds: float) -> None:
        """See `AgentLink.stop`."""
        try:
            answer = await self._ask(Op.STOP, StopRequest(desktop_id), deadline_seconds)
        except AgentRefusal as refusal:
            if refusal.error is Refusal.NOT_FOUND:
                return
            raise
        if not isinstance(answer, Stopped):
            raise _strange(answer)

    async def list(self) -> tuple[DesktopInfo, ...]:
        """See `AgentLink.list`."""
        answer = await self._ask(Op.LIST, ListRequest(), self.answer_seconds)
        if not isinstance(answer, DesktopList):
            raise _strange(answer)
        return answer.desktops

    async def stats(self) -> Stats:
        """See `AgentLink.stats`."""
        answer = await self._ask(Op.STATS, StatsRequest(), self.answer_seconds)
        if not isinstance(answer, Stats):
            raise _strange(answer)
        return answer

    async def open(self, desktop_id: DesktopId, protocol_factory: ProtocolFactory) -> asyncio.Transport:
        """See `AgentLink.open`."""
        line = _encode(OpenRequest(desktop_id))
        try:
            async with asyncio.timeout(self.answer_seconds):
                return await self._open(line, protocol_factory)
        except TimeoutError as error:
            raise TargetTimedOut("agent: no stream in time") from error
        except OSError as error:
            raise TargetUnreachable(f"agent: {error.strerror or type(error).__name__}") from error

    async def _open(self, line: bytes, protocol_factory: ProtocolFactory) -> asyncio.Transport:
        loop = asyncio.get_running_loop()
        transport, opening = await loop.create_unix_connection(_Opening, str(self.socket))
        try:
            transport.write(line)
            rest = await opening.answered
        except BaseException:
            transport.abort()
            raise
        protocol = protocol_factory()
        transport.set_protocol(protocol)
        protocol.connection_made(transport)
        if rest:
            _deliver(protocol, rest)
        transport.resume_reading()
        if opening.at_eof:
            # The desktop went away right behind its answer; the new protocol would never hear of it.
            transport.abort()
        return transport

    async def _ask(
        self, op: Op, request: Request, deadline_seconds: float, on_progress: OnProgress | None = None
    ) -> Answer:
        line = _encode(request)
        try:
            async with asyncio.timeout(deadline_seconds):
                reader, writer = await asyncio.open_unix_connection(str(self.socket))
                try:
                    writer.write(line)
                    return await _last_answer(op, reader, on_progress)
                finally:
                    writer.close()
        except TimeoutError as error:
            raise TargetTimedOut(f"agent: no answer to {op} in time") from error
        except FrameError as error:
            raise TargetRefused(f"agent: answer to {op}: {error}") from error
        except OSError as error:
            raise TargetUnreachable(f"agent: {error.strerror or type(error).__name__}") from error


class AgentRefusal(TargetRefused):
    """The agent said no; `error` is its reason."""

    def __init__(self, op: Op, error: Refusal) -> None:
        super().__init__(f"agent refused {op}: {error}")
        self.error = error


class _Opening(asyncio.Protocol):
    """Reads the answer to "open", then stops the reading until the stream's own protocol has taken over."""

    def __init__(self) -> None:
        self.answered: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        self.at_eof = False
        self._line = LineReader(_OPEN_ANSWER_BYTES)
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # No isinstance here: uvloop's transports are not derived from asyncio's.
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        if self.answered.done():
            return
        try:
            line = self._line.feed(data)
            if line is None:
                return
            answer = decode_answer(Op.OPEN, line)
        except FrameError as error:
            self.answered.set_exception(TargetRefused(f"agent: answer to open: {error}"))
            return
        if isinstance(answer, Opened):
            assert self._transport is not None  # noqa: S101 - connection_made came first
            self._transport.pause_reading()
            self.answered.set_result(self._line.rest())
        else:
            self.answered.set_exception(_refused(Op.OPEN, answer))

    def eof_received(self) -> bool:
        self.at_eof = True
        if not self.answered.done():
            self.answered.set_exception(TargetUnreachable("agent: closed without an answer"))
        return True

    def connection_lost(self, exc: Exception | None) -> None:
        self.at_eof = True
        if not self.answered.done():
            self.answered.set_exception(TargetUnreachable("agent: connection lost"))


def _deliver(protocol: asyncio.Protocol | asyncio.BufferedProtocol, rest: bytes) -> None:
    """Hand bytes that came with the answer to the stream's protocol, as its transport would."""
    if isinstance(protocol, asyncio.Protocol):
        protocol.data_received(rest)
        return
    left = memoryview(rest)
    while left:
        buffer = memoryview(protocol.get_buffer(len(left))).cast("B")
        taken = min(len(buffer), len(left))
        if not taken:
            raise TargetUnreachable("agent: the stream's protocol takes no bytes")
        buffer[:taken] = left[:taken]
        protocol.buffer_updated(taken)
        left = left[taken:]


async def _last_answer(op: Op, reader: asyncio.StreamReader, on_progress: OnProgress | None) -> Answer:
    lines = LineReader(MAX_ANSWER_BYTES)
    line = None
    while True:
        while line is None:
            received = await reader.read(_READ_BYTES)
            if not received:
                raise TargetUnreachable(f"agent: closed without an answer to {op}")
            line = lines.feed(received)
        answer = decode_answer(op, line)
        if isinstance(answer, Refused):
            raise AgentRefusal(op, answer.error)
        if not isinstance(answer, Progress):
            return answer
        if on_progress is not None:
            on_progress(answer.stage)
        line = lines.next_line()


def _encode(request: Request) -> bytes:
    try:
        return encode_request(request)
    except FrameError as error:
        raise TargetRefused(f"request to the agent: {error}") from error


def _refused(op: Op, answer: Answer) -> TargetError:
    if not isinstance(answer, Refused):
        return _strange(answer)
    return TargetUnreachable(f"agent: {answer.error}") if answer.error in _NOT_THERE else AgentRefusal(op, answer.error)


def _strange(answer: Answer) -> TargetRefused:
    return TargetRefused(f"agent: unexpected {type(answer).__name__}")
