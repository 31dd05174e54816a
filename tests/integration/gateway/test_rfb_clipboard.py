"""The clipboard between a real X selection and an independent viewer: each way allowed and denied, both forms."""

import asyncio
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.rfb.link import ClipboardBlocked, ClipboardPassed
from gateway.rfb.rules import RfbRules
from tests.support.relay_host import relay_host, unix_target
from tests.support.rfb_viewer import RfbViewer, websocket_viewer
from tests.support.xvnc import Xvnc, run_xvnc

LEGACY = (7, 0)
EXTENDED = (7, 0, -1063131698)
CAPS, REQUEST, NOTIFY, PROVIDE = 1 << 24, 1 << 25, 1 << 27, 1 << 28
OUT = RfbRules(clipboard_out_chars=40)
IN = RfbRules(clipboard_in_chars=40)
JAPANESE = "橋の上から😀"


@pytest.fixture
def desktop(tmp_path: Path) -> Iterator[Xvnc]:
    """An empty display with TigerVNC's selection handling on."""
    options = ("-SendPrimary=0", "-SetPrimary=0")
    with run_xvnc(tmp_path / "x", extra=options) as display:
        yield display


def copy(display: Xvnc, text: str) -> None:
    """Own the selection until the display ends."""
    path = display.folder / "selection"
    path.write_text(text)
    display.start("xclip", "-quiet", "-selection", "clipboard", "-target", "UTF8_STRING", str(path))


def paste(display: Xvnc) -> str:
    """Ask the selection's owner, as an X program does."""
    return display.run("xclip", "-o", "-selection", "clipboard", "-target", "UTF8_STRING")


def can_paste(display: Xvnc, text: str) -> bool:
    try:
        return paste(display) == text
    except Exception:  # noqa: BLE001 - xclip fails while nobody owns the selection
        return False


async def read_for(viewer: RfbViewer, seconds: float = 1.0) -> None:
    """Take all that comes in that time."""
    try:
        async with asyncio.timeout(seconds):
            while True:
                await viewer.message()
    except TimeoutError:
        return


async def offer_and_fetch(viewer: RfbViewer, *, expected: int = 0) -> list[str]:
    """What a modern viewer does with the extension: ask whenever the desktop notifies. Returns the texts.

    Looks three times, and on a busy machine longer for the first `expected` texts.
    """
    asked = 0
    for look in range(20):
        if look >= 3 and len(texts(viewer)) >= expected:
            break
        await read_for(viewer, 0.5)
        notices = sum(
            1 for body in viewer.seen.extended_texts if struct.unpack(">I", body[:4])[0] & (NOTIFY | CAPS) == NOTIFY
        )
        if notices > asked:
            asked = notices
            await viewer.extended_text(struct.pack(">I", REQUEST | 1))
    return texts(viewer)


def texts(viewer: RfbViewer) -> list[str]:
    """Texts of all "provide" messages so far."""
    found = []
    for body in viewer.seen.extended_texts:
        flags = struct.unpack(">I", body[:4])[0]
        if flags & PROVIDE and not flags & CAPS:
            plain = zlib.decompress(body[4:])
            (size,) = struct.unpack(">I", plain[:4])
            found.append(plain[4 : 4 + size].rstrip(b"\0").decode())
    return found


async def start_extended(viewer: RfbViewer) -> None:
    """Negotiate the extension, as noVNC does."""
    await viewer.start(EXTENDED)
    await viewer.update()
    await read_for(viewer, 0.3)
    await viewer.extended_text(struct.pack(">II", CAPS | REQUEST | NOTIFY | PROVIDE | 1, 0))


@pytest.mark.parametrize("rules", [OUT, IN, RfbRules()])
async def test_extended_text_out(desktop: Xvnc, rules: RfbRules) -> None:
    assert desktop.socket
    async with relay_host(unix_target(desktop.socket), rules=rules) as host, websocket_viewer(host.url) as viewer:
        await start_extended(viewer)
        await asyncio.to_thread(copy, desktop, JAPANESE)
        got = await offer_and_fetch(viewer, expected=1 if rules is OUT else 0)
        if rules is OUT:
            assert got == [JAPANESE]
            assert ClipboardPassed(inward=False, chars=6) in host.events
            await asyncio.to_thread(copy, desktop, "長" * 41)
            assert await offer_and_fetch(viewer) == [JAPANESE]
            assert ClipboardBlocked(inward=False, why="too_long") in host.events
        else:
            assert got == []
            assert viewer.seen.cut_texts == []


@pytest.mark.parametrize("rules", [OUT, RfbRules()])
async def test_legacy_text_out(desktop: Xvnc, rules: RfbRules) -> None:
    assert desktop.socket
    async with relay_host(unix_target(desktop.socket), rules=rules) as host, websocket_viewer(host.url) as viewer:
        await viewer.start(LEGACY)
        await viewer.update()
        await asyncio.to_thread(copy, desktop, "latin text")
        await read_for(viewer)
        assert viewer.seen.cut_texts == ([b"latin text"] if rules is OUT else [])


@pytest.mark.parametrize("rules", [IN, OUT, RfbRules()])
async def test_extended_text_in(desktop: Xvnc, rules: RfbRules) -> None:
    """A modified viewer provides without being asked: the gateway's verdict alone counts."""
    assert desktop.socket
    text = JAPANESE.encode() + b"\0"
    forged = struct.pack(">I", PROVIDE | 1) + zlib.compress(struct.pack(">I", len(text)) + text)
    async with relay_host(unix_target(desktop.socket), rules=rules) as host, websocket_viewer(host.url) as viewer:
        await start_extended(viewer)
        await viewer.extended_text(struct.pack(">I", NOTIFY | 1))
        await read_for(viewer, 0.3)
        pasted = asyncio.create_task(asyncio.to_thread(can_paste, desktop, JAPANESE))  # noqa: TID251 - in a test
        await read_for(viewer, 0.2)
        await viewer.extended_text(forged)
        await read_for(viewer, 0.5)
        assert await pasted is (rules is IN)
        assert (ClipboardPassed(inward=True, chars=6) in host.events) is (rules is IN)


@pytest.mark.parametrize("rules", [IN, RfbRules()])
async def test_legacy_text_in(desktop: Xvnc, rules: RfbRules) -> None:
    assert desktop.socket
    async with relay_host(unix_target(desktop.socket), rules=rules) as host, websocket_viewer(host.url) as viewer:
        await viewer.start(LEGACY)
        await viewer.update()
        await viewer.cut_text(b"typed elsewhere")
        await read_for(viewer, 0.5)
        assert await asyncio.to_thread(can_paste, desktop, "typed elsewhere") is (rules is IN)
