"""The life of a desktop session as one table. Pure.

Counterpart: the rows of `desktop_session_transition` in the schema hold the same pairs (filled by the migration,
compared by a test), and a trigger there refuses any other change. This module decides nothing about time, seats or
people.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from common.errors import InvalidTransition


class SessionState(StrEnum):
    """Where a desktop session stands."""

    REQUESTED = "requested"
    """Written down and about to be audited; nothing runs."""
    QUEUED = "queued"
    """Waits for a seat in the pool, or for the person's earlier desktop to stop."""
    STARTING = "starting"
    """Has a seat; its desktop is being started."""
    READY = "ready"
    """The desktop runs and nobody has looked at it yet."""
    ACTIVE = "active"
    """A viewer is attached."""
    DISCONNECTED = "disconnected"
    """The desktop runs without a viewer and is kept until the pool's limit."""
    PARKED = "parked"
    """The seat was given up for urgent work; the desktop runs on. Coming back goes through the queue."""
    ENDING = "ending"
    """The end is decided; the desktop is being stopped. The seat is still taken."""
    ENDED = "ended"
    """Over. Kept as history only."""


class SessionEvent(StrEnum):
    """What moves a desktop session."""

    QUEUE = "queue"
    START = "start"
    REQUEUE = "requeue"
    """The gateway that was starting the desktop died; somebody else starts it."""
    READY = "ready"
    ACTIVATE = "activate"
    TAKE_OVER = "take_over"
    LOSE_VIEWER = "lose_viewer"
    PREEMPT = "preempt"
    """Make room for P0 or P1 under a declaration."""
    END = "end"
    FINISH = "finish"


_S = SessionState
_E = SessionEvent

TRANSITIONS: Final[Mapping[tuple[SessionState, SessionEvent], SessionState]] = {
    (_S.REQUESTED, _E.QUEUE): _S.QUEUED,
    (_S.QUEUED, _E.START): _S.STARTING,
    (_S.STARTING, _E.REQUEUE): _S.QUEUED,
    (_S.STARTING, _E.READY): _S.READY,
    (_S.READY, _E.ACTIVATE): _S.ACTIVE,
    (_S.DISCONNECTED, _E.ACTIVATE): _S.ACTIVE,
    (_S.ACTIVE, _E.TAKE_OVER): _S.ACTIVE,
    (_S.ACTIVE, _E.LOSE_VIEWER): _S.DISCONNECTED,
    (_S.READY, _E.PREEMPT): _S.PARKED,
    (_S.ACTIVE, _E.PREEMPT): _S.PARKED,
    (_S.DISCONNECTED, _E.PREEMPT): _S.PARKED,
    (_S.PARKED, _E.QUEUE): _S.QUEUED,
    (_S.REQUESTED, _E.END): _S.ENDING,
    (_S.QUEUED, _E.END): _S.ENDING,
    (_S.STARTING, _E.END): _S.ENDING,
    (_S.READY, _E.END): _S.ENDING,
    (_S.ACTIVE, _E.END): _S.ENDING,
    (_S.DISCONNECTED, _E.END): _S.ENDING,
    (_S.PARKED, _E.END): _S.ENDING,
    (_S.ENDING, _E.FINISH): _S.ENDED,
}

INITIAL: Final = SessionState.REQUESTED
WAITING: Final = frozenset({_S.REQUESTED, _S.QUEUED})
"""States of those who want a seat and have none."""
LIVE: Final = frozenset({*WAITING, _S.STARTING, _S.READY, _S.ACTIVE, _S.DISCONNECTED, _S.PARKED})
"""States in which the person has this session: at most one of them per person and pool."""
SEATED: Final = frozenset({_S.STARTING, _S.READY, _S.ACTIVE, _S.DISCONNECTED, _S.ENDING})
"""States that take a seat of the pool: a desktop may be running. (One runs without a seat while `PARKED`.)"""
ATTACHABLE: Final = frozenset({_S.READY, _S.ACTIVE, _S.DISCONNECTED})
"""States in which a ticket can be issued and a viewer attached."""


def advance(state: SessionState, event: SessionEvent) -> SessionState:
    """The state after `event`. Raises InvalidTransition for a pair that the table does not hold."""
    after = TRANSITIONS.get((state, event))
    if after is None:
        raise InvalidTransition(state, event)
    return after


def sources(event: SessionEvent) -> frozenset[SessionState]:
    """The states in which `event` is possible: the `where state in (...)` of a compare-and-set."""
    return frozenset(state for state, known in TRANSITIONS if known is event)
