"""The agent link over a real unix socket: good answers, refusals, and an agent that answers like a stranger."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from agents.messages import Geometry, Refusal, Stage, StartRequest
from agents.protocol import MAX_ANSWER_BYTES
from broker.agent_link import AgentRefusal, UnixAgentLink
from broker.connectors.agent import AgentConnector
from common.errors import TargetError, TargetRefused, TargetTimedOut, TargetUnreachable
from common.ids import DesktopId, PoolId, UserId
from tests.support.sham_agent import GREETING, ShamAgent, run_sham_agent

DESKTOP = DesktopId("dsk_1")
START = StartRequest(
    DESKTOP, UserId("usr_1"), PoolId("office"), "sato", "佐藤 花子", Geometry(1280, 800), progress=True
)


class Stream(asyncio.Protocol):
    """Collects what arrives."""

    def __init__(self) -> None:
        self.received = bytearray()
        self.arrived = asyncio.Event()
        self.lost = asyncio.Event()

    def data_received(self, data: bytes) -> None:
        self.received += data
        self.arrived.set()

    def connection_lost(self, exc: Exception | None) -> None:
        self.lost.set()

    async def until(self, expected: bytes) -> None:
        async with asyncio.timeout(5):
            while bytes(self.received) != expected:
                self.arrived.clear()
                await self.arrived.wait()


class BufferedStream(asyncio.BufferedProtocol):
    """The same through a small buffer, so that bytes behind the answer need several rounds."""

    def __init__(self) -> None:
        self.inner = Stream()
        self._buffer = bytearray(5)

    def get_buffer(self, sizehint: int) -> bytearray:
        return self._buffer

    def buffer_updated(self, nbytes: int) -> None:
        self.inner.data_received(bytes(self._buffer[:nbytes]))

    def connection_lost(self, exc: Exception | None) -> None:
        self.inner.connection_lost(exc)


def _link(socket: Path, seconds: float = 2) -> UnixAgentLink:
    return UnixAgentLink(socket, seconds)


async def _start(link: UnixAgentLink, stages: list[Stage] | None = None) -> bool:
    return await link.start(START, deadline_seconds=2, on_progress=(stages if stages is not None else []).append)


async def test_start_list_stats_stop(agent: ShamAgent) -> None:
    link, stages = _link(agent.socket), list[Stage]()
    assert await _start(link, stages) is False
    assert await _start(link) is True
    assert stages == [Stage.DISPLAY]
    assert [info.desktop for info in await link.list()] == [DESKTOP]
    assert (await link.stats()).desktops == 1
    await link.stop(DESKTOP, deadline_seconds=2)
    await link.stop(DESKTOP, deadline_seconds=2)
    assert await link.list() == ()


async def _echo_through(socket: Path) -> None:
    link = _link(socket)
    await _start(link)
    for buffered in (False, True):
        made = BufferedStream() if buffered else Stream()
        stream = made.inner if isinstance(made, BufferedStream) else made
        transport = await AgentConnector(link, DESKTOP).open(lambda made=made: made)  # type: ignore[misc]  # bound now
        await stream.until(GREETING)
        transport.write(b"RFB 003.008\n" * 100)
        await stream.until(GREETING + b"RFB 003.008\n" * 100)
        transport.close()
        await asyncio.wait_for(stream.lost.wait(), 5)


async def test_open_gives_the_raw_stream_with_the_bytes_behind_the_answer(agent: ShamAgent) -> None:
    await _echo_through(agent.socket)


def test_open_on_uvloop(short_path: Path) -> None:
    uvloop = pytest.importorskip("uvloop")

    async def whole() -> None:
        async with run_sham_agent(short_path / "uv.sock") as running:
            await _echo_through(running.socket)

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(whole())


async def test_refusals_keep_their_reason(agent: ShamAgent) -> None:
    agent.refuse_start = Refusal.FULL
    with pytest.raises(AgentRefusal) as refused:
        await _start(_link(agent.socket))
    assert refused.value.error is Refusal.FULL
    with pytest.raises(TargetUnreachable):
        await _link(agent.socket).open(DESKTOP, Stream)


async def test_no_agent_is_unreachable(short_path: Path) -> None:
    link = _link(short_path / "none.sock")
    for asking in (_start(link), link.stop(DESKTOP, deadline_seconds=1), link.list(), link.open(DESKTOP, Stream)):
        with pytest.raises(TargetUnreachable):
            await asking


async def test_request_that_the_protocol_forbids_is_refused_here(agent: ShamAgent) -> None:
    with pytest.raises(TargetRefused):
        await _link(agent.socket).stop(DesktopId("../../etc"), deadline_seconds=1)
    assert agent.stopped == []


@asynccontextmanager
async def _strange_agent(short_path: Path, answer: bytes, *, hang: bool = False) -> AsyncIterator[Path]:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await reader.readline()
            writer.write(answer)
            await writer.drain()
            if hang:
                await reader.read()
        except ConnectionError:
            pass
        finally:
            writer.close()

    listening = await asyncio.start_unix_server(serve, str(short_path / "strange.sock"))
    try:
        yield short_path / "strange.sock"
    finally:
        listening.close()


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"\n",
        b"null\n",
        b"[]\n",
        b'{"ok":true}\n',
        b'{"ok":"yes"}\n',
        b'{"ok":true,"state":"ready","already":false,"more":1}\n',
        b'{"ok":false,"error":"because"}\n',
        b'{"ok":false,"ok":true}\n',
        b'{"ok":true,"stream":"ssh"}\n',
        b'{"ok":true,"desktops":[{"desktop":"../x"}]}\n',
        b"\xff\xfe\n",
        b"{" * 5000 + b"\n",
        b"no newline",
    ],
)
async def test_strange_answers_are_errors_and_nothing_else(short_path: Path, answer: bytes) -> None:
    async with _strange_agent(short_path, answer) as socket:
        link = _link(socket)
        for asking in (_start(link), link.stop(DESKTOP, deadline_seconds=1), link.list(), link.stats(),
                       link.open(DESKTOP, Stream)):  # fmt: skip
            with pytest.raises(TargetError):
                await asking


async def test_endless_answer_is_cut_off(short_path: Path) -> None:
    async with _strange_agent(short_path, b"x" * (MAX_ANSWER_BYTES + 1), hang=True) as socket:
        with pytest.raises(TargetRefused):
            await _link(socket).list()
        with pytest.raises(TargetRefused):
            await _link(socket).open(DESKTOP, Stream)


async def test_silent_agent_runs_into_the_deadline(short_path: Path) -> None:
    async with _strange_agent(short_path, b'{"ok":tr', hang=True) as socket:
        link = _link(socket, 0.2)
        with pytest.raises(TargetTimedOut):
            await link.list()
        with pytest.raises(TargetTimedOut):
            await link.open(DESKTOP, Stream)
        with pytest.raises(TargetTimedOut):
            await link.start(START, deadline_seconds=0.2, on_progress=lambda _stage: None)
