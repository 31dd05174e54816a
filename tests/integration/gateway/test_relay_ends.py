"""Who ends a session, how the other side learns it, and that nothing stays behind: both loops, plain and TLS."""

import asyncio
import gc
import ssl
import struct
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any

import pytest
import trustme
import uvloop
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.frames import Frame, Opcode
from websockets.typing import Subprotocol

from gateway.relay import RelayLimits
from gateway.rfb.link import ClipboardBlocked
from gateway.rfb.rules import RfbRules
from tests.support import bad_targets
from tests.support.clock import FakeClock
from tests.support.relay_host import RelayHost, hosted, until
from tests.support.rfb_viewer import RfbViewer, WebSocketStream, websocket_viewer

Runner = Callable[[Coroutine[Any, Any, None]], None]
BELL = b"\2"


@pytest.fixture(params=["asyncio", "uvloop"])
def run(request: pytest.FixtureRequest) -> Runner:
    """Runs a coroutine on each event loop."""
    runner: Runner = {"asyncio": asyncio.run, "uvloop": uvloop.run}[request.param]
    return runner


@pytest.fixture(params=["plain", "tls"])
def tls(request: pytest.FixtureRequest) -> tuple[ssl.SSLContext, ssl.SSLContext] | None:
    """Contexts of the gateway and of the viewer, or none."""
    if request.param == "plain":
        return None
    authority = trustme.CA()
    server, client = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    authority.issue_cert("127.0.0.1").configure_cert(server)
    authority.configure_trust(client)
    return server, client


async def closed(viewer: RfbViewer) -> tuple[int | None, str | None]:
    """Read to the end; the close code and reason."""
    assert isinstance(viewer.stream, WebSocketStream)
    async with asyncio.timeout(10):
        with suppress(EOFError):
            while True:
                await viewer.message()
    return viewer.stream.socket.close_code, viewer.stream.socket.close_reason


def alone() -> bool:
    """Whether only the calling task still runs."""
    return asyncio.all_tasks() == {asyncio.current_task()}


def test_a_cut_reaches_the_viewer_with_code_and_reason(
    run: Runner, tls: tuple[ssl.SSLContext, ssl.SSLContext] | None
) -> None:
    async def scenario() -> None:
        server, client = tls or (None, None)
        async with hosted(bad_targets.says(BELL), tls=server) as host:
            async with websocket_viewer(host.url, tls=client) as viewer:
                await viewer.handshake()
                await viewer.message()
                host.relays[0].cut("taken_over", 4409)
                host.relays[0].cut("admin", 4410)
                assert await closed(viewer) == (4409, "taken_over")
            end = await host.end()
        assert (end.reason, end.close_code, end.bytes_down) == ("taken_over", 4409, 1)

    run(scenario())


def test_a_viewer_that_goes_leaves_nothing_behind(
    run: Runner, tls: tuple[ssl.SSLContext, ssl.SSLContext] | None
) -> None:
    async def scenario() -> None:
        server, client = tls or (None, None)
        async with hosted(bad_targets.says(BELL), tls=server) as host:
            for vanish in (False, True):
                async with websocket_viewer(host.url, tls=client) as viewer:
                    await viewer.handshake()
                    await viewer.message()
                    assert isinstance(viewer.stream, WebSocketStream)
                    if vanish:
                        viewer.stream.socket.transport.abort()
            assert (await host.end(1)).reason == "viewer_left"
            assert [end.reason for end in host.ends] == ["viewer_left"] * 2
        await asyncio.sleep(0.05)
        assert alone()

    run(scenario())


def test_a_target_that_closes_ends_the_session(run: Runner) -> None:
    async def scenario() -> None:
        behaviour = bad_targets.says(BELL, then_close=True)
        async with hosted(behaviour) as host:
            async with websocket_viewer(host.url) as viewer:
                await viewer.handshake()
                assert await closed(viewer) == (4411, "desktop_ended")
                assert viewer.seen.bells == 1
            assert (await host.end()).reason == "desktop_ended"

    run(scenario())


