"""Every message of wire.md A4 and every rectangle of A5, framed by length; whole chunks pass untouched."""

import struct
from typing import Final

import pytest

from gateway.rfb import encodings as enc
from gateway.rfb.errors import LimitExceeded, ProtocolError, TargetProtocolError
from gateway.rfb.link import ClipboardBlocked, ClipboardPassed, DesktopResized, RfbLink
from gateway.rfb.rules import RfbRules
from gateway.rfb.target_filter import MAX_TAIL, TargetFilter
from tests.support import rfb_bytes as rfb

CAPS, REQUEST, PEEK, NOTIFY, PROVIDE = (1 << bit for bit in (24, 25, 26, 27, 28))
FRAMED = RfbRules(encodings=enc.FRAMED_ENCODINGS)
BELL = b"\2"


def run(stream: bytes, rules: RfbRules | None = None, link: RfbLink | None = None) -> bytes:
    """What comes out of a fresh filter, which must not have failed and must stand between two messages."""
    target = TargetFilter(link or rfb.link(rules=rules))
    out = b"".join(target.feed(stream))
    assert target.error is None
    assert target.held_bytes == 0
    return out


def fail(stream: bytes, rules: RfbRules | None = None) -> tuple[bytes, ProtocolError]:
    """What came out before the error, and the error."""
    target = TargetFilter(rfb.link(rules=rules))
    out = b"".join(target.feed(stream))
    assert target.error is not None
    assert target.feed(BELL) == []
    return out, target.error


def pieces(stream: bytes, rules: RfbRules | None = None) -> None:
    """The stream passes unchanged in one piece and byte by byte, and the filter then understands what follows."""
    stream += BELL
    assert run(stream, rules) == stream
    target = TargetFilter(rfb.link(rules=rules))
    out = bytearray()
    for at in range(len(stream)):
        out += b"".join(target.feed(stream[at : at + 1]))
        assert target.held_bytes <= MAX_TAIL
    assert out == stream


def test_a_chunk_in_which_all_passes_is_the_same_object() -> None:
    chunk = rfb.update(rfb.rectangle(0, b"p" * 16, width=2, height=2)) + BELL
    (out,) = TargetFilter(rfb.link()).feed(chunk)
    assert out is chunk


def tight(control: int, body: bytes, width: int = 20, height: int = 10) -> bytes:
    return rfb.rectangle(enc.TIGHT, bytes((control,)) + body, width=width, height=height)


def packed(length: int) -> bytes:
    return rfb.compact(length) + b"z" * length


@pytest.mark.parametrize(
    "rectangle",
    [
        rfb.rectangle(enc.RAW, b"p" * 4 * 6, width=3, height=2),
        rfb.rectangle(enc.RAW, width=0, height=5),
        rfb.rectangle(enc.COPY_RECT, b"abcd", width=3, height=2),
        rfb.rectangle(enc.ZRLE, struct.pack(">I", 5) + b"zzzzz", width=3, height=2),
        rfb.rectangle(enc.ZRLE, struct.pack(">I", 0), width=3, height=2),
        tight(0x80, b"rgb"),
        tight(0x8F, b"rgb"),
        tight(0x90, packed(200)),
        tight(0x00, packed(127)),
        tight(0x10, packed(128)),
        tight(0x20, packed(600)),
        tight(0x30, packed(1000)),
        tight(0x40, b"\0" + packed(300)),
        tight(0x50, b"\2" + packed(300)),
        tight(0x60, b"\1\1" + b"c" * 6 + packed(30)),
        tight(0x60, b"\1\xff" + b"c" * 768 + packed(150)),
        tight(0x40, b"\1\1" + b"c" * 6 + b"12345678901", width=8, height=11),
        tight(0x40, b"\1\2" + b"c" * 9 + b"12345678901", width=11, height=1),
        tight(0x00, b"123456789", width=3, height=1),
        tight(0x00, packed(13), width=2, height=2),
        rfb.rectangle(enc.TIGHT, b"\x90" + packed(15_645), width=500, height=2),
        rfb.rectangle(enc.CURSOR, b"p" * (9 * 2 * 4 + 2 * 2), x=600, y=470, width=9, height=2),
        rfb.rectangle(enc.VMWARE_CURSOR, b"\0\0" + b"p" * 3 * 2 * 8, width=3, height=2),
        rfb.rectangle(enc.VMWARE_CURSOR, b"\1\0" + b"p" * 3 * 2 * 4, width=3, height=2),
        rfb.rectangle(enc.LED_STATE, b"\7"),
        rfb.rectangle(enc.QEMU_EXTENDED_KEY),
        rfb.rectangle(enc.EXTENDED_MOUSE_BUTTONS),
        rfb.rectangle(enc.EXTENDED_DESKTOP_SIZE, b"\2\0\0\0" + b"s" * 32, width=800, height=600),
        rfb.rectangle(enc.DESKTOP_SIZE, width=800, height=600),
    ],
)
def test_browser_rectangles_pass_by_length(rectangle: bytes) -> None:
    pieces(rfb.update(rectangle, rfb.rectangle(enc.COPY_RECT, b"abcd", width=1, height=1)))


