"""Every message of wire.md A3: passes, is rebuilt, is dropped, or ends the session."""

import struct

import pytest

from gateway.rfb.encodings import EXTENDED_CLIPBOARD, EXTENDED_MOUSE_BUTTONS, JPEG_QUALITY
from gateway.rfb.errors import LimitExceeded, ViewerProtocolError
from gateway.rfb.link import ClipboardBlocked, ClipboardPassed, RfbLink
from gateway.rfb.rules import RfbRules
from gateway.rfb.viewer_filter import MAX_CUT_TEXT, ViewerFilter
from tests.support import rfb_bytes as rfb

CAPS, REQUEST, PEEK, NOTIFY, PROVIDE = (1 << bit for bit in (24, 25, 26, 27, 28))
BOTH = RfbRules(clipboard_in_chars=100, clipboard_out_chars=100)
IN = RfbRules(clipboard_in_chars=100)
OUT = RfbRules(clipboard_out_chars=100)


def run(message: bytes, rules: RfbRules | None = None, link: RfbLink | None = None) -> bytes:
    """What comes out of a fresh filter, which must not have failed."""
    viewer = ViewerFilter(link or rfb.link(rules=rules))
    out = b"".join(viewer.feed(message))
    assert viewer.error is None
    return out


def test_a_chunk_in_which_all_passes_is_the_same_object() -> None:
    chunk = rfb.pointer() + rfb.key() + rfb.request()
    (out,) = ViewerFilter(rfb.link()).feed(chunk)
    assert out is chunk


def test_set_pixel_format_and_xvp_are_swallowed() -> None:
    assert run(b"\0" * 20 + rfb.key() + b"\xfa\0\1\2") == rfb.key()


def test_set_encodings_is_cut_to_the_allow_list_in_the_viewers_order() -> None:
    asked = (-307, 7, 5, 16, -309, -259, 0, EXTENDED_CLIPBOARD, -239, 7, 50)
    assert run(rfb.encodings(*asked)) == rfb.encodings(7, 16, 0, -239)
    assert run(rfb.encodings(*asked), OUT) == rfb.encodings(7, 16, 0, EXTENDED_CLIPBOARD, -239)


def test_the_picture_is_asked_for_in_no_better_quality_than_the_rules_allow() -> None:
    level = JPEG_QUALITY
    capped = RfbRules(max_quality=6)
    assert run(rfb.encodings(7, level[9], 0), capped) == rfb.encodings(7, level[6], 0)
    assert run(rfb.encodings(7, level[9], level[7], level[6]), capped) == rfb.encodings(7, level[6])
    assert run(rfb.encodings(7, level[2]), capped) == rfb.encodings(7, level[2])
    assert run(rfb.encodings(7, 0), capped) == rfb.encodings(7, 0, level[6])
    assert run(rfb.encodings(16, 0), capped) == rfb.encodings(16, 0)
    viewer = ViewerFilter(rfb.link())
    viewer.feed(rfb.encodings(7, level[9]))
    assert viewer.set_rules(RfbRules(max_quality=2)) == [rfb.encodings(7, level[2])]
    assert viewer.set_rules(RfbRules()) == [rfb.encodings(7, level[9])]


def test_an_empty_or_wholly_forbidden_list_becomes_raw() -> None:
    assert run(rfb.encodings()) == rfb.encodings(0)
    assert run(rfb.encodings(5, -307)) == rfb.encodings(0)


def test_too_many_encodings_end_the_session() -> None:
    viewer = ViewerFilter(rfb.link())
    assert viewer.feed(struct.pack(">BxH", 2, 257)) == []
    assert isinstance(viewer.error, LimitExceeded)


def test_update_requests_are_clamped_to_the_framebuffer() -> None:
    assert run(rfb.request(600, 400, 640, 480)) == rfb.request(600, 400, 40, 80)
    assert run(rfb.request(65535, 65535, 65535, 65535)) == rfb.request(640, 480, 0, 0)
    assert run(rfb.request(incremental=9)) == rfb.request(incremental=1)


def test_mask_bit_7_is_cleared_until_the_target_confirmed_extended_buttons() -> None:
    assert run(rfb.pointer(mask=0x81)) == rfb.pointer(mask=1)
    link = rfb.link()
    link.extended_mouse = True
    event = rfb.pointer(mask=0x81, high=3)
    assert run(event + rfb.key(), link=link) == event + rfb.key()
    assert run(rfb.pointer(mask=1) + rfb.key(), link=link) == rfb.pointer(mask=1) + rfb.key()


def test_a_confirmed_extension_stays_in_later_lists() -> None:
    link = rfb.link()
    link.extended_mouse = True
    assert run(rfb.encodings(0), link=link) == rfb.encodings(0, EXTENDED_MOUSE_BUTTONS)