def test_shutdown_tells_viewers_when_the_application_cuts(
    run: Runner, tls: tuple[ssl.SSLContext, ssl.SSLContext] | None
) -> None:
    async def scenario() -> None:
        server, client = tls or (None, None)
        async with (
            hosted(bad_targets.flood(), tls=server, cut_at_shutdown=True) as host,
            websocket_viewer(host.url, tls=client) as viewer,
        ):
            await viewer.handshake()
            await viewer.message()
            async with asyncio.timeout(5):
                cleanup = asyncio.ensure_future(host.runner.cleanup())
                assert await closed(viewer) == (1001, "gateway_stopping")
                await cleanup
        assert host.ends[0].reason == "gateway_stopping"
        await asyncio.sleep(0.05)
        assert alone()

    run(scenario())


def test_shutdown_ends_relays_that_nobody_cut(run: Runner, tls: tuple[ssl.SSLContext, ssl.SSLContext] | None) -> None:
    """aiohttp then cancels the handlers after its own deadline: both connections go, no task stays."""

    async def scenario() -> None:
        server, client = tls or (None, None)
        async with (
            hosted(bad_targets.flood(), tls=server, shutdown_seconds=0.2) as host,
            websocket_viewer(host.url, tls=client) as viewer,
        ):
            await viewer.handshake()
            await viewer.message()
            async with asyncio.timeout(5):
                await host.runner.cleanup()
            assert (await closed(viewer))[0] == 1006
        await asyncio.sleep(0.05)
        assert alone()

    run(scenario())


async def send_frames(host: RelayHost, *frames: Frame | bytes) -> tuple[int | None, str | None]:
    """Open properly, then send these raw frames; the close code and reason that come back."""
    async with connect(
        host.url, subprotocols=[Subprotocol("binary")], compression=None, max_size=None, proxy=None, close_timeout=2
    ) as socket:
        viewer = RfbViewer(WebSocketStream(socket))
        await viewer.handshake()
        for frame in frames:
            socket.transport.write(frame if isinstance(frame, bytes) else frame.serialize(mask=True))
        return await closed(viewer)


@pytest.mark.parametrize(
    ("frames", "code"),
    [
        ([Frame(Opcode.TEXT, b"hello")], 1003),
        ([Frame(Opcode.BINARY, b"\4" * 65537)], 1009),
        ([Frame(Opcode.BINARY, b"\0" * 40_000, fin=False), Frame(Opcode.CONT, b"\0" * 40_000)], 1009),
        ([Frame(Opcode.CONT, b"x")], 1002),
        ([b"\xc2\x80\0\0\0\0"], 1002),
        ([b"\x82\x01x"], 1002),
        ([Frame(Opcode.BINARY, b"\7\3\0\0\0\0\0\0\0\0\0\0")], 4422),
        ([Frame(Opcode.BINARY, struct.pack(">Bxxxi", 6, 1 << 30))], 4422),
    ],
)
async def test_bad_frames_and_messages_end_the_session(frames: list[Frame | bytes], code: int) -> None:
    async with hosted(bad_targets.says(BELL)) as host:
        assert (await send_frames(host, *frames))[0] == code
        end = await host.end()
        assert end.reason in ("viewer_left", "protocol_violation")
        assert end.bytes_up == 0


async def test_small_fragments_are_a_stream_like_any_other() -> None:
    """Browsers and proxies may fragment; RFB has no message boundaries to lose."""
    async with hosted(bad_targets.says(BELL)) as host:
        async with websocket_viewer(host.url) as viewer:
            await viewer.handshake()
            assert isinstance(viewer.stream, WebSocketStream)
            await viewer.stream.socket.send([b"\4\1\0\0", b"\0\0", b"\0\x61"])
            await viewer.message()
        assert (await host.end()).bytes_up == 8


