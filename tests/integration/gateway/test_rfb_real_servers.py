"""The relay between an independent viewer and real RFB servers: the same picture as directly, in every encoding."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import ImageChops, ImageStat

from gateway.rfb.encodings import FRAMED_ENCODINGS
from gateway.rfb.link import DesktopResized
from gateway.rfb.rules import RfbRules
from tests.support.desktops import paint
from tests.support.qemu import run_qemu
from tests.support.relay_host import relay_host, unix_target
from tests.support.rfb_viewer import RfbViewer, unix_viewer, websocket_viewer
from tests.support.x11vnc import run_x11vnc
from tests.support.xvnc import Xvnc, run_xvnc

COPY_RECT, RRE, CORRE, HEXTILE, ZLIB, TIGHT, ZRLE, TIGHT_PNG = 1, 2, 4, 5, 6, 7, 16, -260
STATES = (-224, -223, -308, -239, 0x574D5664, -258, -261, -312, -313, -316)
RULES = RfbRules(encodings=FRAMED_ENCODINGS)


@pytest.fixture(scope="module")
def desktop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Xvnc]:
    """TigerVNC with a painted terminal, shared by this module's tests."""
    with run_xvnc(tmp_path_factory.mktemp("xvnc")) as display:
        paint(display)
        yield display


@pytest.fixture(scope="module", params=["tigervnc", "x11vnc", "qemu"])
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """Name and socket of each real server with a still picture."""
    folder = tmp_path_factory.mktemp(request.param)
    if request.param == "qemu":
        with run_qemu(folder, extra=["-S"]) as machine:
            yield request.param, machine.socket
        return
    display: Xvnc = request.getfixturevalue("desktop")
    if request.param == "x11vnc":
        with run_x11vnc(folder, display) as exported:
            yield request.param, exported.socket
        return
    assert display.socket is not None
    yield request.param, display.socket


async def picture(viewer: RfbViewer, encodings: tuple[int, ...]) -> bytes:
    """The still picture, fetched in these encodings."""
    await viewer.start(encodings)
    return (await viewer.until_quiet()).tobytes()


def painted(viewer: RfbViewer) -> set[int]:
    """The encodings of what was painted, without pointer shapes and states."""
    return {rectangle[4] for rectangle in viewer.seen.rectangles} - set(STATES)


EXPECTED = {
    ("tigervnc", ZLIB): {0},
    ("tigervnc", CORRE): {0},
    ("tigervnc", TIGHT_PNG): {0},
    ("x11vnc", TIGHT_PNG): {0},
    ("qemu", RRE): {0},
    ("qemu", CORRE): {0},
}


@pytest.mark.parametrize("encoding", [0, RRE, CORRE, HEXTILE, ZLIB, TIGHT, ZRLE, TIGHT_PNG])
async def test_same_picture_as_directly(server: tuple[str, Path], encoding: int) -> None:
    name, socket = server
    wanted = (encoding, *STATES)
    async with unix_viewer(socket) as direct:
        expected = await picture(direct, wanted)
    async with relay_host(unix_target(socket), rules=RULES) as host:
        async with websocket_viewer(host.url) as viewer:
            assert await picture(viewer, wanted) == expected
            assert viewer.size == direct.size
            assert viewer.name == b"Kakehashi"
        end = await host.end()
    assert (end.reason, end.close_code) == ("viewer_left", 1000)
    assert painted(viewer) <= {encoding, 0}
    assert encoding in painted(viewer) or EXPECTED.get((name, encoding)) == painted(viewer)


@pytest.mark.parametrize("quality", [-32, -26, -23])
async def test_same_jpeg_picture_as_directly(server: tuple[str, Path], quality: int) -> None:
    """The first full update only: later ones replace JPEG by lossless areas at a pace that no two runs share."""
    wanted = (TIGHT, quality, -254, *STATES)
    _, socket = server
    async with unix_viewer(socket) as direct:
        await direct.start(wanted)
        await direct.full()
    async with relay_host(unix_target(socket)) as host, websocket_viewer(host.url) as viewer:
        await viewer.start(wanted)
        await viewer.full()
    difference = ImageChops.difference(viewer.screen, direct.screen)
    assert max(ImageStat.Stat(difference).mean) < 0.5


