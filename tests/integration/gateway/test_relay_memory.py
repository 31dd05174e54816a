"""Bug class hostile_target_memory: whatever stalls or floods, a session holds at most 1 MiB, and others go on.

Memory is that of a relay in a process of its own; the stalled peers live in the test's.
"""

import asyncio
import struct
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest
import trustme

from gateway.relay import RelayLimits
from gateway.rfb.rules import MAX_CLIPBOARD_CHARS
from tests.support import bad_targets
from tests.support.relay_child import RelayChild, run_relay_child
from tests.support.relay_host import hosted
from tests.support.rfb_viewer import RfbViewer, WebSocketStream, websocket_viewer
from tests.support.tls import client_context

KIB = 1024
SESSIONS = 20
"""Enough that what a process takes once (code, the shared read buffer) does not look like a session's own."""


def raw(viewer: RfbViewer) -> asyncio.Transport:
    """The transport under the viewer's WebSocket, to write forged frames and to stop reading."""
    assert isinstance(viewer.stream, WebSocketStream)
    return viewer.stream.socket.transport


@pytest.fixture
def serving(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[str, Path | None, trustme.CA]:
    """Loop, certificate file or none, authority."""
    loop, _, secure = request.param.partition("-")
    authority = trustme.CA()
    certificate = None
    if secure:
        certificate = tmp_path / "gateway.pem"
        authority.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(str(certificate))
    return loop, certificate, authority


@asynccontextmanager
async def stalled(
    serving: tuple[str, Path | None, trustme.CA], behaviour: bad_targets.Behaviour
) -> AsyncIterator[tuple[RelayChild, list[RfbViewer]]]:
    """A relay process with sessions that are open and read nothing."""
    loop, certificate, authority = serving
    async with bad_targets.serve(behaviour) as port, AsyncExitStack() as stack:
        child = stack.enter_context(run_relay_child(loop, "tcp", port, certificate=certificate))
        tls = client_context(authority) if certificate else None
        viewers = [await stack.enter_async_context(websocket_viewer(child.url, tls=tls)) for _ in range(SESSIONS)]
        for viewer in viewers:
            await viewer.handshake()
            raw(viewer).pause_reading()
        yield child, viewers
        for viewer in viewers:
            raw(viewer).abort()


async def settled(child: RelayChild) -> int:
    """Resident bytes once they do not grow for half a second; fails when they never stop."""
    before = child.resident()
    async with asyncio.timeout(20):
        while True:
            await asyncio.sleep(0.5)
            now = child.resident()
            if now <= before + 64 * KIB:
                return now
            before = now


ALL = pytest.mark.parametrize("serving", ["asyncio", "uvloop", "asyncio-tls", "uvloop-tls"], indirect=True)
TWO = pytest.mark.parametrize("serving", ["asyncio", "uvloop-tls"], indirect=True)


@ALL
async def test_viewers_that_stop_reading(serving: tuple[str, Path | None, trustme.CA]) -> None:
    async with stalled(serving, bad_targets.says(b"\2")) as (child, _):
        idle = await settled(child)
    async with stalled(serving, bad_targets.flood()) as (child, _):
        assert (await settled(child) - idle) / SESSIONS < 1024 * KIB


@TWO
async def test_viewers_that_ping_and_read_nothing(serving: tuple[str, Path | None, trustme.CA]) -> None:
    async with stalled(serving, bad_targets.says(b"\2")) as (child, _):
        idle = await settled(child)
    async with stalled(serving, bad_targets.flood()) as (child, viewers):
        sizes = [await settled(child)]
        for _ in range(4):  # the first rounds fill what may be filled, the last must add nothing
            for _ in range(800):
                for viewer in viewers:
                    raw(viewer).write((b"\x89\xfd\0\0\0\0" + b"p" * 125) * 8)
                await asyncio.sleep(0)
            sizes.append(await settled(child))
        assert (sizes[-1] - idle) / SESSIONS < 1024 * KIB
        assert (sizes[-1] - sizes[-2]) / SESSIONS < 100 * KIB  # of 800 KiB of pings each


@TWO
async def test_targets_that_stop_reading(serving: tuple[str, Path | None, trustme.CA]) -> None:
    async with stalled(serving, bad_targets.deaf) as (child, viewers):
        before = await settled(child)
        keys = struct.pack(">BBxxI", 4, 1, 0x61) * 2000
        frame = b"\x82\xfe" + struct.pack(">HI", len(keys), 0) + keys
        for _ in range(800):  # 12 MB each, most of which must wait in the test's own buffers
            for viewer in viewers:
                raw(viewer).write(frame)
            await asyncio.sleep(0)
        assert (await settled(child) - before) / SESSIONS < 1024 * KIB


@TWO
async def test_texts_that_never_end(serving: tuple[str, Path | None, trustme.CA]) -> None:
    opening = struct.pack(">Bxxxi", 3, -(4 * MAX_CLIPBOARD_CHARS)) + b"\x10\0\0\1" + b"z" * 350_000
    async with stalled(serving, bad_targets.says(opening)) as (child, viewers):
        before = await settled(child)
        for viewer in viewers:
            await viewer.raw(struct.pack(">Bxxxi", 6, -(4 * MAX_CLIPBOARD_CHARS)))
            for _ in range(35):
                await viewer.raw(b"z" * 10_000)
        assert (await settled(child) - before) / SESSIONS < 1024 * KIB


async def test_a_target_that_takes_no_input_ends_the_session() -> None:
    limits = RelayLimits(ping_every=0.4, dead_after=2.0, close_within=0.5)
    async with hosted(bad_targets.deaf, limits=limits) as host, websocket_viewer(host.url) as viewer:
        await viewer.handshake()
        keys = struct.pack(">BBxxI", 4, 1, 0x61) * 2000
        frame = b"\x82\xfe" + struct.pack(">HI", len(keys), 0) + keys
        for _ in range(800):
            raw(viewer).write(frame)
        end = await host.end()
        assert (end.reason, end.detail) == ("desktop_failed", "target takes no input")


async def test_a_stalled_viewer_goes_on_where_it_stopped() -> None:
    async with hosted(bad_targets.flood()) as host, websocket_viewer(host.url) as viewer:
        await viewer.handshake()
        raw(viewer).pause_reading()
        relay, before = host.relays[0], -1
        while relay.bytes_down != before:
            before = relay.bytes_down
            await asyncio.sleep(0.5)
        raw(viewer).resume_reading()
        await read_until(viewer, lambda: relay.bytes_down > before + 4_000_000)


async def read_until(viewer: RfbViewer, condition: Callable[[], bool]) -> None:
    """Take messages, which the viewer checks byte for byte, until the condition holds."""
    async with asyncio.timeout(20):
        while not condition():
            await viewer.message()


async def test_a_busy_session_does_not_starve_another() -> None:
    """Head of line: beside a stream without end, another session's small messages still come through."""
    async with (
        hosted(bad_targets.flood(2400)) as busy,
        hosted(bad_targets.drip(b"\2" * 100, 0.01)) as calm,
        websocket_viewer(busy.url) as flooded,
        websocket_viewer(calm.url) as viewer,
    ):
        await flooded.handshake()
        await viewer.handshake()
        await asyncio.gather(
            read_until(flooded, lambda: viewer.seen.bells == 100),
            read_until(viewer, lambda: viewer.seen.bells == 100),
        )
        assert busy.relays[0].bytes_down > 1_000_000


DEAR = {
    "encodings": struct.pack(">BxH", 2, 0),
    "fences": struct.pack(">BxxxIB", 248, 0, 0),
    "swallowed texts": struct.pack(">BxxxI", 6, 1) + b"x",
}


@pytest.mark.parametrize("message", DEAR.values(), ids=DEAR)
@pytest.mark.parametrize("serving", ["asyncio-tls", "uvloop-tls"], indirect=True)
async def test_a_viewer_that_floods_does_not_starve_another(
    serving: tuple[str, Path | None, trustme.CA], message: bytes
) -> None:
    """One person may not stop the service: what is dear to check is checked a little at a time."""
    blob = message * (10_000 // len(message))
    frame = b"\x82\xfe" + struct.pack(">HI", len(blob), 0) + blob
    async with stalled(serving, bad_targets.says(b"\2" * 100)) as (child, viewers):

        async def flood() -> None:
            attacker = viewers[0].stream
            assert isinstance(attacker, WebSocketStream)
            while True:
                attacker.socket.transport.write(frame)
                await asyncio.sleep(0 if attacker.socket.transport.get_write_buffer_size() < 1_000_000 else 0.01)

        flooding = asyncio.ensure_future(flood())
        try:
            await asyncio.sleep(1)
            async with asyncio.timeout(5), websocket_viewer(child.url, tls=client_context(serving[2])) as viewer:
                await viewer.handshake()
                await read_until(viewer, lambda: viewer.seen.bells == 100)
        finally:
            flooding.cancel()
