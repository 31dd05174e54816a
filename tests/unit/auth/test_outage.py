"""How long an outage is: only what was looked at counts."""

from hypothesis import given
from hypothesis import strategies as st

from auth.outage import LONGEST_GAP, Outage


def test_it_lasts_from_the_first_to_the_last_look() -> None:
    outage = Outage()
    assert not outage.going_on
    assert outage.silent(100.0) == 0.0
    assert outage.silent(100.0 + LONGEST_GAP) == LONGEST_GAP
    assert outage.going_on
    outage.answered()
    assert not outage.going_on
    assert outage.silent(200.0) == 0.0


def test_a_gap_or_a_clock_that_runs_back_begins_again() -> None:
    outage = Outage()
    outage.silent(100.0)
    assert outage.silent(100.1 + LONGEST_GAP) == 0.0
    assert outage.silent(90.0) == 0.0
    assert outage.silent(91.0) == 1.0


@given(st.lists(st.tuples(st.floats(0, 200), st.booleans()), max_size=40))
def test_it_is_never_longer_than_the_silence_without_a_long_gap(looks: list[tuple[float, bool]]) -> None:
    """Against a naive walk over all looks."""
    outage, now, begun, last = Outage(), 1000.0, None, 0.0
    for step, silent in looks:
        now += step
        if not silent:
            outage.answered()
            begun = None
            continue
        if begun is None or now - last > LONGEST_GAP:
            begun = now
        last = now
        assert outage.silent(now) == now - begun
