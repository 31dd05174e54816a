"""Property of the clipboard's rate: in no stretch of time pass more texts than it allows, however they come."""

from itertools import accumulate

from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.rfb.link import MAX_TEXTS, TEXTS_A_SECOND, ClipboardBlocked, ClipboardPassed, RfbEvent
from gateway.rfb.pace import Pace
from gateway.rfb.rules import RfbRules
from gateway.rfb.target_filter import TargetFilter
from gateway.rfb.viewer_filter import ViewerFilter
from tests.support import rfb_bytes as rfb

OPEN = RfbRules(clipboard_in_chars=200, clipboard_out_chars=200)
gaps = st.one_of(st.just(0.0), st.floats(0, 0.5), st.floats(0, 200))
crowd = st.tuples(st.just(70), gaps)
few = st.tuples(st.integers(1, 5), gaps)


@settings(deadline=None)
@given(st.lists(st.one_of(crowd, few), min_size=1, max_size=12), st.integers(1, 80), st.floats(0.1, 50))
def test_a_pace_never_gives_more_than_it_says(groups: list[tuple[int, float]], burst: int, rate: float) -> None:
    pace, taken = Pace(burst, rate), []
    times = accumulate((gap for _, gap in groups), initial=12_345.0)
    for (count, _), now in zip(groups, times, strict=False):
        taken += [now for _ in range(count) if pace.take(now)]
    for first in range(len(taken)):
        for last in range(first, len(taken)):
            assert last - first + 1 <= burst + rate * (taken[last] - taken[first]) + 1e-6


@settings(deadline=None)
@given(
    st.lists(st.tuples(st.booleans(), st.one_of(crowd, few)), min_size=1, max_size=6),
    st.booleans(),
    st.lists(st.integers(0, 5000), max_size=5),
)
def test_texts_over_the_rate_are_dropped_and_noted_in_both_directions(
    groups: list[tuple[bool, tuple[int, float]]], inward: bool, at: list[int]
) -> None:
    """Whole or cut anywhere, as legacy text or extended one: the same goes out."""
    results = []
    for cuts in ([], at):
        shared, out, now = rfb.link(rules=OPEN), b"", 500.0
        filtered: ViewerFilter | TargetFilter = ViewerFilter(shared) if inward else TargetFilter(shared)
        events: list[RfbEvent] = []
        kind = 6 if inward else 3
        passed_at: list[float] = []
        for extended, (count, gap) in groups:
            now += gap
            shared.now = now
            text = rfb.provide(b"text\0", kind) if extended else rfb.cut_text(b"text", kind)
            stream, begun = text * count, 0
            for place in [*sorted(min(place, len(stream)) for place in cuts), len(stream)]:
                out += b"".join(bytes(part) for part in filtered.feed(stream[begun:place]))
                begun = place
            news = shared.drain()
            passed = sum(event.texts for event in news if isinstance(event, ClipboardPassed))
            blocked = sum(event.texts for event in news if isinstance(event, ClipboardBlocked))
            assert passed + blocked == count
            assert {event.why for event in news if isinstance(event, ClipboardBlocked)} <= {"too_often"}
            passed_at += [now] * passed
            events += news
        assert filtered.error is None
        assert len(passed_at) <= MAX_TEXTS + TEXTS_A_SECOND * (now - 500.0) + 1e-6
        results.append((out, events))
    assert results[0] == results[1]
