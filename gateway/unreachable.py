"""Whose fixed desktop did not answer lately: shown as out of use, with another one offered. No I/O.

Counterparts: `gateway/viewers.py` notes every attempt, `gateway/handlers/desktops.py` shows what is known. Nobody is
dialled only to see whether they answer: VNC servers shut out an address that calls and does not sign in. Each node
knows of its own attempts; elsewhere the first attempt says so again.
"""

from collections import OrderedDict
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final

from broker.models import Pool, PoolKind
from common.clock import Clock
from common.ids import PoolId, UserId
from gateway.judge import Judgement

REMEMBER: Final = timedelta(minutes=10)
"""A machine that was switched on since is tried again by itself after this time, or at once by its person."""
_MOST: Final = 20_000


class Unreachable:
    """The last failed attempt of each person in each pool."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._since: OrderedDict[tuple[UserId, PoolId], datetime] = OrderedDict()

    def failed(self, user_id: UserId, pool_id: PoolId) -> None:
        """The desktop did not answer."""
        self._since[user_id, pool_id] = self._clock.now()
        self._since.move_to_end((user_id, pool_id))
        if len(self._since) > _MOST:
            self._since.popitem(last=False)

    def answered(self, user_id: UserId, pool_id: PoolId) -> None:
        """It does now."""
        self._since.pop((user_id, pool_id), None)

    def since(self, user_id: UserId, pool: Pool) -> datetime | None:
        """When it was last seen not to answer. Of pools that start their desktops the host knows better: None."""
        found = self._since.get((user_id, pool.id)) if pool.kind is PoolKind.STATIC else None
        return found if found and self._clock.now() - found < REMEMBER else None

    def instead_of(self, user_id: UserId, pool: Pool, judgements: Iterable[Judgement]) -> Pool | None:
        """What this person may use now in its place: the same zone, with a seat, at another site rather than at this
        one."""
        fit = [
            other.pool
            for other in judgements
            if other.decision.allowed
            and other.pool.id != pool.id
            and other.pool.zone is pool.zone
            and other.seats.used < other.seats.total
            and self.since(user_id, other.pool) is None
        ]
        return min(fit, key=lambda other: (other.site is not None and other.site == pool.site, other.id), default=None)
