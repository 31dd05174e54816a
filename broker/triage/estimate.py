"""How long somebody who waits will probably wait. Pure. An estimate is for people: None is better than a wrong number.

Counterpart: `broker/triage/service.py`, which shows it; the viewer page says that it is an estimate.
"""

from collections.abc import Sequence
from datetime import datetime
from math import ceil
from typing import Final

from broker.triage.room import QueueReason

LONGEST: Final = 4 * 3600
"""Nobody plans by a queue of more than four hours: no estimate then."""


def estimate(
    reason: QueueReason | None,
    ahead: int,
    *,
    now: datetime,
    free: int,
    leaving_at: Sequence[datetime],
    freed_last_hour: int,
    starts_per_minute: int,
) -> int | None:
    """Seconds until the turn comes; None when nothing tells.

    `leaving_at`: announced moments that this person may count on, soonest first; `freed_last_hour`: seats of the pool
    that became free within an hour.
    """
    match reason:
        case None:
            return 0
        case QueueReason.START_GATE:
            return ceil((ahead + 1) * 60 / starts_per_minute)
        case QueueReason.SITE_LINE:
            return None
        case QueueReason.SEAT:
            if ahead < len(leaving_at):
                return max(0, ceil((sorted(leaving_at)[ahead] - now).total_seconds()))
            if freed_last_hour <= 0:
                return None
            seconds = ceil((max(0, ahead - free) + 1) * 3600 / freed_last_hour)
            return seconds if seconds <= LONGEST else None
