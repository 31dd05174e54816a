"""Whose fixed desktop did not answer lately: shown as out of use, with another one offered. No I/O.

Counterparts: `broker/silent.py` knows of each target, `gateway/viewers.py` notes every attempt,
`gateway/handlers/desktops.py` shows what is known. A person's desktop is their own PC, or the one that their session
holds; of a pool whose PCs are anybody's, one that is silent says nothing about the others.
"""

from collections import OrderedDict
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Final

from broker.models import DesktopSession, Pool, PoolKind
from broker.silent import SilentTargets
from common.ids import DesktopId, PoolId, UserId
from gateway.judge import Judgement

_MOST: Final = 20_000


class Unreachable:
    """The last failed attempt of each person in each pool."""

    def __init__(self, silent: SilentTargets) -> None:
        self._silent: Final = silent
        self._own: Final[OrderedDict[tuple[UserId, PoolId], DesktopId]] = OrderedDict()

    def failed(self, session: DesktopSession, *, own: bool) -> None:
        """The session's desktop did not answer. `own`: it is this person's own PC."""
        if session.desktop_id is None:
            return
        self._silent.failed(session.desktop_id)
        if own:
            key = (session.user_id, session.pool_id)
            self._own[key] = session.desktop_id
            self._own.move_to_end(key)
            if len(self._own) > _MOST:
                self._own.popitem(last=False)

    def answered(self, session: DesktopSession) -> None:
        """It does now."""
        if session.desktop_id is not None:
            self._silent.answered(session.desktop_id)

    def since(self, user_id: UserId, pool: Pool, session: DesktopSession | None) -> datetime | None:
        """When this person's desktop was last seen not to answer. `session`: theirs there. Of pools that start their
        desktops the host knows better: None."""
        if pool.kind is not PoolKind.STATIC:
            return None
        held = session.desktop_id if session else None
        desktop_id = held or self._own.get((user_id, pool.id))
        return self._silent.since(desktop_id) if desktop_id else None

    def instead_of(
        self,
        user_id: UserId,
        pool: Pool,
        judgements: Iterable[Judgement],
        sessions: Mapping[PoolId, DesktopSession],
    ) -> Pool | None:
        """What this person may use now in its place: the same zone, with a seat, at another site rather than at this
        one. `sessions`: theirs."""
        fit = [
            other.pool
            for other in judgements
            if other.decision.allowed
            and other.pool.id != pool.id
            and other.pool.zone is pool.zone
            and other.seats.used < other.seats.total
            and self.since(user_id, other.pool, sessions.get(other.pool.id)) is None
        ]
        return min(fit, key=lambda other: (other.site is not None and other.site == pool.site, other.id), default=None)
