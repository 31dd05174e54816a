"""What is due for a session when the clock moves on, and what time does to its columns. Pure.

Counterparts: `broker/recovery.py` carries it out; `broker/lifecycle.py` and `broker/store/clearing.py` write columns.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from broker.models import DesktopSession, EndReason
from broker.states import LIVE, SessionState


@dataclass(frozen=True, slots=True)
class Limits:
    """How long things may take."""

    node_lost: timedelta
    """Silence after which a gateway's hold on a session counts as gone."""
    start: timedelta
    """Time for a desktop to get ready, with a margin over the starter's own deadline."""
    request: timedelta
    """Time for a request to be recorded and queued; longer means that its gateway died in between."""


class DueStep(StrEnum):
    """What a sweep must do."""

    END = "end"
    STOP = "stop"
    """The end was decided; its desktop must still be stopped."""
    LOSE_VIEWER = "lose_viewer"
    REQUEUE = "requeue"


@dataclass(frozen=True, slots=True)
class Due:
    """One step, and for an end its reason."""

    step: DueStep
    reason: EndReason | None = None


class SignsOfLife:
    """Whether the silence of other gateways says anything: not while this one could give no sign itself, nor until a
    whole period has passed since; and not when the wall clock, by which signs are dated, was set ahead."""

    def __init__(self, period: timedelta) -> None:
        self._period = period
        self._given: tuple[datetime, float] | None = None
        self._count_from = float("-inf")

    def given(self, now: datetime, mono: float) -> None:
        """This gateway's own sign is in the table, dated `now`."""
        if self._given is not None and self._old(now, mono, self._given):
            self._count_from = mono + self._period.total_seconds()
        self._given = (now, mono)

    def count(self, now: datetime, mono: float) -> bool:
        """Whether a gateway that is silent for a period is dead."""
        return self._given is None or (not self._old(now, mono, self._given) and mono >= self._count_from)

    def _old(self, now: datetime, mono: float, sign: tuple[datetime, float]) -> bool:
        half = self._period / 2
        return now - sign[0] > half or mono - sign[1] > half.total_seconds()


def due(session: DesktopSession, now: datetime, limits: Limits) -> Due | None:
    """The first thing that is due, strongest first; None when nothing is."""
    if session.state is SessionState.ENDING:
        return Due(DueStep.STOP)
    if session.state not in LIVE:
        return None
    if session.expires_at <= now:
        return Due(DueStep.END, EndReason.TOTAL_LIMIT)
    age = now - session.state_since
    silent = session.seen_at is not None and now - session.seen_at > limits.node_lost
    match session.state:
        case SessionState.REQUESTED if age > limits.request:
            return Due(DueStep.END, EndReason.DESKTOP_FAILED)
        case SessionState.STARTING if age > limits.start:
            return Due(DueStep.END, EndReason.DESKTOP_FAILED)
        case SessionState.STARTING if silent:
            return Due(DueStep.REQUEUE)
        case SessionState.ACTIVE if silent:
            return Due(DueStep.LOSE_VIEWER)
        case SessionState.READY | SessionState.DISCONNECTED | SessionState.PARKED if (
            session.keep_until and session.keep_until <= now
        ):
            return Due(DueStep.END, EndReason.IDLE)
        case _:
            return None


def worked(session: DesktopSession, until: datetime) -> float:
    """Working seconds up to a moment, the running viewer's included."""
    running = 0.0 if session.active_since is None else (until - session.active_since).total_seconds()
    return session.worked_seconds + max(0.0, running)


def stop_counting(session: DesktopSession, until: datetime) -> dict[str, Any]:
    """Columns of a session whose viewer is gone."""
    return {"active_since": None, "worked_seconds": worked(session, until)}


def parked(session: DesktopSession, now: datetime, keep: timedelta) -> dict[str, Any]:
    """Columns of a session that gives up its seat and keeps its desktop. Whoever had a seat waits, when they come back,
    as if since they got it: that is the queue credit."""
    return {
        "end_reason": EndReason.PREEMPTED,
        "keep_until": now + keep,
        "node": None,
        "seen_at": None,
        "seated_at": None,
        "hold_until": None,
        "leaves_at": None,
        "lowered": False,
        "credited_since": session.seated_at or session.created_at,
        **stop_counting(session, now),
    }
