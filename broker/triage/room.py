"""Whether there is room for somebody who waits: seats and their reserves, the site's line, the start-up gate. Pure.

Counterparts: `broker/triage/order.py` (who comes first), `broker/store/admission.py` (counts, and gives the seat in the
same transaction). A reserve follows the true class: waiting long lifts in the queue and opens no reserved seat.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from enum import StrEnum
from math import ceil
from typing import Final

from broker.duties.models import Priority
from broker.triage.order import URGENT, Waiting
from common.clock import TOKYO

GATE_WINDOW: Final = timedelta(seconds=10)
"""Starts are counted over this long: a rate of 60 a minute lets ten through at once, not sixty."""
_SMALLEST: Final = 4


class QueueReason(StrEnum):
    """What somebody waits for. Stable names: the API carries them."""

    SEAT = "seat"
    SITE_LINE = "site_line"
    START_GATE = "start_gate"


@dataclass(frozen=True, slots=True)
class Reserve:
    """Seats that are kept free for higher classes, as far as those do not fill them already."""

    p0: int = 0
    urgent: int = 0
    """For P0 and P1 together; at least `p0`."""


@dataclass(frozen=True, slots=True)
class Room:
    """A pool at one moment."""

    total: int
    used: Mapping[Priority, int]
    reserve: Reserve
    claims: int = 0
    """How many P0 and P1 wait for a seat here under a declaration: what becomes free is theirs."""
    full_lines: frozenset[str] = field(default_factory=frozenset)
    """Sites whose line has no room for one more session."""
    gate_open: bool = True

    @property
    def free(self) -> int:
        """Seats that nobody holds."""
        return max(0, self.total - sum(self.used.values()))

    def kept_from(self, priority: Priority) -> int:
        """How many of the free seats are not for this class."""
        if priority is Priority.P0:
            return 0
        p0 = max(0, self.reserve.p0 - self.used.get(Priority.P0, 0))
        if priority is Priority.P1:
            return p0
        urgent = max(0, self.reserve.urgent - sum(self.used.get(one, 0) for one in URGENT))
        return max(p0, urgent, self.claims)


def reserve(
    seats: int, *, p0_percent: int, p0_least: int, p0_people: int, urgent_percent: int, urgent_people: int
) -> Reserve:
    """The reserve of a pool. Never for more people than the register knows, and P0's never over a quarter of the seats:
    five of six seats kept free would help nobody. Of two or three seats none is kept."""
    if seats < _SMALLEST:
        return Reserve()
    p0 = min(max(_share(seats, p0_percent), p0_least), seats // 4, p0_people)
    urgent = min(_share(seats, urgent_percent), seats, urgent_people)
    return Reserve(p0, max(p0, urgent))


def _share(seats: int, percent: int) -> int:
    return ceil(seats * percent / 100)


def sites_loaded(person_at: str | None, desktop_at: str | None) -> frozenset[str]:
    """The sites whose lines a session takes: pictures leave the site of the desktop and arrive at that of the person.

    The one rule of admission and forecast. None is outside, or a desktop that stands at no known site. Within one site
    they count once: where the gateway stands elsewhere they go out and come back, each way once.
    """
    return frozenset(site for site in (person_at, desktop_at) if site is not None)


def line_load(sessions: Iterable[tuple[str | None, str | None, float]]) -> dict[str, float]:
    """What is planned on each site's line, in Mbps, for sessions given as person's site, desktop's site and Mbps."""
    load: dict[str, float] = {}
    for person_at, desktop_at, mbps in sessions:
        for site in sites_loaded(person_at, desktop_at):
            load[site] = load.get(site, 0.0) + mbps
    return load


def full_lines(
    load_mbps: Mapping[str, float], budget_mbps: Mapping[str, float], *, session_mbps: float
) -> frozenset[str]:
    """Sites whose line is planned full. A budget of 0 is one that nobody has entered: no limit."""
    return frozenset(
        site for site, budget in budget_mbps.items() if 0 < budget < load_mbps.get(site, 0.0) + session_mbps
    )


def gate_applies(now: datetime, begins: time, ends: time) -> bool:
    """Whether starts are smoothed at this moment (Tokyo time; equal times: never)."""
    return begins <= now.astimezone(TOKYO).time() < ends


def gate_allows(started_lately: int, per_minute: int) -> bool:
    """Whether one more may start after so many within `GATE_WINDOW`."""
    return started_lately < max(1, ceil(per_minute * GATE_WINDOW.total_seconds() / 60))


def blocked(one: Waiting, room: Room) -> QueueReason | None:
    """What keeps somebody from a seat; None when it can be given. P0 passes the line and the gate; whose desktop runs
    already starts nothing, so the gate is open for them, too."""
    if not one.own and room.free <= room.kept_from(one.priority):
        return QueueReason.SEAT
    if one.priority is Priority.P0:
        return None
    if one.sites & room.full_lines:
        return QueueReason.SITE_LINE
    if not room.gate_open and not one.returning:
        return QueueReason.START_GATE
    return None


def claims(queue: Iterable[Waiting], lines: frozenset[str]) -> tuple[Waiting, ...]:
    """Those for whom a seat is to be found. Who waits for a line is not helped by a seat."""
    return tuple(
        one for one in queue if one.claims and not one.own and (one.priority is Priority.P0 or not one.sites & lines)
    )
