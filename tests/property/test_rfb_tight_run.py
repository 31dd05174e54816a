"""Property of the shortcut for Tight: it changes nothing. A stream fed in sevens never takes it, one fed whole does."""

from hypothesis import example, given, settings
from hypothesis import strategies as st

from gateway.rfb import encodings as enc
from gateway.rfb.rules import RfbRules
from gateway.rfb.target_filter import TargetFilter
from gateway.rfb.tight_run import tight_run
from tests.support import rfb_bytes as rfb

WIDTH, HEIGHT = 300, 200
NO_LAST_RECT = RfbRules(encodings=enc.BROWSER_ENCODINGS - {enc.LAST_RECT})
LAST = rfb.rectangle(enc.LAST_RECT)


def tight(control: int, size: int, place: tuple[int, int, int, int]) -> bytes:
    """A Tight rectangle: a fill, or anything with a compact length that may be a forged one."""
    x, y, width, height = place
    body = b"rgb" if control & 0xF0 == 0x80 else rfb.compact(size) + b"z" * min(size, 20_000)
    return rfb.rectangle(enc.TIGHT, bytes((control,)) + body, x=x, y=y, width=width, height=height)


def stream_of(parts: list[tuple[list[bytes], bool]]) -> bytes:
    """Updates, each counted or ended by LastRect."""
    return b"".join(
        rfb.update(*rectangles, LAST, count=0xFFFF) if last else rfb.update(*rectangles) for rectangles, last in parts
    )


places = st.one_of(
    st.just((0, 0, 100, 100)),
    st.tuples(st.integers(0, 40), st.integers(0, 40), st.integers(0, 260), st.integers(0, 160)),
    st.tuples(st.integers(0, 310), st.integers(0, 210), st.integers(0, 310), st.integers(0, 210)),
)
sizes = st.one_of(st.integers(0, 140), st.integers(120, 5000), st.sampled_from([16_383, 16_384, 17_000, 40_000]))
controls = st.sampled_from([0x90, 0x90, 0x90, 0x80, 0x8F, 0x9F, 0x00, 0xA0])
rectangles = st.one_of(
    st.builds(tight, controls, sizes, places),
    st.builds(tight, controls, sizes, places),
    st.just(rfb.rectangle(enc.COPY_RECT, b"abcd", width=3, height=2)),
    st.just(rfb.rectangle(enc.DESKTOP_SIZE, width=90, height=90)),
    st.just(LAST),
)
streams = st.lists(st.tuples(st.lists(rectangles, max_size=4), st.booleans()), min_size=1, max_size=8).map(stream_of)


def run(stream: bytes, step: int, rules: RfbRules) -> tuple[bytes, str, int, int]:
    """What comes out, the error, and the framebuffer's size as understood."""
    link = rfb.link(WIDTH, HEIGHT, rules)
    target = TargetFilter(link)
    out = b"".join(bytes(part) for at in range(0, len(stream), step) for part in target.feed(stream[at : at + step]))
    return out, "" if target.error is None else target.error.reason, link.width, link.height


JPEG = tight(0x90, 600, (0, 0, 100, 100))
SHORT = rfb.rectangle(enc.TIGHT, b"\x90" + rfb.compact(100) + b"\1" * 100, width=9, height=9)


def behind_an_open_update(second: bytes) -> bytes:
    """Where the shortest way is: an update of unknown count, then one that begins with `second`."""
    return b"".join(rfb.update(rectangle, LAST, count=0xFFFF) for rectangle in (JPEG, second, JPEG))


@settings(deadline=None, max_examples=300)
@example(stream=rfb.update(JPEG, LAST, count=0xFFFF), after=b"\2" * 40, last_rect=True)
@example(stream=rfb.update(JPEG, LAST, JPEG, count=0xFFFF), after=b"\2" * 40, last_rect=False)
@example(stream=rfb.update(JPEG, tight(0x90, 16_383, (0, 0, 0, 0))), after=b"", last_rect=True)
@example(stream=behind_an_open_update(tight(0x90, 600, (250, 0, 51, 9))), after=b"", last_rect=True)
@example(stream=behind_an_open_update(tight(0x90, 600, (0, 190, 9, 11))), after=b"", last_rect=True)
@example(stream=behind_an_open_update(tight(0xA0, 600, (0, 0, 9, 9))), after=b"", last_rect=True)
@example(stream=behind_an_open_update(SHORT), after=b"", last_rect=True)
@example(stream=behind_an_open_update(tight(0x90, 16_383, (0, 0, 1, 1))), after=b"", last_rect=True)
@example(stream=behind_an_open_update(rfb.rectangle(enc.ZRLE, b"\x90\x81\1" * 99)), after=b"", last_rect=True)
@given(
    stream=streams,
    after=st.sampled_from([b"", b"\2" * 40, b"\xfe" * 40, b"\2" + rfb.update() * 12]),
    last_rect=st.booleans(),
)
def test_the_shortcut_changes_nothing(stream: bytes, after: bytes, last_rect: bool) -> None:
    rules = RfbRules() if last_rect else NO_LAST_RECT
    assert run(stream + after, len(stream + after), rules) == run(stream + after, 7, rules)


def test_runs_are_walked_in_one_call() -> None:
    """What TigerVNC sends of a busy screen, and what others send: otherwise the shortcut is there in vain."""
    behind = b"\2" * 40
    endless = rfb.update(JPEG, LAST, count=0xFFFF) * 9
    assert tight_run(endless + behind, 0, len(endless + behind), 0, WIDTH, HEIGHT) == (len(endless) - len(LAST), 0xFFFE)
    counted = rfb.update(tight(0x80, 0, (0, 0, 9, 9)), JPEG) * 9 + rfb.update()
    assert tight_run(counted + behind, 0, len(counted + behind), 0, WIDTH, HEIGHT) == (len(counted), 0)
