"""The broker with the real kakehashi-agent and real desktops: start, stream, come back, crash, orphan, stop."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from agents.messages import DesktopState
from broker.assembly import Broker, build_broker
from broker.models import EndReason, Viewer
from broker.settings import AgentLinkSettings, BrokerSettings, SessionSettings
from broker.states import SessionState
from common.bus import LocalBus
from common.db import Database
from common.ids import WebSessionId
from common.secret import Keyring
from tests.integration.broker.conftest import CITY, pool
from tests.support.agent import Agent, running_agent
from tests.support.audit import MemoryAudit
from tests.support.clock import FakeClock
from tests.support.policy import grant

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="the agent gives user numbers, which only root may")


class Stream(asyncio.Protocol):
    """The desktop's side: first bytes and end."""

    def __init__(self) -> None:
        self.greeting: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        self.lost = asyncio.Event()

    def data_received(self, data: bytes) -> None:
        if not self.greeting.done():
            self.greeting.set_result(data)

    def connection_lost(self, exc: Exception | None) -> None:
        self.lost.set()


@pytest.fixture
async def host(short_path: Path) -> AsyncIterator[Agent]:
    starting = running_agent(short_path / "host")
    agent = await asyncio.to_thread(starting.__enter__)
    try:
        yield agent
    finally:
        await asyncio.to_thread(starting.__exit__, None, None, None)


@pytest.fixture
async def broker(host: Agent, sqlite_database: Database, clock: FakeClock, audit: MemoryAudit) -> AsyncIterator[Broker]:
    bus = LocalBus()
    made = build_broker(
        database=sqlite_database,
        keyring=Keyring({"k": bytes(32)}, "k"),
        clock=clock,
        audit=audit,
        bus=bus,
        settings=BrokerSettings(
            sessions=SessionSettings(start_seconds=30),
            agent=AgentLinkSettings(socket=host.socket_path, answer_seconds=10),
        ),
        node="gw-1",
    )
    await made.catalogue.put_pool(pool(), actor="test")
    yield made
    await made.close()
    await bus.close()


async def _attach(broker: Broker, clock: FakeClock) -> tuple[Viewer, Stream, asyncio.Transport]:
    """Request, wait for the desktop, ticket, activation, stream."""
    fresh = grant(now=clock.now())
    asked = await broker.sessions.request(fresh, web_session_id=WebSessionId("web_1"), display_name="佐藤 花子")
    await broker.launcher.idle()
    session = await broker.sessions.get(CITY, asked.id, user_id=None)
    assert session.state in (SessionState.READY, SessionState.DISCONNECTED)
    key: dict[str, Any] = {"user_id": session.user_id, "web_session_id": WebSessionId("web_1")}
    ticket = await broker.attachments.issue_ticket(CITY, session.id, **key)
    proof = await broker.attachments.redeem(ticket, tenant_id=CITY, session_id=session.id, **key)
    viewer = await broker.attachments.activate(proof, fresh, cut=lambda _reason: None, regrant=lambda _grant: None)
    target = await broker.attachments.desktop_target(viewer)
    streams: list[Stream] = []

    def make() -> Stream:
        streams.append(Stream())
        return streams[0]

    transport = await target.connector.open(make)
    assert await asyncio.wait_for(streams[0].greeting, 10) == b"RFB 003.008\n"
    return viewer, streams[0], transport


async def _until_ended(broker: Broker, viewer: Viewer) -> EndReason | None:
    async with asyncio.timeout(20):
        while True:
            session = await broker.sessions.get(CITY, viewer.session.id, user_id=None)
            if session.state is SessionState.ENDED:
                return session.end_reason
            await asyncio.sleep(0.05)


async def test_start_look_leave_come_back_and_log_off(broker: Broker, host: Agent, clock: FakeClock) -> None:
    viewer, stream, transport = await _attach(broker, clock)
    desktop = viewer.session.desktop_id
    assert desktop is not None
    transport.abort()
    await asyncio.wait_for(stream.lost.wait(), 5)
    assert (await broker.attachments.viewer_lost(viewer)).state is SessionState.DISCONNECTED
    before = await asyncio.to_thread(host.info, desktop)
    again, _, transport = await _attach(broker, clock)
    assert again.session.desktop_id == desktop
    assert (await asyncio.to_thread(host.info, desktop)).pid == before.pid
    await broker.recovery.reconcile()
    assert (await broker.sessions.get(CITY, again.session.id, user_id=None)).state is SessionState.ACTIVE
    await broker.sessions.end(CITY, again.session.id, EndReason.USER_LOGGED_OUT, user_id=again.session.user_id)
    assert await _until_ended(broker, again) is EndReason.USER_LOGGED_OUT
    assert (await asyncio.to_thread(host.info, desktop)).state is DesktopState.ENDED
    transport.abort()


async def test_crashed_desktop_ends_its_session_and_the_next_one_starts_afresh(
    broker: Broker, host: Agent, clock: FakeClock
) -> None:
    viewer, stream, transport = await _attach(broker, clock)
    desktop = viewer.session.desktop_id
    assert desktop is not None
    pid = (await asyncio.to_thread(host.info, desktop)).pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    await asyncio.wait_for(stream.lost.wait(), 10)
    await broker.attachments.viewer_lost(viewer, EndReason.DESKTOP_ENDED)
    assert await _until_ended(broker, viewer) is EndReason.DESKTOP_FAILED
    again, _, second = await _attach(broker, clock)
    assert again.session.id != viewer.session.id
    assert again.session.desktop_id == desktop
    transport.abort()
    second.abort()


async def test_desktop_without_a_session_is_stopped(broker: Broker, host: Agent) -> None:
    await asyncio.to_thread(host.ready, "dsk_orphan", "usr_nobody")
    await broker.recovery.reconcile()
    assert (await asyncio.to_thread(host.info, "dsk_orphan")).state is DesktopState.ENDED
