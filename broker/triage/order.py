"""The order of a queue: class, then waiting time; long waiting lifts by one class and never into P0. Pure.

Counterparts: `broker/triage/room.py` (who of them may have a seat now), `broker/store/admission.py` (reads the queue).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from broker.duties.models import Priority
from common.ids import SessionId

LOWEST: Final = Priority.P4
"""The class of whoever has no duty in a pool."""
URGENT: Final = frozenset({Priority.P0, Priority.P1})
"""Classes for which others make room while a declaration is in force."""
_CLASSES: Final = tuple(Priority)


@dataclass(frozen=True, slots=True)
class Waiting:
    """One session in a pool's queue."""

    session_id: SessionId
    priority: Priority
    since: datetime
    """Since when the waiting counts: the request, or earlier by a queue credit."""
    asked: datetime
    sites: frozenset[str] = frozenset()
    """Whose lines its pictures would take: see `broker.triage.room.sites_loaded`."""
    returning: bool = False
    """Its desktop runs already: it had given its seat up."""
    claims: bool = False
    """P0 or P1, and covered by a declaration that widens: others make room."""
    own: bool = False
    """Waits for a PC that is this person's alone: takes no seat from anybody."""


def lifted(priority: Priority, waited: timedelta, aging: timedelta) -> Priority:
    """The class by which somebody queues: one higher after `aging`. Nobody waits their way into P0."""
    if waited < aging or priority <= Priority.P1:
        return priority
    return _CLASSES[_CLASSES.index(priority) - 1]


def in_order(queue: Iterable[Waiting], now: datetime, aging: timedelta) -> tuple[Waiting, ...]:
    """First come first within a class; the id decides between equals, so that all nodes see one order."""
    return tuple(
        sorted(
            queue, key=lambda one: (lifted(one.priority, now - one.since, aging), one.since, one.asked, one.session_id)
        )
    )