HEXTILE = (
    b"\1" + b"p" * 16 * 16 * 4,
    b"\x02BBBB",
    b"\x0eBBBBFFFF\3" + b"xy" * 3,
    b"\x18\2" + b"CCCCxy" * 2,
    b"\0",
    b"\1" + b"p" * 2 * 5 * 4,
)


@pytest.mark.parametrize(
    "rectangle",
    [
        rfb.rectangle(enc.RRE, struct.pack(">I", 2) + b"back" + b"s" * 24, width=3, height=2),
        rfb.rectangle(enc.CORRE, struct.pack(">I", 2) + b"back" + b"s" * 16, width=3, height=2),
        rfb.rectangle(enc.ZLIB, struct.pack(">I", 9) + b"z" * 9, width=3, height=2),
        rfb.rectangle(enc.HEXTILE, b"".join(HEXTILE), width=34, height=21),
        rfb.rectangle(enc.HEXTILE, width=0, height=21),
        rfb.rectangle(enc.TIGHT_PNG, b"\xa0" + packed(40), width=3, height=2),
        rfb.rectangle(enc.TIGHT_PNG, b"\x80rgb", width=3, height=2),
        rfb.rectangle(enc.X_CURSOR, b"rgbrgb" + b"m" * 8, width=9, height=2),
        rfb.rectangle(enc.X_CURSOR),
        rfb.rectangle(enc.CURSOR_WITH_ALPHA, b"\0\0\0\0" + b"p" * 24, width=3, height=2),
    ],
)
def test_the_other_encodings_are_framed_behind_the_allow_list(rectangle: bytes) -> None:
    pieces(rfb.update(rectangle, rfb.rectangle(enc.RAW, b"last", width=1, height=1)), FRAMED)
    out, error = fail(rfb.update(rectangle))
    assert out == b"\0\0\0\1"
    assert isinstance(error, TargetProtocolError)


def test_hextile_tiles_of_every_kind() -> None:
    stream = rfb.update(rfb.rectangle(enc.HEXTILE, b"".join(HEXTILE[:5]), width=80, height=16))
    pieces(stream, FRAMED)
    out, error = fail(rfb.update(rfb.rectangle(enc.HEXTILE, b"\x20", width=16, height=16)), FRAMED)
    assert len(out) == 16
    assert isinstance(error, TargetProtocolError)


def test_last_rect_ends_an_update_of_any_count() -> None:
    raw = rfb.rectangle(enc.RAW, b"1234", width=1, height=1)
    pieces(rfb.update(raw, raw, rfb.rectangle(enc.LAST_RECT), count=65535))
    pieces(rfb.update(raw, rfb.rectangle(enc.LAST_RECT), count=9))