def test_the_qemu_key_needs_confirmation_and_other_255_messages_end_the_session() -> None:
    assert run(rfb.qemu_key()) == b""
    link = rfb.link()
    link.extended_key = True
    assert run(rfb.qemu_key(), link=link) == rfb.qemu_key()
    viewer = ViewerFilter(link)
    viewer.feed(b"\xff\1\0\0")
    assert isinstance(viewer.error, ViewerProtocolError)


def test_view_only_drops_input_and_still_counts_it() -> None:
    link = rfb.link(rules=RfbRules(view_only=True))
    link.extended_key = link.extended_mouse = True
    viewer = ViewerFilter(link)
    chunk = rfb.key() + rfb.pointer() + rfb.pointer(mask=0x80, high=1) + rfb.qemu_key() + rfb.resize(800, 600)
    assert viewer.feed(chunk + rfb.request()) == [rfb.request()]
    assert viewer.inputs == 4


def test_fences_pass_only_as_answers() -> None:
    link = rfb.link()
    link.fences.append(b"abc")
    assert run(rfb.fence(b"abc", 0x80000007), link=link) == b""
    assert run(rfb.fence(b"xyz", 1), link=link) == b""
    assert run(rfb.fence(b"abc", 0x0000FF07), link=link) == rfb.fence(b"abc", 7)
    assert run(rfb.fence(b"abc", 1), link=link) == b""
    viewer = ViewerFilter(link)
    viewer.feed(rfb.fence(b"a" * 65, 1))
    assert isinstance(viewer.error, LimitExceeded)


def test_continuous_updates_need_the_targets_announcement() -> None:
    message = b"\x96\1" + struct.pack(">HHHH", 0, 0, 9999, 9999)
    assert run(message) == b""
    link = rfb.link()
    link.continuous_updates = True
    assert run(message, link=link) == b"\x96\1" + struct.pack(">HHHH", 0, 0, 640, 480)


def test_desktop_size_is_clamped_and_may_be_forbidden() -> None:
    rules = RfbRules(max_width=1000, max_height=900)
    assert run(rfb.resize(4000, 300), rules) == rfb.resize(1000, 300)
    assert run(rfb.resize(0, 300), rules) == b""
    assert run(rfb.resize(800, 600), RfbRules(allow_resize=False)) == b""
    for screens in (0, 2):
        viewer = ViewerFilter(rfb.link())
        viewer.feed(rfb.resize(800, 600, screens))
        assert isinstance(viewer.error, ViewerProtocolError)


@pytest.mark.parametrize(
    "kind", [1, 7, 8, 9, 10, 11, 12, 13, 15, 20, 21, 80, 127, 130, 131, 132, 133, 134, 135, 136, 173, 252, 253, 254]
)
def test_file_transfer_chat_scaling_and_unknown_messages_end_the_session(kind: int) -> None:
    viewer = ViewerFilter(rfb.link(rules=BOTH))
    assert viewer.feed(rfb.key() + bytes((kind,)) + b"\0" * 40) == [rfb.key()]
    assert isinstance(viewer.error, ViewerProtocolError)
    assert viewer.feed(rfb.key()) == []


def test_legacy_text_is_off_by_default_and_capped() -> None:
    link = rfb.link()
    assert run(rfb.cut_text(b"secret", 6) + rfb.key(), link=link) == rfb.key()
    assert link.drain() == [ClipboardBlocked(inward=True, why="off")]
    link = rfb.link(rules=IN)
    assert run(rfb.cut_text(b"a" * 100, 6), link=link) == rfb.cut_text(b"a" * 100, 6)
    assert link.drain() == [ClipboardPassed(inward=True, chars=100)]
    assert run(rfb.cut_text(b"a" * 101, 6) + rfb.key(), link=link) == rfb.key()
    assert link.drain() == [ClipboardBlocked(inward=True, why="too_long")]
    assert run(rfb.cut_text(b"", 6), link=link) == rfb.cut_text(b"", 6)
    assert run(rfb.cut_text(b"text", 6), OUT) == b""


def test_an_absurd_text_length_ends_the_session() -> None:
    for length in (MAX_CUT_TEXT + 1, -MAX_CUT_TEXT - 1, -(1 << 31)):
        viewer = ViewerFilter(rfb.link(rules=BOTH))
        viewer.feed(struct.pack(">Bxxxi", 6, length))
        assert isinstance(viewer.error, LimitExceeded)


def test_extended_text_is_inflated_checked_counted_and_packed_again() -> None:
    link = rfb.link(rules=IN)
    text = "漢字と絵文字😀\r\n".encode()
    out = run(rfb.provide(text + b"\0", 6), link=link)
    assert out == rfb.provide(text + b"\0", 6)
    assert link.drain() == [ClipboardPassed(inward=True, chars=8)]  # CR LF is one
    # Bytes behind the terminator, and further formats, do not travel.
    assert run(rfb.provide(text + b"\0hidden", 6, flags=PROVIDE | 7), link=link) == rfb.provide(text + b"\0", 6)


