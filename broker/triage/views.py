"""What people and coordinators see of triage: a place in the queue, a held seat, a warning, the load of a pool. Pure.

Counterparts: `broker/triage/service.py` fills them, `gateway/rendering.py` shows them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from broker.duties.models import Priority
from broker.models import DesktopSession, Pool
from broker.triage.room import QueueReason, Reserve
from broker.triage.situation import Contact


@dataclass(frozen=True, slots=True)
class Place:
    """Where somebody stands in a queue."""

    ahead: int
    estimate_seconds: int | None
    reason: QueueReason
    priority: Priority

    @property
    def place(self) -> int:
        """Counted from one, as people do."""
        return self.ahead + 1


@dataclass(frozen=True, slots=True)
class Notice:
    """An announced end of somebody's seat."""

    at: datetime
    contact: Contact | None


@dataclass(frozen=True, slots=True)
class Standing:
    """What triage has to say to the owner of one session now."""

    place: Place | None = None
    held_until: datetime | None = None
    warning: Notice | None = None


CALM = Standing()


@dataclass(frozen=True, slots=True)
class Leaving:
    """Somebody who was asked to make room."""

    session: DesktopSession
    at: datetime


@dataclass(frozen=True, slots=True)
class PoolLoad:
    """A pool, live."""

    pool: Pool
    seats: int
    used: Mapping[Priority, int]
    reserve: Reserve
    waiting: Mapping[Priority, int]
    reasons: Mapping[QueueReason, int]
    """Of those who wait: what for."""
    longest_wait_seconds: int
    parked: int
    parking: int
    leaving: tuple[Leaving, ...]
    declared: bool


@dataclass(frozen=True, slots=True)
class LineLoad:
    """A site's line: planned use against what it carries. A budget of 0 was never entered."""

    site: str
    planned_mbps: float
    budget_mbps: float


@dataclass(frozen=True, slots=True)
class Load:
    """Everything that can run out."""

    pools: tuple[PoolLoad, ...]
    lines: tuple[LineLoad, ...]
    gate_applies: bool
