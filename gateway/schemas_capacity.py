"""What the API answers about seats when there are not enough. Counterpart: `broker/triage/views.py`."""

from datetime import datetime

from broker.duties.models import Priority
from broker.triage.room import QueueReason
from gateway.schemas import Answer


class ClassLoadAnswer(Answer):
    """Seats and queue of one class in a pool."""

    priority: Priority
    used: int
    waiting: int


class ReasonCountAnswer(Answer):
    """How many wait for what."""

    reason: QueueReason
    waiting: int


class LeavingAnswer(Answer):
    """Somebody who was asked to make room."""

    session_id: str
    short_code: str
    person: str
    priority: Priority
    at: datetime
    """When the seat becomes free."""
    asked_at: datetime | None


class PoolCapacityAnswer(Answer):
    """A pool, live. `seats` counts what people compete for: a plan's reserve is in it, somebody's own PC is not."""

    pool_id: str
    name_ja: str
    name_en: str
    seats: int
    normal_seats: int
    used: int
    waiting: int
    declared: bool
    """A declaration that widens concerns the pool: others make room for P0 and P1."""
    reserved_p0: int
    reserved_urgent: int
    """For P0 and P1 together, P0's reserve included."""
    classes: list[ClassLoadAnswer]
    reasons: list[ReasonCountAnswer]
    longest_wait_seconds: int
    parked: int
    """Desktops that run on without a seat."""
    parking: int
    """How many of those there may be."""
    leaving: list[LeavingAnswer]


class LineAnswer(Answer):
    """A site's line. `budget_mbps` 0: not entered in the register, so no limit."""

    site: str
    name_ja: str
    name_en: str
    planned_mbps: float
    budget_mbps: float


class LiveCapacityAnswer(Answer):
    """Seats, queues, lines and the start-up gate now."""

    now: datetime
    pools: list[PoolCapacityAnswer]
    lines: list[LineAnswer]
    start_gate: bool
    """New starts are being smoothed."""
    starts_per_minute: int
