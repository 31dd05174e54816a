"""Counters of wrong tries. Counterpart: `auth/gate.py` with the rules of `auth/throttle.py`."""

from collections.abc import Callable
from datetime import datetime
from typing import TypeVar

from sqlalchemy import and_, delete, insert, or_, select

from auth.store.base import TenantStore
from auth.store.tables import auth_throttle
from auth.throttle import Counter, Scope
from common.db import take_turn

T = TypeVar("T")


class CounterStore(TenantStore):
    """One row per scope and (hashed) subject."""

    async def count(
        self, scope: Scope, subject_hash: str, step: Callable[[Counter | None], tuple[Counter | None, T]]
    ) -> T:
        """Replace a counter by what `step` makes of it, atomically; no counter at all is None."""
        c = auth_throttle.c
        here = (c.tenant_id == self._tenant, c.scope == scope, c.subject_hash == subject_hash)
        async with self._database.transaction() as connection:
            await take_turn(connection, f"{self._tenant}|{scope}|{subject_hash}")
            row = (await connection.execute(select(*c).where(*here))).first()
            before = Counter(row.failures, row.last_at, row.blocked_until) if row else None
            after, answer = step(before)
            if after != before:
                await connection.execute(delete(auth_throttle).where(*here))
                if after is not None:
                    await connection.execute(
                        insert(auth_throttle).values(
                            tenant_id=self._tenant,
                            scope=scope,
                            subject_hash=subject_hash,
                            failures=after.failures,
                            last_at=after.last_at,
                            blocked_until=after.blocked_until,
                        )
                    )
        return answer

    async def drop_expired(self, *, counters_before: datetime, marks_before: datetime) -> None:
        """Remove counters and marks whose last change is older than this."""
        c = auth_throttle.c
        old = or_(
            and_(c.scope != Scope.KNOWN, c.last_at <= counters_before),
            and_(c.scope == Scope.KNOWN, c.last_at <= marks_before),
        )
        async with self._database.transaction() as connection:
            await connection.execute(delete(auth_throttle).where(c.tenant_id == self._tenant, old))