@pytest.mark.parametrize(
    ("rectangle", "kind"),
    [
        (rfb.rectangle(enc.RAW, width=641, height=1), TargetProtocolError),
        (rfb.rectangle(enc.TIGHT, x=600, width=41, height=1), TargetProtocolError),
        (rfb.rectangle(enc.COPY_RECT, y=480, width=1, height=1), TargetProtocolError),
        (tight(0xA0, b""), TargetProtocolError),
        (tight(0xF0, b""), TargetProtocolError),
        (tight(0x40, b"\3"), TargetProtocolError),
        (tight(0x00, rfb.compact(4_000_000)), LimitExceeded),
        (rfb.rectangle(enc.ZRLE, struct.pack(">I", 1 << 31), width=3, height=2), LimitExceeded),
        (rfb.rectangle(enc.CURSOR, width=257, height=1), LimitExceeded),
        (rfb.rectangle(enc.VMWARE_CURSOR, b"\2\0", width=1, height=1), TargetProtocolError),
        (rfb.rectangle(enc.EXTENDED_DESKTOP_SIZE, b"\x41\0\0\0", width=800, height=600), LimitExceeded),
        (rfb.rectangle(enc.EXTENDED_DESKTOP_SIZE, b"\1\0\0\0", width=8193, height=600), LimitExceeded),
        (rfb.rectangle(enc.DESKTOP_SIZE, width=800, height=65535), LimitExceeded),
        (rfb.rectangle(12345, width=1, height=1), TargetProtocolError),
        (rfb.rectangle(enc.FENCE), TargetProtocolError),
    ],
)
def test_rectangles_that_end_the_session(rectangle: bytes, kind: type[ProtocolError]) -> None:
    out, error = fail(rfb.update(rectangle))
    assert out == b"\0\0\0\1"
    assert type(error) is kind


@pytest.mark.parametrize(
    ("rectangle", "kind"),
    [
        (rfb.rectangle(enc.RRE, struct.pack(">I", 7), width=3, height=2), LimitExceeded),
        (rfb.rectangle(enc.TIGHT_PNG, b"\0", width=3, height=2), TargetProtocolError),
        (rfb.rectangle(enc.CURSOR_WITH_ALPHA, b"\0\0\0\7", width=3, height=2), TargetProtocolError),
        (rfb.rectangle(enc.HEXTILE, width=641, height=1), TargetProtocolError),
    ],
)
def test_other_encodings_that_end_the_session(rectangle: bytes, kind: type[ProtocolError]) -> None:
    _, error = fail(rfb.update(rectangle), FRAMED)
    assert type(error) is kind


NEVER_ASKED: Final = {
    9: "Ultra",
    17: "ZYWRLE",
    21: "JPEG",
    50: "H.264",
    -307: "DesktopName",
    -232: "pointer position",
    -257: "pointer kind",
    -259: "QEMU audio",
    -305: "gii",
    -309: "xvp",
    **{0x574D5660 + number: f"VMware {number:x}" for number in range(5, 11)},
    **{number - (1 << 32): f"libvncserver {number:x}" for number in range(0xFFFE0000, 0xFFFE0004)},
}
"""All that servers are known to send and that no list of ours holds."""


@pytest.mark.parametrize("encoding", NEVER_ASKED, ids=NEVER_ASKED.__getitem__)
@pytest.mark.parametrize("rules", [RfbRules(), FRAMED], ids=["browser", "framed"])
def test_encodings_never_asked_for_end_the_session(encoding: int, rules: RfbRules) -> None:
    out, error = fail(rfb.update(rfb.rectangle(encoding, b"\0" * 64, width=1, height=1)), rules)
    assert out == b"\0\0\0\1"
    assert isinstance(error, TargetProtocolError)


@pytest.mark.parametrize("kind", [1, 4, 7, 11, 13, 15, 127, 173, 252, 253, 254, 255])
def test_messages_never_asked_for_end_the_session(kind: int) -> None:
    out, error = fail(BELL + bytes((kind,)) + b"\0" * 20)
    assert out == BELL
    assert isinstance(error, TargetProtocolError)


def test_xvp_is_dropped_and_the_rest_goes_on() -> None:
    assert run(BELL + b"\xfa\0\1\2" + BELL) == BELL + BELL


