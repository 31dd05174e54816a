"""SQL of static targets and of agent pools' desktops. Counterparts: `broker/catalogue.py`, `broker/launcher.py`."""

from collections.abc import Sequence, Set
from typing import Final

from sqlalchemy import bindparam, case, delete, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from broker.models import Desktop, DesktopSession, Pool, StaticTarget
from broker.states import SEATED, SessionState
from broker.store.rows import desktop_of, target_of, target_row
from broker.store.tables import desktop_session, pool_desktop, static_target
from common.db import Database
from common.ids import DesktopId, PoolId, TenantId
from common.together import Together

_THESE: Final = select(static_target).where(
    static_target.c.tenant_id.in_(bindparam("tenants")), static_target.c.id.in_(bindparam("ids"))
)


class TargetStore:
    """Reads and writes static targets; reads desktops."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._known: Final = Together(self._get)

    async def get(self, tenant_id: TenantId, desktop_id: DesktopId) -> StaticTarget | None:
        """One static target."""
        found = await self.with_credential(tenant_id, desktop_id)
        return None if found is None else found[0]

    async def with_credential(
        self, tenant_id: TenantId, desktop_id: DesktopId
    ) -> tuple[StaticTarget, str | None] | None:
        """One static target and its sealed credential, if it has one."""
        return await self._known.get((tenant_id, desktop_id))

    async def _get(
        self, asked: Sequence[tuple[TenantId, DesktopId]]
    ) -> dict[tuple[TenantId, DesktopId], tuple[StaticTarget, str | None]]:
        keys = {"tenants": list({one for one, _ in asked}), "ids": [one for _, one in asked]}
        rows = (await self._database.execute(_THESE, keys)).mappings()
        found = ((target_of(row), row["credential"]) for row in rows)
        return {(one[0].tenant_id, one[0].id): one for one in found}

    async def all_of(self, tenant_id: TenantId, pool_id: PoolId | None = None) -> tuple[StaticTarget, ...]:
        """All static targets of a tenant (and pool), by id."""
        query = select(static_target).where(static_target.c.tenant_id == tenant_id).order_by(static_target.c.id)
        if pool_id is not None:
            query = query.where(static_target.c.pool_id == pool_id)
        return tuple(target_of(row) for row in (await self._database.execute(query)).mappings())

    async def put(self, target: StaticTarget) -> bool:
        """Create or change; True when created. A change of where it leads drops the credential: it must never be
        offered to another machine than the one it was entered for."""
        key = (static_target.c.tenant_id == target.tenant_id, static_target.c.id == target.id)
        async with self._database.transaction() as connection:
            row = (
                (await connection.execute(select(static_target).where(*key).with_for_update())).mappings().one_or_none()
            )
            if row is None:
                await connection.execute(static_target.insert().values(target_row(target)))
                return True
            same_peer = _peer(target_of(row)) == _peer(target)
            changed = target_row(target) if same_peer else target_row(target) | {"credential": None}
            await connection.execute(update(static_target).where(*key).values(changed))
            return False

    async def delete(self, tenant_id: TenantId, desktop_id: DesktopId) -> bool:
        """Delete; False when unknown or while a session holds it."""
        async with self._database.transaction() as connection:
            holds = select(desktop_session.c.id).where(
                desktop_session.c.tenant_id == tenant_id,
                desktop_session.c.desktop_id == desktop_id,
                desktop_session.c.state != SessionState.ENDED,
            )
            done = await connection.execute(
                delete(static_target).where(
                    static_target.c.tenant_id == tenant_id, static_target.c.id == desktop_id, ~holds.exists()
                )
            )
            return done.rowcount == 1

    async def set_credential(self, tenant_id: TenantId, desktop_id: DesktopId, sealed: str | None) -> bool:
        """Store the sealed credential, or remove it; False when the target is unknown."""
        async with self._database.transaction() as connection:
            done = await connection.execute(
                update(static_target)
                .where(static_target.c.tenant_id == tenant_id, static_target.c.id == desktop_id)
                .values(credential=sealed)
            )
            return done.rowcount == 1

    async def desktop(self, tenant_id: TenantId, desktop_id: DesktopId) -> Desktop | None:
        """One desktop of an agent pool."""
        query = select(pool_desktop).where(pool_desktop.c.tenant_id == tenant_id, pool_desktop.c.id == desktop_id)
        async with self._database.transaction() as connection:
            row = (await connection.execute(query)).mappings().one_or_none()
        return None if row is None else desktop_of(row)

    async def find_desktop(self, desktop_id: DesktopId) -> Desktop | None:
        """One desktop by its unguessable id alone: for a session host's listing, which knows no tenants."""
        async with self._database.transaction() as connection:
            row = (
                (await connection.execute(select(pool_desktop).where(pool_desktop.c.id == desktop_id)))
                .mappings()
                .first()
            )
        return None if row is None else desktop_of(row)


def _peer(target: StaticTarget) -> tuple[object, ...]:
    return (target.address_kind, target.host, target.port, target.ca_pem, target.tls_name, frozenset(target.security))


async def free_target(
    connection: AsyncConnection, pool: Pool, session: DesktopSession, silent: Set[DesktopId]
) -> DesktopId | None:
    """The target that this person gets in a static pool: their own PC, else a free one that is nobody's; one that did
    not answer lately only when there is no other."""
    taken = select(desktop_session.c.id).where(
        desktop_session.c.tenant_id == pool.tenant_id,
        desktop_session.c.desktop_id == static_target.c.id,
        desktop_session.c.state.in_(SEATED),
    )
    own = static_target.c.assigned_user_id == session.user_id
    mine = static_target.alias()
    has_own = select(mine.c.id).where(
        mine.c.tenant_id == pool.tenant_id,
        mine.c.pool_id == pool.id,
        mine.c.assigned_user_id == session.user_id,
        mine.c.enabled.is_(True),
    )
    query = (
        select(static_target.c.id)
        .where(
            static_target.c.tenant_id == pool.tenant_id,
            static_target.c.pool_id == pool.id,
            static_target.c.enabled.is_(True),
            own | (static_target.c.assigned_user_id.is_(None) & ~has_own.exists()),
            ~taken.exists(),
        )
        .order_by(case((own, 0), else_=1), static_target.c.id)
        .limit(len(silent) + 1)  # one of so many is not silent
    )
    found = [DesktopId(one) for one in (await connection.execute(query)).scalars()]
    return next((one for one in found if one not in silent), found[0] if found else None)


async def own_desktop(
    connection: AsyncConnection, pool: Pool, session: DesktopSession, *, fresh: DesktopId
) -> DesktopId:
    """The person's desktop in an agent pool, made under the id `fresh` when there is none yet."""
    key = (
        pool_desktop.c.tenant_id == pool.tenant_id,
        pool_desktop.c.pool_id == pool.id,
        pool_desktop.c.user_id == session.user_id,
    )
    names = {"username": session.username, "display_name": session.display_name}
    known = (
        await connection.execute(update(pool_desktop).where(*key).values(names).returning(pool_desktop.c.id))
    ).scalar_one_or_none()
    if known is not None:
        return DesktopId(known)
    await connection.execute(
        pool_desktop.insert().values(
            tenant_id=pool.tenant_id,
            id=fresh,
            pool_id=pool.id,
            user_id=session.user_id,
            created_at=session.state_since,
            **names,
        )
    )
    return fresh
