"""Random lives of a session, against the table."""

from hypothesis import given
from hypothesis import strategies as st

from broker.states import INITIAL, LIVE, SessionEvent, SessionState, advance
from common.errors import InvalidTransition


@given(st.lists(st.sampled_from(SessionEvent), max_size=40))
def test_no_sequence_of_events_revives_a_session_whose_end_was_decided(events: list[SessionEvent]) -> None:
    state, decided = INITIAL, False
    for event in events:
        try:
            state = advance(state, event)
        except InvalidTransition:
            continue
        decided = decided or event is SessionEvent.END
        assert decided is (state not in LIVE)
    assert (state is SessionState.ENDED) <= decided


@given(st.lists(st.sampled_from(SessionEvent), max_size=40))
def test_nobody_is_attached_before_the_desktop_was_ready(events: list[SessionEvent]) -> None:
    state, ready = INITIAL, False
    for event in events:
        try:
            state = advance(state, event)
        except InvalidTransition:
            continue
        ready = ready or event is SessionEvent.READY
        assert ready or state is not SessionState.ACTIVE
