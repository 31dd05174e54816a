"""The life of a session as a table."""

import pytest

from broker.states import ATTACHABLE, INITIAL, LIVE, SEATED, TRANSITIONS, SessionEvent, SessionState, advance, sources
from common.errors import InvalidTransition


def test_every_pair_is_either_in_the_table_or_refused() -> None:
    for state in SessionState:
        for event in SessionEvent:
            if (state, event) in TRANSITIONS:
                assert advance(state, event) is TRANSITIONS[state, event]
                assert state in sources(event)
            else:
                with pytest.raises(InvalidTransition):
                    advance(state, event)
                assert state not in sources(event)


def test_every_state_is_reached_and_every_live_one_can_end() -> None:
    reached = {INITIAL}
    while more := {after for (state, _), after in TRANSITIONS.items() if state in reached} - reached:
        reached |= more
    assert reached == set(SessionState)
    assert {state for state in SessionState if (state, SessionEvent.END) in TRANSITIONS} == LIVE


def test_ended_is_final_and_only_ending_leads_there() -> None:
    assert not any(state is SessionState.ENDED for state, _ in TRANSITIONS)
    assert [pair for pair, after in TRANSITIONS.items() if after is SessionState.ENDED] == [
        (SessionState.ENDING, SessionEvent.FINISH)
    ]


def test_groups_of_states() -> None:
    assert ATTACHABLE < LIVE
    assert ATTACHABLE < SEATED
    assert {SessionState.ENDING} == SEATED - LIVE
    assert set(SessionState) - LIVE - SEATED == {SessionState.ENDED}
