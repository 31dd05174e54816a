"""What may happen only so often on the wire: clipboard texts, and a target's messages beside its updates."""

import pytest

from gateway.rfb.errors import LimitExceeded
from gateway.rfb.link import ASIDES_A_SECOND, MAX_ASIDES, MAX_TEXTS, ClipboardBlocked, ClipboardPassed
from gateway.rfb.pace import Pace
from gateway.rfb.rules import RfbRules
from gateway.rfb.target_filter import TargetFilter
from gateway.rfb.viewer_filter import ViewerFilter
from tests.support import rfb_bytes as rfb

OPEN = RfbRules(clipboard_in_chars=200, clipboard_out_chars=200)


def test_a_pace_begins_full_fills_up_again_and_ignores_a_clock_set_back() -> None:
    pace = Pace(2, 0.5)
    assert [pace.take(1000.0) for _ in range(3)] == [True, True, False]
    assert not pace.take(900.0)
    assert pace.take(1002.0)
    assert not pace.take(1002.0)
    assert [pace.take(5000.0) for _ in range(3)] == [True, True, False]


@pytest.mark.parametrize("inward", [True, False])
@pytest.mark.parametrize("extended", [True, False])
def test_sixty_texts_pass_at_once_then_one_in_two_seconds(inward: bool, extended: bool) -> None:
    shared = rfb.link(rules=OPEN)
    filtered = ViewerFilter(shared) if inward else TargetFilter(shared)
    kind = 6 if inward else 3
    text = rfb.provide(b"x" * 200 + b"\0", kind) if extended else rfb.cut_text(b"x" * 200, kind)
    filtered.feed(text * 2427)
    chars = 200 * MAX_TEXTS
    assert shared.drain() == [
        ClipboardPassed(inward, chars, MAX_TEXTS),
        ClipboardBlocked(inward, "too_often", 2427 - MAX_TEXTS),
    ]
    shared.now = 2.0
    filtered.feed(text * 2)
    assert shared.drain() == [ClipboardPassed(inward, 200), ClipboardBlocked(inward, "too_often")]
    assert filtered.error is None


def test_the_directions_have_a_rate_each() -> None:
    shared = rfb.link(rules=OPEN)
    ViewerFilter(shared).feed(rfb.cut_text(b"in", 6) * 100)
    shared.drain()
    TargetFilter(shared).feed(rfb.cut_text(b"out", 3))
    assert shared.drain() == [ClipboardPassed(False, 3)]


def test_a_text_over_the_rate_is_not_even_inflated() -> None:
    shared = rfb.link(rules=OPEN)
    viewer = ViewerFilter(shared)
    viewer.feed(rfb.cut_text(b"x", 6) * MAX_TEXTS)
    assert viewer.feed(rfb.extended(1 << 28 | 1, b"no zlib stream", 6)) == []
    assert viewer.error is None
    assert shared.drain()[-1] == ClipboardBlocked(True, "too_often")


@pytest.mark.parametrize(
    "message", [b"\2", b"\x96", b"\xfa\0\1\1", rfb.fence(b"", 0), rfb.cut_text(b"", 3), b"\2" + rfb.update()]
)
def test_thousands_of_messages_beside_the_updates_end_the_session(message: bytes) -> None:
    """Half a megabyte of bells took the filter half a second, and everybody else with it."""
    target = TargetFilter(rfb.link(rules=OPEN))
    stream = message * (512 * 1024 // len(message))
    out = b"".join(bytes(part) for part in target.feed(stream))
    assert isinstance(target.error, LimitExceeded)
    assert len(out) <= MAX_ASIDES * len(message)


def test_a_desktop_that_rings_all_day_goes_on() -> None:
    shared = rfb.link()
    target = TargetFilter(shared)
    for second in range(300):
        shared.now = float(second)
        target.feed(b"\2" * int(ASIDES_A_SECOND - 1))
    assert target.error is None