def test_extended_text_is_capped_in_characters_not_bytes() -> None:
    assert run(rfb.provide("あ".encode() * 100 + b"\0", 6), IN) != b""
    link = rfb.link(rules=IN)
    assert run(rfb.provide("あ".encode() * 101 + b"\0", 6), link=link) == b""
    assert run(rfb.provide(b"\0" * 50_000_000, 6), link=link) == b""
    assert run(rfb.provide(b"x", 6, size=0xFFFFFFFF), link=link) == b""
    assert run(rfb.provide(b"\xff\xfe\0", 6), link=link) == b""
    assert link.drain() == [ClipboardBlocked(True, "too_long", 3), ClipboardBlocked(True, "not_text")]


def test_extended_messages_follow_the_direction() -> None:
    notify = rfb.extended(NOTIFY | 0xFFFF, b"", 6)
    ask = rfb.extended(REQUEST | 0xFFFF, b"", 6)
    peek = rfb.extended(PEEK, b"", 6)
    assert run(notify, IN) == rfb.extended(NOTIFY | 1, b"", 6)
    assert run(notify, OUT) == b""
    assert run(ask, OUT) == rfb.extended(REQUEST | 1, b"", 6)
    assert run(peek, OUT) == peek
    assert run(ask + peek, IN) == b""
    assert run(rfb.extended(REQUEST | 2, b"", 6), OUT) == b""
    assert run(notify + ask + rfb.provide(b"x\0", 6)) == b""
    link = rfb.link(rules=OUT)
    assert run(rfb.provide(b"x\0", 6), link=link) == b""
    assert link.drain() == [ClipboardBlocked(inward=True, why="off")]
    assert run(rfb.provide(b"x\0", 6, flags=PROVIDE | 2), IN) == b""


def test_capabilities_are_cut_to_text_and_offer_no_more_unasked_than_may_pass() -> None:
    caps = rfb.extended(CAPS | REQUEST | PEEK | NOTIFY | PROVIDE | 3, struct.pack(">II", 1 << 20, 5), 6)
    actions = CAPS | REQUEST | PEEK | NOTIFY | PROVIDE  # exchanged once, while rules may change later
    assert run(caps, IN) == rfb.extended(actions | 1, struct.pack(">I", 0), 6)
    assert run(caps, OUT) == rfb.extended(actions | 1, struct.pack(">I", 400), 6)
    assert run(rfb.extended(CAPS | NOTIFY | 2, struct.pack(">I", 1), 6), OUT) == b""


@pytest.mark.parametrize(
    "message",
    [
        struct.pack(">Bxxxi", 6, -3) + b"abc",
        rfb.extended(0, b"", 6),
        rfb.extended(NOTIFY | REQUEST, b"", 6),
        rfb.extended(CAPS | 3, b"\0\0\0\0", 6),
        rfb.extended(PROVIDE | 1, b"not zlib", 6),
        rfb.extended(PROVIDE | 1, b"", 6),
        rfb.provide(b"short", 6, size=50),
    ],
)
def test_malformed_extended_messages_end_the_session(message: bytes) -> None:
    viewer = ViewerFilter(rfb.link(rules=BOTH))
    assert viewer.feed(message) == []
    assert isinstance(viewer.error, ViewerProtocolError)


def test_rules_change_from_the_next_message_on() -> None:
    viewer = ViewerFilter(rfb.link())
    assert viewer.set_rules(IN) == []  # the viewer has not said what it wants
    viewer.set_rules(RfbRules())
    viewer.feed(rfb.encodings(7, EXTENDED_CLIPBOARD))
    assert viewer.feed(rfb.cut_text(b"one", 6)) == []
    assert viewer.set_rules(IN) == [rfb.encodings(7, EXTENDED_CLIPBOARD)]
    assert viewer.set_rules(BOTH) == []
    assert viewer.feed(rfb.cut_text(b"two", 6)) == [rfb.cut_text(b"two", 6)]
    half = rfb.cut_text(b"three", 6)
    assert viewer.feed(half[:10]) == []
    assert viewer.set_rules(RfbRules(view_only=True)) == [rfb.encodings(7)]
    assert viewer.feed(half[10:] + rfb.key()) == []  # what was on its way is judged by the rules of its end
    assert viewer.error is None


def test_events_add_up() -> None:
    link = rfb.link()
    ViewerFilter(link).feed(rfb.cut_text(b"", 6) * 10_000)
    assert link.drain() == [ClipboardBlocked(inward=True, why="off", texts=10_000)]
    assert link.drain() == []


def test_a_text_of_one_byte_pieces_costs_linear_time_and_bounded_memory() -> None:
    viewer = ViewerFilter(rfb.link(rules=RfbRules(clipboard_in_chars=10**9)))
    viewer.feed(struct.pack(">Bxxxi", 6, 65_536))
    for _ in range(65_535):
        viewer.feed(b"x")
    assert viewer.held_bytes == 65_535
    assert viewer.feed(b"x") == [rfb.cut_text(b"x" * 65_536, 6)]
    assert viewer.held_bytes == 0
