"""What is due when the clock moves on."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from broker.limits import Due, DueStep, Limits, SignsOfLife, due
from broker.models import DesktopSession, EndReason
from broker.states import SessionState
from common.ids import DesktopId, PoolId, SessionId, TenantId, UserId, WebSessionId
from policy.model import Obligations

NOW = datetime(2026, 4, 1, tzinfo=UTC)
LIMITS = Limits(node_lost=timedelta(seconds=30), start=timedelta(seconds=120), request=timedelta(seconds=60))
SESSION = DesktopSession(
    tenant_id=TenantId("city"),
    id=SessionId("ses_1"),
    user_id=UserId("usr_1"),
    username="sato",
    display_name="佐藤",
    pool_id=PoolId("office"),
    desktop_id=DesktopId("dsk_1"),
    state=SessionState.READY,
    end_reason=None,
    short_code="K7Q2",
    web_session_id=WebSessionId("web_1"),
    viewer=0,
    node="gw-1",
    obligations=Obligations(),
    created_at=NOW,
    state_since=NOW,
    active_since=None,
    seen_at=None,
    keep_until=None,
    expires_at=NOW + timedelta(hours=8),
    ended_at=None,
    worked_seconds=0.0,
)


def _at(state: SessionState, **over: object) -> DesktopSession:
    return replace(SESSION, state=state, **over)  # type: ignore[arg-type]  # fields by name


_LONG_AGO = NOW - timedelta(days=1)
_FAILED = Due(DueStep.END, EndReason.DESKTOP_FAILED)


@pytest.mark.parametrize(
    ("session", "expected"),
    [
        (_at(SessionState.READY), None),
        (_at(SessionState.READY, keep_until=NOW + timedelta(seconds=1)), None),
        (_at(SessionState.READY, keep_until=NOW), Due(DueStep.END, EndReason.IDLE)),
        (_at(SessionState.DISCONNECTED, keep_until=NOW), Due(DueStep.END, EndReason.IDLE)),
        (_at(SessionState.ACTIVE, seen_at=NOW - timedelta(seconds=30)), None),
        (_at(SessionState.ACTIVE, seen_at=NOW - timedelta(seconds=31)), Due(DueStep.LOSE_VIEWER)),
        (_at(SessionState.ACTIVE, seen_at=NOW, expires_at=NOW), Due(DueStep.END, EndReason.TOTAL_LIMIT)),
        (_at(SessionState.QUEUED, state_since=_LONG_AGO), None),
        (_at(SessionState.QUEUED, expires_at=NOW), Due(DueStep.END, EndReason.TOTAL_LIMIT)),
        (_at(SessionState.REQUESTED, state_since=NOW - timedelta(seconds=60)), None),
        (_at(SessionState.REQUESTED, state_since=NOW - timedelta(seconds=61)), _FAILED),
        (_at(SessionState.STARTING, seen_at=NOW, state_since=NOW - timedelta(seconds=120)), None),
        (_at(SessionState.STARTING, seen_at=NOW, state_since=NOW - timedelta(seconds=121)), _FAILED),
        (_at(SessionState.STARTING, seen_at=NOW - timedelta(seconds=31)), Due(DueStep.REQUEUE)),
        (_at(SessionState.ENDING, expires_at=_LONG_AGO), Due(DueStep.STOP)),
        (_at(SessionState.ENDED, expires_at=_LONG_AGO, keep_until=_LONG_AGO), None),
    ],
)
def test_due(session: DesktopSession, expected: Due | None) -> None:
    assert due(session, NOW, LIMITS) == expected


def test_working_time_counts_only_with_a_viewer_and_never_backwards() -> None:
    watched = _at(SessionState.ACTIVE, active_since=NOW, worked_seconds=100.7)
    assert watched.active_seconds(NOW + timedelta(seconds=9.5)) == 110
    assert watched.active_seconds(NOW - timedelta(hours=1)) == 100
    assert _at(SessionState.DISCONNECTED, worked_seconds=100.7).active_seconds(NOW + timedelta(hours=1)) == 100


def test_silence_is_no_proof_of_death_while_nobody_could_speak() -> None:
    signs = SignsOfLife(timedelta(seconds=30))

    def given(second: int, *, step: int = 0) -> None:
        signs.given(NOW + timedelta(seconds=second + step), float(second))

    def count(second: int, *, step: int = 0) -> bool:
        return signs.count(NOW + timedelta(seconds=second + step), float(second))

    assert count(0), "before the first sign"
    given(0)
    given(5)
    assert count(19)
    assert not count(21), "our own sign is missing: the others' may be, too"
    given(100)
    assert not count(101)
    for second in range(105, 130, 5):
        given(second)
        assert not count(second), "the others have not had a whole period yet"
    given(130)
    assert count(130)
    assert not count(131, step=40), "the clock was set ahead: all signs look old"
    given(135, step=40)
    assert not count(136, step=40)
    for second in range(140, 170, 5):
        given(second, step=40)
    assert count(166, step=40)
