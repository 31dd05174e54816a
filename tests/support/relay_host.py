"""The smallest aiohttp application around the relay: one route, one kind of target. Counterpart: relay tests, bench.

Everything of the real path except who and whether: 101, target login, filters, close codes, aiohttp's shutdown.
"""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aiohttp import web

from common.clock import Clock, SystemClock
from common.errors import KakehashiError
from gateway.relay import Relay, RelayEnd, RelayLimits
from gateway.rfb.handshake import TargetLogin
from gateway.rfb.link import RfbEvent
from gateway.rfb.rules import RfbRules
from gateway.target_connection import TargetConnection
from gateway.websocket import accept_viewer
from tests.support import bad_targets

Open = Callable[[Callable[[], asyncio.BufferedProtocol]], Awaitable[object]]


def unix_target(path: Path) -> Open:
    """Connects to a unix socket."""

    async def opening(factory: Callable[[], asyncio.BufferedProtocol]) -> object:
        return await asyncio.get_running_loop().create_unix_connection(factory, str(path))

    return opening


def tcp_target(port: int) -> Open:
    """Connects to a loopback port."""

    async def opening(factory: Callable[[], asyncio.BufferedProtocol]) -> object:
        return await asyncio.get_running_loop().create_connection(factory, "127.0.0.1", port)

    return opening


async def until(condition: Callable[[], bool], seconds: float = 5.0) -> None:
    """Wait for something that has no event of its own, such as a counter."""
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110 - the counters that tests look at tell nobody when they move
            await asyncio.sleep(0.01)


@dataclass
class RelayHost:
    """A running application. `relays` are all that were started, `ends` and `errors` how they ended."""

    url: str
    rules: RfbRules
    runner: web.AppRunner
    relays: list[Relay] = field(default_factory=list)
    ends: list[RelayEnd] = field(default_factory=list)
    errors: list[KakehashiError] = field(default_factory=list)
    events: list[RfbEvent] = field(default_factory=list)
    changed: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def end(self, number: int = 0) -> RelayEnd:
        """The end of the given session, awaited at most 10 s."""
        async with asyncio.timeout(10):
            async with self.changed:
                await self.changed.wait_for(lambda: len(self.ends) > number)
        return self.ends[number]


@asynccontextmanager
async def relay_host(
    open_target: Open,
    *,
    rules: RfbRules | None = None,
    login: TargetLogin | None = None,
    target_tls: ssl.SSLContext | None = None,
    hostname: str | None = None,
    tls: ssl.SSLContext | None = None,
    clock: Clock | None = None,
    limits: RelayLimits | None = None,
    handshake_seconds: float = 10.0,
    shutdown_seconds: float = 5.0,
    cut_at_shutdown: bool = False,
) -> AsyncIterator[RelayHost]:
    """Serve /rfb on a free loopback port, with TLS toward the viewer when `tls` is given."""

    async def handle(request: web.Request) -> web.StreamResponse:
        viewer = await accept_viewer(request)
        target = TargetConnection(host.rules)
        try:
            await open_target(lambda: target)
            await target.handshake(
                login or TargetLogin(), tls=target_tls, server_hostname=hostname, within=handshake_seconds
            )
        except (KakehashiError, OSError) as error:
            if isinstance(error, KakehashiError):
                host.errors.append(error)
            await viewer.close(4502, "target_unreachable")
            return viewer.response
        relay = Relay(
            rules=host.rules,
            clock=clock or SystemClock(),
            limits=limits or RelayLimits(close_within=1.0),
            on_event=host.events.append,
        )
        host.relays.append(relay)
        end = await relay.run(viewer, target)
        async with host.changed:
            host.ends.append(end)
            host.changed.notify_all()
        return viewer.response

    async def cut_all(_: web.Application) -> None:
        for relay in host.relays:
            relay.cut("gateway_stopping", 1001)

    application = web.Application()
    if cut_at_shutdown:
        application.on_shutdown.append(cut_all)
    application.router.add_get("/rfb", handle)
    runner = web.AppRunner(application, shutdown_timeout=shutdown_seconds)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls, backlog=1024)
    await site.start()
    port = runner.addresses[0][1]
    host = RelayHost(f"{'wss' if tls else 'ws'}://127.0.0.1:{port}/rfb", rules or RfbRules(), runner)
    try:
        yield host
    finally:
        await runner.cleanup()


@asynccontextmanager
async def hosted(behaviour: bad_targets.Behaviour, **options: Any) -> AsyncIterator[RelayHost]:
    """A relay in front of a target that behaves so."""
    async with bad_targets.serve(behaviour) as port, relay_host(tcp_target(port), **options) as host:
        yield host