async def test_scrolling_uses_copy_rect_and_ends_at_the_direct_picture(tmp_path: Path) -> None:
    with run_xvnc(tmp_path / "x") as display:
        assert display.socket is not None
        async with relay_host(unix_target(display.socket)) as host, websocket_viewer(host.url) as viewer:
            await viewer.start((COPY_RECT, ZRLE, *STATES))
            await viewer.update()
            display.start("xterm", "-geometry", "70x24+10+10", "-e", "sh", "-c", "stty -echo; seq 1 20; exec cat")
            async with asyncio.timeout(10):
                while not viewer.screen.crop((20, 20, 60, 60)).getbbox():
                    await viewer.update(incremental=True)
            await viewer.pointer(200, 200)
            for line in range(15):
                await viewer.type(f"line {line}\n")
                await viewer.update(incremental=True)
            through = await viewer.until_quiet()
        assert COPY_RECT in painted(viewer)
        async with unix_viewer(display.socket) as direct:
            assert await picture(direct, (0, *STATES)) == through.tobytes()


async def test_typed_keys_arrive_and_view_only_keys_do_not(tmp_path: Path) -> None:
    with run_xvnc(tmp_path / "x") as display:
        assert display.socket is not None
        written = tmp_path / "typed"
        script = f"while read line; do echo $line >> {written}; done"
        display.start("xterm", "-e", "sh", "-c", script)
        async with relay_host(unix_target(display.socket)) as host:
            async with websocket_viewer(host.url) as viewer:
                await viewer.start()
                await viewer.until_quiet()
                await viewer.pointer(50, 50)
                await type_until(viewer, "first\n", written)
            host.rules = RfbRules(view_only=True)
            async with websocket_viewer(host.url) as viewer:
                await viewer.start()
                await viewer.type("second\n")
                await viewer.until_quiet()
            host.rules = RfbRules()
            async with websocket_viewer(host.url) as viewer:
                await viewer.start()
                await type_until(viewer, "third\n", written)
        assert set(written.read_text().split()) == {"first", "third"}


async def type_until(viewer: RfbViewer, text: str, written: Path) -> None:
    """Type a line, and again while the terminal has not taken it (it may still be starting)."""
    lines = count_lines(written)
    async with asyncio.timeout(10):
        while True:
            await viewer.type(text)
            await viewer.until_quiet()
            if count_lines(written) > lines:
                return


def count_lines(path: Path) -> int:
    return len(path.read_text().splitlines()) if path.exists() else 0


async def test_resize_reaches_the_desktop_and_is_told(tmp_path: Path) -> None:
    with run_xvnc(tmp_path / "x") as display:
        assert display.socket is not None
        async with relay_host(unix_target(display.socket)) as host, websocket_viewer(host.url) as viewer:
            await viewer.start()
            await viewer.until_quiet()
            await viewer.resize(900, 700)
            await wait_for_size(viewer, (900, 700))
            await viewer.until_quiet()
            assert DesktopResized(900, 700) in host.events
            host.relays[0].set_rules(RfbRules(allow_resize=False))
            await viewer.resize(500, 400)
            await viewer.until_quiet()
            assert viewer.size == (900, 700)
        assert "900x700" in display.run("xwininfo", "-root", "-stats")


async def wait_for_size(viewer: RfbViewer, size: tuple[int, int]) -> None:
    async with asyncio.timeout(10):
        while viewer.size != size:
            await viewer.update(incremental=True)


async def test_continuous_updates_and_fences_work_through_the_relay(desktop: Xvnc) -> None:
    assert desktop.socket is not None
    async with relay_host(unix_target(desktop.socket)) as host, websocket_viewer(host.url) as viewer:
        await viewer.start()
        await viewer.update()
        async with asyncio.timeout(5):
            while not viewer.seen.continuous:
                await viewer.message()
        await viewer.raw(b"\x96\1" + bytes(4) + (640).to_bytes(2, "big") + (480).to_bytes(2, "big"))
        await viewer.request()
        for _ in range(2):
            await viewer.message()
        assert viewer.seen.fences
