"""What is due for a session when the clock moves on. Pure. Counterpart: `broker/jobs.py` carries it out."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

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
        case SessionState.READY | SessionState.DISCONNECTED if session.keep_until and session.keep_until <= now:
            return Due(DueStep.END, EndReason.IDLE)
        case _:
            return None
