"""Vouches for people without authenticator, and the temporary authenticators made of them.

Counterpart: `auth/temporary_factor.py`. One row a person; every step is one conditional UPDATE, so of two requests at
once exactly one takes it.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any, Final

from sqlalchemy import delete, func, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from auth.models import VouchRefusal
from auth.rows import VouchRow
from auth.store.base import TenantStore
from auth.store.tables import auth_vouch
from common.db import take_turn
from common.ids import UserId

_C: Final = auth_vouch.c


class VouchStore(TenantStore):
    """Of one tenant."""

    async def open(
        self, vouch_id: str, user_id: UserId, opened_by: UserId, now: datetime, expires_at: datetime, *, most: int
    ) -> VouchRefusal | None:
        """A new vouch; refused when the person has one that still runs, or the official opened too many that do."""
        dialect_insert = sqlite.insert if self._database.dialect == "sqlite" else postgresql.insert
        fresh = dialect_insert(auth_vouch).values(
            tenant_id=self._tenant,
            user_id=user_id,
            id=vouch_id,
            opened_by=opened_by,
            opened_at=now,
            expires_at=expires_at,
        )
        async with self._turn(_C.opened_by, opened_by, now, most) as connection:
            if connection is None:
                return VouchRefusal.TOO_MANY
            await connection.execute(delete(auth_vouch).where(*self._of(user_id), _C.expires_at <= now))
            done = await connection.execute(fresh.on_conflict_do_nothing(index_elements=["tenant_id", "user_id"]))
        return None if done.rowcount == 1 else VouchRefusal.ONE_RUNS_ALREADY

    async def confirm(
        self, vouch_id: str, confirmed_by: UserId, code_hash: str, now: datetime, expires_at: datetime, *, most: int
    ) -> VouchRefusal | None:
        """The second official: neither the first one nor the person. Refused also when it lapsed or was confirmed, or
        the official confirmed too many that run."""
        step = (
            update(auth_vouch)
            .where(
                _C.tenant_id == self._tenant,
                _C.id == vouch_id,
                _C.expires_at > now,
                _C.confirmed_by.is_(None),
                _C.opened_by != confirmed_by,
                _C.user_id != confirmed_by,
            )
            .values(confirmed_by=confirmed_by, confirmed_at=now, code_hash=code_hash, expires_at=expires_at)
        )
        async with self._turn(_C.confirmed_by, confirmed_by, now, most) as connection:
            if connection is None:
                return VouchRefusal.TOO_MANY
            done = await connection.execute(step)
        return None if done.rowcount == 1 else VouchRefusal.OVER

    @asynccontextmanager
    async def _turn(
        self, role: Any, official: UserId, now: datetime, most: int
    ) -> AsyncIterator[AsyncConnection | None]:
        """The transaction of an official's step; None when `most` of theirs run. Nobody else adds meanwhile."""
        async with self._database.transaction() as connection:
            await take_turn(connection, f"vouches {self._tenant} {official}")
            count = select(func.count()).where(_C.tenant_id == self._tenant, role == official, _C.expires_at > now)
            few = (await connection.execute(count)).scalar_one() < most
            yield connection if few else None

    async def use_code(self, user_id: UserId, code_hash: str, now: datetime, expires_at: datetime) -> bool:
        """The activation code, once; the person has until `expires_at` to set the authenticator up."""
        return await self._changed(
            update(auth_vouch)
            .where(*self._of(user_id), _C.expires_at > now, _C.code_hash == code_hash, _C.code_used_at.is_(None))
            .values(code_used_at=now, expires_at=expires_at)
        )

    async def enrol(
        self, user_id: UserId, sealed_secret: str, counter: int, now: datetime, expires_at: datetime
    ) -> bool:
        """The temporary authenticator begins; false when the vouch ended meanwhile or has one already."""
        return await self._changed(
            update(auth_vouch)
            .where(*self._of(user_id), _C.expires_at > now, _C.code_used_at.is_not(None), _C.enrolled_at.is_(None))
            .values(sealed_secret=sealed_secret, last_counter=counter, enrolled_at=now, expires_at=expires_at)
        )

    async def take_counter(self, vouch_id: str, counter: int) -> bool:
        """Compare-and-set: false when this counter or a higher one was accepted before."""
        return await self._changed(
            update(auth_vouch)
            .where(_C.tenant_id == self._tenant, _C.id == vouch_id, _C.last_counter < counter)
            .values(last_counter=counter)
        )

    async def of_person(self, user_id: UserId, now: datetime) -> VouchRow | None:
        """What runs for this person."""
        found = await self._rows(_C.user_id == user_id, _C.expires_at > now)
        return found[0] if found else None

    async def by_id(self, vouch_id: str, now: datetime) -> VouchRow | None:
        """One that still runs."""
        found = await self._rows(_C.id == vouch_id, _C.expires_at > now)
        return found[0] if found else None

    async def running(self, now: datetime) -> list[VouchRow]:
        """All that run, oldest first."""
        return await self._rows(_C.expires_at > now)

    async def opened_by(self, official: UserId, now: datetime) -> int:
        """How many run that this official opened."""
        return await self._count(_C.opened_by == official, _C.expires_at > now)

    async def confirmed_by(self, official: UserId, now: datetime) -> int:
        """How many run that this official confirmed."""
        return await self._count(_C.confirmed_by == official, _C.expires_at > now)

    async def drop(self, user_id: UserId) -> VouchRow | None:
        """End it; what there was."""
        found = await self._drop(_C.user_id == user_id)
        return found[0] if found else None

    async def drop_expired(self, now: datetime) -> list[VouchRow]:
        """Remove what ran out."""
        return await self._drop(_C.expires_at <= now)

    async def _drop(self, condition: Any) -> list[VouchRow]:
        statement = delete(auth_vouch).where(_C.tenant_id == self._tenant, condition).returning(*_C)
        async with self._database.transaction() as connection:
            return [_row(found) for found in await connection.execute(statement)]

    async def _rows(self, *conditions: Any) -> list[VouchRow]:
        statement = select(*_C).where(_C.tenant_id == self._tenant, *conditions).order_by(_C.opened_at)
        async with self._database.transaction() as connection:
            return [_row(found) for found in await connection.execute(statement)]

    async def _count(self, *conditions: Any) -> int:
        statement = select(func.count()).select_from(auth_vouch).where(_C.tenant_id == self._tenant, *conditions)
        async with self._database.transaction() as connection:
            return (await connection.execute(statement)).scalar_one()

    def _of(self, user_id: UserId) -> tuple[Any, Any]:
        return _C.tenant_id == self._tenant, _C.user_id == user_id


def _row(found: Any) -> VouchRow:
    return VouchRow(
        id=found.id,
        user_id=UserId(found.user_id),
        opened_by=UserId(found.opened_by),
        opened_at=found.opened_at,
        confirmed_by=UserId(found.confirmed_by) if found.confirmed_by else None,
        code_used_at=found.code_used_at,
        sealed_secret=found.sealed_secret,
        last_counter=found.last_counter,
        enrolled_at=found.enrolled_at,
        expires_at=found.expires_at,
    )