async def test_a_viewer_that_does_not_finish_its_handshake_is_cut() -> None:
    limits = RelayLimits(viewer_handshake=0.2, close_within=1)
    async with hosted(bad_targets.says(BELL), limits=limits) as host:
        async with websocket_viewer(host.url) as viewer:
            await viewer.raw(b"RFB 003")
            with pytest.raises(EOFError):
                await viewer.stream.read(1000)
        end = await host.end()
        assert (end.reason, end.close_code) == ("protocol_violation", 4422)


async def test_a_viewer_that_shows_no_life_is_cut() -> None:
    limits = RelayLimits(ping_every=0.1, dead_after=0.5, close_within=0.2)
    async with (
        hosted(bad_targets.says(BELL), limits=limits) as host,
        websocket_viewer(host.url) as living,
        websocket_viewer(host.url) as dead,
    ):
        for viewer in (living, dead):
            await viewer.handshake()
            await viewer.message()
        assert isinstance(dead.stream, WebSocketStream)
        dead.stream.socket.transport.pause_reading()
        end = await host.end()
        assert end.detail == "no sign of life from the viewer"
        await asyncio.sleep(0.6)
        assert len(host.ends) == 1  # the living one answered the pings
        dead.stream.socket.transport.abort()


@pytest.mark.parametrize(
    ("stream", "detail"),
    [
        (b"\1" + b"\0" * 20, "target: target message 1 not allowed"),
        (struct.pack(">BxHHHHHi", 0, 1, 600, 0, 100, 1, 0), "target: rectangle outside the framebuffer"),
        (struct.pack(">BxHHHHHi", 0, 1, 0, 0, 60_000, 60_000, -223), "target: framebuffer too large"),
        (struct.pack(">BxxxI", 3, 1 << 31), "target: clipboard text too large"),
    ],
)
async def test_a_target_that_breaks_the_protocol_ends_its_own_session(stream: bytes, detail: str) -> None:
    async with hosted(bad_targets.says(BELL + stream)) as host:
        async with websocket_viewer(host.url) as viewer:
            await viewer.handshake()
            assert await closed(viewer) == (4502, "desktop_failed")
            assert viewer.seen.bells == 1
        assert (await host.end()).detail == detail


async def test_a_header_left_half_said_ends_the_session() -> None:
    limits = RelayLimits(ping_every=0.2, undecided_header=0.5, close_within=1)
    stream = struct.pack(">BxHHHHHi", 0, 1, 0, 0, 9, 9, 7) + b"\x60\1\xff" + b"c" * 700
    async with hosted(bad_targets.drip(stream, 0.05), limits=limits) as host, websocket_viewer(host.url) as viewer:
        await viewer.handshake()
        async with asyncio.timeout(10):
            with pytest.raises(EOFError):
                await viewer.stream.read(1000)
        assert (await host.end()).detail == "target left a message header unfinished"


@pytest.mark.parametrize("handshake", [b"", b"RFB 002.000\n", b"RFB 003.008\n\0\xff\xff\xff\xff", b"x" * 100_000])
async def test_a_target_without_a_handshake_is_refused(handshake: bytes) -> None:
    behaviour = bad_targets.opens_with(handshake)
    async with hosted(behaviour, handshake_seconds=0.5) as host:
        async with websocket_viewer(host.url) as viewer:
            assert await closed(viewer) == (4502, "target_unreachable")
        assert [error.code for error in host.errors] == ["target_timed_out" if not handshake else "target_refused"]


async def test_a_slow_or_random_target_is_refused_in_time() -> None:
    for behaviour in (bad_targets.slow, bad_targets.garbage, bad_targets.never):
        async with (
            hosted(behaviour, handshake_seconds=0.5) as host,
            asyncio.timeout(5),
            websocket_viewer(host.url) as viewer,
        ):
            assert await closed(viewer) == (4502, "target_unreachable")


async def test_what_is_no_websocket_upgrade_is_answered_in_http() -> None:
    async with hosted(bad_targets.never) as host:
        for protocols in (None, [Subprotocol("other")]):
            with pytest.raises(InvalidStatus) as refused:
                await connect(host.url, subprotocols=protocols, proxy=None).__aenter__()
            assert refused.value.response.status_code == 400