def test_a_new_size_moves_the_bounds_and_is_told_once() -> None:
    link = rfb.link()
    bigger = rfb.rectangle(enc.EXTENDED_DESKTOP_SIZE, b"\1\0\0\0" + b"s" * 16, width=1024, height=768)
    raw = rfb.rectangle(enc.COPY_RECT, b"abcd", width=1024, height=768)
    assert run(rfb.update(bigger, raw, bigger), link=link)
    assert link.drain() == [DesktopResized(1024, 768)]
    refused = rfb.rectangle(enc.EXTENDED_DESKTOP_SIZE, b"\0\0\0\0", x=1, y=3, width=9999, height=9999)
    assert run(rfb.update(refused), link=link)
    assert (link.width, link.height) == (1024, 768)


def test_confirmations_are_remembered_for_the_other_direction() -> None:
    link = rfb.link()
    run(
        rfb.update(rfb.rectangle(enc.EXTENDED_MOUSE_BUTTONS), rfb.rectangle(enc.QEMU_EXTENDED_KEY)) + b"\x96", link=link
    )
    assert link.extended_mouse
    assert link.extended_key
    assert link.continuous_updates


def test_fence_requests_are_noted_and_bounded() -> None:
    link = rfb.link()
    run(rfb.fence(b"abc", 0x80000001) + rfb.fence(b"answer", 1), link=link)
    assert list(link.fences) == [b"abc"]
    _, error = fail(rfb.fence(b"x", 0x80000001) * 1025)
    assert isinstance(error, LimitExceeded)
    _, error = fail(rfb.fence(b"x" * 65, 0))
    assert isinstance(error, LimitExceeded)


def test_text_is_off_by_default_and_swallowed_by_count() -> None:
    link = rfb.link()
    stream = rfb.cut_text(b"x" * 70_000, 3) + BELL + rfb.provide(b"y\0", 3) + BELL
    assert run(stream, link=link) == BELL + BELL
    assert link.drain() == [ClipboardBlocked(inward=False, why="off", texts=2)]


def test_text_within_the_cap_passes() -> None:
    rules = RfbRules(clipboard_out_chars=5)
    link = rfb.link(rules=rules)
    stream = rfb.cut_text(b"12345", 3) + BELL
    assert run(stream, link=link) == stream
    assert run(rfb.cut_text(b"123456", 3), link=link) == b""
    assert run(rfb.provide("一二三四五\0".encode(), 3), link=link) == rfb.provide("一二三四五\0".encode(), 3)
    assert run(rfb.provide("一二三四五六\0".encode(), 3), link=link) == b""
    assert run(rfb.provide(b"\0" * 10_000_000, 3), link=link) == b""
    assert link.drain() == [ClipboardPassed(False, chars=10, texts=2), ClipboardBlocked(False, "too_long", texts=3)]


def test_extended_messages_follow_the_direction() -> None:
    caps = rfb.extended(CAPS | REQUEST | PEEK | NOTIFY | PROVIDE | 1, struct.pack(">I", 20 << 20), 3)
    inward, outward = RfbRules(clipboard_in_chars=9), RfbRules(clipboard_out_chars=9)
    actions = CAPS | REQUEST | PEEK | NOTIFY | PROVIDE  # exchanged once, while rules may change later
    assert run(caps, inward) == rfb.extended(actions | 1, struct.pack(">I", 36), 3)
    assert run(caps, outward) == rfb.extended(actions | 1, struct.pack(">I", 0), 3)
    assert run(caps, RfbRules()) == b""
    assert run(rfb.extended(REQUEST | 1, b"", 3), inward) == rfb.extended(REQUEST | 1, b"", 3)
    assert run(rfb.provide(b"y\0", 3) + rfb.cut_text(b"y", 3), inward) == b""


def test_an_absurd_text_length_ends_the_session() -> None:
    for length in (1 << 30, -(1 << 31)):
        _, error = fail(struct.pack(">Bxxxi", 3, length))
        assert isinstance(error, LimitExceeded)
    _, error = fail(struct.pack(">Bxxxi", 3, -2) + b"ab", RfbRules(clipboard_out_chars=5))
    assert isinstance(error, TargetProtocolError)


def test_scan_returns_ranges_of_the_buffer_it_was_given() -> None:
    target = TargetFilter(rfb.link())
    buffer = memoryview(BELL + rfb.cut_text(b"secret", 3) + BELL + b"\0\0")
    assert target.scan(buffer) == [slice(0, 1), slice(15, 16)]
    assert target.tail == b"\0\0"
