"""A whole broker on a migrated database, with a scripted agent behind a real unix socket."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from broker.assembly import Broker, build_broker
from broker.models import DesktopSession, EndReason, Pool, PoolKind, Redeemed, Viewer
from broker.settings import AgentLinkSettings, BrokerSettings, SessionSettings, TargetSettings
from broker.states import SessionState
from common.bus import LocalBus
from common.db import Database
from common.ids import PoolId, SessionId, TenantId, UserId, WebSessionId
from common.secret import Keyring
from policy.model import Grant, Zone
from tests.support.audit import MemoryAudit
from tests.support.clock import FakeClock
from tests.support.policy import grant
from tests.support.sham_agent import ShamAgent, run_sham_agent

CITY = TenantId("city")
OFFICE = PoolId("office-desktop")


def pool(**over: Any) -> Pool:
    """The pool of the tests' grants: agent desktops, ten seats."""
    values: dict[str, Any] = {
        "tenant_id": CITY,
        "id": OFFICE,
        "name_ja": "庁内デスクトップ",
        "name_en": "Office desktop",
        "kind": PoolKind.AGENT,
        "pool_class": "standard",
        "zone": Zone.LGWAN,
        "site": None,
        "max_desktops": 10,
    }
    return Pool(**(values | over))


@dataclass
class Screen:
    """A viewer's side: what its callbacks were told."""

    cuts: list[EndReason] = field(default_factory=list)
    grants: list[Grant] = field(default_factory=list)


@dataclass
class World:
    """A broker and what stands around it."""

    broker: Broker
    clock: FakeClock
    audit: MemoryAudit
    agent: ShamAgent
    database: Database
    another: Callable[[str], Awaitable[Broker]]
    """A further gateway of that node name on the same database, not yet started."""

    def grant(self, user: str = "usr_test", **over: Any) -> Grant:
        """A fresh grant for a person."""
        values: dict[str, Any] = {
            "user_id": UserId(user),
            "username": user.removeprefix("usr_"),
            "now": self.clock.now(),
        }
        return grant(**(values | over))

    async def session(self, user: str = "usr_test", *, web: str = "web_1", **over: Any) -> DesktopSession:
        """Request a session and wait until nothing more happens by itself."""
        asked = await self.broker.sessions.request(
            self.grant(user, **over), web_session_id=WebSessionId(web), display_name="佐藤 花子"
        )
        await self.broker.launcher.idle()
        return await self.look(asked.id)

    async def look(self, session_id: SessionId) -> DesktopSession:
        """The session now."""
        return await self.broker.sessions.get(CITY, session_id, user_id=None)

    async def redeemed(self, session: DesktopSession, *, web: str = "web_1") -> Redeemed:
        """Issue a ticket and redeem it."""
        key: dict[str, Any] = {"user_id": session.user_id, "web_session_id": WebSessionId(web)}
        ticket = await self.broker.attachments.issue_ticket(CITY, session.id, **key)
        return await self.broker.attachments.redeem(ticket, tenant_id=CITY, session_id=session.id, **key)

    async def attach(
        self, session: DesktopSession, screen: Screen | None = None, *, web: str = "web_1", **over: Any
    ) -> Viewer:
        """Ticket, redemption and activation."""
        screen = screen or Screen()
        return await self.broker.attachments.activate(
            await self.redeemed(session, web=web),
            self.grant(session.user_id, pool_id=session.pool_id, **over),
            cut=screen.cuts.append,
            regrant=screen.grants.append,
        )

    async def settled(self, session_id: SessionId) -> DesktopSession:
        """The session once the launcher rests."""
        await self.broker.launcher.idle()
        return await self.look(session_id)


@pytest.fixture
def short_path() -> Iterator[Path]:
    """A directory whose path is short enough for unix sockets."""
    with TemporaryDirectory(prefix="kk") as made:
        yield Path(made)


@pytest.fixture
def settings(short_path: Path) -> BrokerSettings:
    """Fast enough for tests; jobs are called by hand."""
    return BrokerSettings(
        sessions=SessionSettings(start_seconds=5, stop_seconds=2, concurrent_starts=4),
        targets=TargetSettings(connect_seconds=2),
        agent=AgentLinkSettings(socket=short_path / "agent.sock", answer_seconds=2),
    )


@pytest.fixture
async def agent(short_path: Path) -> AsyncIterator[ShamAgent]:
    """The scripted agent."""
    async with run_sham_agent(short_path / "agent.sock") as running:
        yield running


async def _world(
    database: Database, clock: FakeClock, audit: MemoryAudit, settings: BrokerSettings, agent: ShamAgent
) -> AsyncIterator[World]:
    keyring = Keyring({"k1": bytes(range(32))}, "k1")
    async with AsyncExitStack() as stack:
        bus = LocalBus()
        stack.push_async_callback(bus.close)

        async def another(node: str) -> Broker:
            broker = build_broker(
                database=database,
                keyring=keyring,
                clock=clock,
                audit=audit,
                bus=bus,
                settings=settings,
                node=node,
            )
            stack.push_async_callback(broker.close)
            return broker

        broker = await another("gw-1")
        await broker.catalogue.put_pool(pool(), actor="test")
        yield World(broker, clock, audit, agent, database, another)


@pytest.fixture
async def world(
    database: Database, clock: FakeClock, audit: MemoryAudit, settings: BrokerSettings, agent: ShamAgent
) -> AsyncIterator[World]:
    """On SQLite and on PostgreSQL."""
    async for made in _world(database, clock, audit, settings, agent):
        yield made


@pytest.fixture
async def small_world(
    sqlite_database: Database, clock: FakeClock, audit: MemoryAudit, settings: BrokerSettings, agent: ShamAgent
) -> AsyncIterator[World]:
    """On SQLite only, for tests whose subject is not the database."""
    async for made in _world(sqlite_database, clock, audit, settings, agent):
        yield made


__all__ = ["CITY", "OFFICE", "Screen", "SessionState", "World", "pool"]