async def test_many_sessions_come_and_go_without_a_trace() -> None:
    async with hosted(bad_targets.says(BELL)) as host:
        for _ in range(3):
            async with asyncio.TaskGroup() as group:
                for _ in range(30):
                    group.create_task(come_and_go(host))
        async with asyncio.timeout(5):
            await host.end(89)
        host.relays.clear()
        gc.collect()
        assert not [thing for thing in gc.get_objects() if type(thing).__name__ == "ViewerConnection"]


async def come_and_go(host: RelayHost) -> None:
    async with websocket_viewer(host.url) as viewer:
        await viewer.handshake()
        await viewer.message()


async def test_live_rules_close_the_clipboard_within_one_message() -> None:
    texts = struct.pack(">BxxxI", 3, 4) + b"text"
    async with hosted(bad_targets.says(texts), rules=RfbRules(clipboard_out_chars=10, clipboard_in_chars=10)) as host:
        async with websocket_viewer(host.url) as viewer:
            await viewer.handshake()
            await viewer.message()
            assert viewer.seen.cut_texts == [b"text"]
            await viewer.cut_text(b"in")
            await viewer.key(0x61, down=True)
            relay = host.relays[0]
            await until(lambda: relay.bytes_up >= 18)
            relay.set_rules(RfbRules())
            await viewer.cut_text(b"again")
            await viewer.key(0x61, down=False)
            await until(lambda: relay.bytes_up >= 26)
        assert (await host.end()).bytes_up == 26


async def test_a_closed_connection_raises_nothing_at_the_next_use() -> None:
    async with hosted(bad_targets.says(BELL)) as host:
        async with websocket_viewer(host.url) as viewer:
            await viewer.handshake()
        await host.end()
        relay = host.relays[0]
        relay.cut("admin", 4410)
        relay.set_rules(RfbRules(view_only=True))
        relay.viewer_sent(b"\4")
        relay.target_sent(1)
        with pytest.raises((ConnectionClosed, EOFError)):
            await viewer.key(1)


def test_a_target_that_floods_with_bells_is_cut_off_and_holds_nobody_up(run: Runner) -> None:
    async def scenario() -> None:
        async with hosted(bad_targets.says(BELL * 4_000_000)) as host:
            async with websocket_viewer(host.url) as viewer:
                await viewer.handshake()
                assert await closed(viewer) == (4502, "desktop_failed")
            end = await host.end()
        assert end.detail == "target: too many messages beside the updates"

    run(scenario())


def too_often(host: RelayHost, *, inward: bool) -> int:
    """Texts that were dropped for their rate."""
    blocked = (event for event in host.events if isinstance(event, ClipboardBlocked))
    return sum(event.texts for event in blocked if event.inward == inward and event.why == "too_often")


def test_the_rate_of_clipboard_texts_goes_by_the_clock_in_both_directions(run: Runner) -> None:
    """36 a minute once sixty have passed."""

    async def scenario() -> None:
        rules, clock = RfbRules(clipboard_in_chars=9, clipboard_out_chars=9), FakeClock()
        said = struct.pack(">BxxxI", 3, 1) + b"x"
        async with (
            hosted(bad_targets.says(said * 100), rules=rules, clock=clock) as host,
            websocket_viewer(host.url) as viewer,
        ):
            await viewer.handshake()
            relay, typed = host.relays[0], struct.pack(">BxxxI", 6, 1) + b"x"
            await until(lambda: too_often(host, inward=False) == 40)
            assert relay.bytes_down == 60 * len(said)
            before = relay.bytes_up
            await viewer.stream.write(typed * 100)
            await until(lambda: too_often(host, inward=True) == 40)
            assert relay.bytes_up - before == 60 * len(typed)
            clock.advance(10)
            await viewer.stream.write(typed * 100)
            await until(lambda: too_often(host, inward=True) == 134)
            assert relay.bytes_up - before == 66 * len(typed)

    run(scenario())
