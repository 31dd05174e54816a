"""Pools and static targets as administrators keep them. Counterparts: `broker/store/`, the admin API.

What is stored has been checked here: a wrong geometry or host name must be found when it is written, not at somebody's
first connection. Every change is recorded before it is made, and refused when it cannot be recorded.
"""

import asyncio
import ssl
from collections.abc import Mapping
from typing import Final

from broker.audit_names import BrokerAudit
from broker.catalogue_rules import check_pool, check_target
from broker.credentials import CredentialVault, DesktopCredential
from broker.models import Pool, PoolKind, Seats, StaticTarget
from broker.store import PoolStore, TargetStore
from common.audit import AuditEvent, AuditSink, Detail
from common.bus import EventBus
from common.errors import ErrorCode, KakehashiError, NotFound
from common.ids import DesktopId, PoolId, TenantId

TOPIC: Final = "pools"
"""On the bus: the id of a pool that was edited, or whose targets were."""


class Catalogue:
    """Reads and changes pools and static targets."""

    def __init__(
        self, pools: PoolStore, targets: TargetStore, vault: CredentialVault, audit: AuditSink, bus: EventBus
    ) -> None:
        self._pools = pools
        self._targets = targets
        self._vault = vault
        self._audit = audit
        self._bus = bus

    async def pools(self, tenant_id: TenantId) -> tuple[Pool, ...]:
        """All pools of the tenant, by id."""
        return await self._pools.all_of(tenant_id)

    async def pool(self, tenant_id: TenantId, pool_id: PoolId) -> Pool:
        """One pool. Raises NotFound."""
        found = await self._pools.get(tenant_id, pool_id)
        if found is None:
            raise NotFound(f"pool {pool_id}")
        return found

    async def seats(self, tenant_id: TenantId) -> Mapping[PoolId, Seats]:
        """Seats of every pool of the tenant now."""
        return await self._pools.seats(tenant_id)

    async def stock(self, tenant_id: TenantId) -> tuple[tuple[Pool, Seats], ...]:
        """Every pool of the tenant with its seats now, by id."""
        return await self._pools.stock(tenant_id)

    async def pool_and_seats(self, tenant_id: TenantId, pool_id: PoolId) -> tuple[Pool, Seats]:
        """One pool with its seats now. Raises NotFound."""
        for found in await self._pools.stock(tenant_id, pool_id):
            return found
        raise NotFound(f"pool {pool_id}")

    async def put_pool(self, pool: Pool, *, actor: str) -> bool:
        """Create or change a pool; True when created. Raises KakehashiError(BAD_REQUEST | CONFLICT)."""
        check_pool(pool)
        await self._record(
            BrokerAudit.PUT_POOL,
            pool.tenant_id,
            actor,
            pool.id,
            kind=pool.kind,
            zone=pool.zone,
            max_desktops=pool.max_desktops,
            enabled=pool.enabled,
        )
        try:
            created = await self._pools.put(pool)
        except ValueError as error:
            raise KakehashiError(str(error), code=ErrorCode.CONFLICT) from error
        await self._bus.publish(TOPIC, pool.id)
        return created

    async def delete_pool(self, tenant_id: TenantId, pool_id: PoolId, *, actor: str) -> None:
        """Delete a pool with its targets and desktops. Raises NotFound, KakehashiError(CONFLICT) while it is in use."""
        await self.pool(tenant_id, pool_id)
        await self._record(BrokerAudit.DELETE_POOL, tenant_id, actor, pool_id)
        if not await self._pools.delete(tenant_id, pool_id):
            raise KakehashiError("the pool has sessions", code=ErrorCode.CONFLICT)
        await self._bus.publish(TOPIC, pool_id)

    async def targets(self, tenant_id: TenantId, pool_id: PoolId | None = None) -> tuple[StaticTarget, ...]:
        """Static targets of the tenant (and pool), by id."""
        return await self._targets.all_of(tenant_id, pool_id)

    async def target(self, tenant_id: TenantId, desktop_id: DesktopId) -> StaticTarget:
        """One static target. Raises NotFound."""
        found = await self._targets.get(tenant_id, desktop_id)
        if found is None:
            raise NotFound(f"target {desktop_id}")
        return found

    async def put_target(self, target: StaticTarget, *, actor: str) -> bool:
        """Create or change a static target; True when created. A change of where it leads drops its credential.

        Raises KakehashiError(BAD_REQUEST), NotFound (its pool), AuditUnavailable.
        """
        check_target(target)
        if target.ca_pem is not None:
            await asyncio.to_thread(_check_ca, target.ca_pem)
        pool = await self.pool(target.tenant_id, target.pool_id)
        if pool.kind is not PoolKind.STATIC:
            raise KakehashiError("the pool starts its own desktops", code=ErrorCode.BAD_REQUEST)
        await self._record(
            BrokerAudit.PUT_TARGET,
            target.tenant_id,
            actor,
            target.id,
            pool_id=target.pool_id,
            address=f"{target.address_kind}:{target.host}:{target.port or ''}",
            security=",".join(target.security),
            assigned_user_id=target.assigned_user_id,
            enabled=target.enabled,
        )
        created = await self._targets.put(target)
        await self._bus.publish(TOPIC, target.pool_id)
        return created

    async def delete_target(self, tenant_id: TenantId, desktop_id: DesktopId, *, actor: str) -> None:
        """Delete a static target. Raises NotFound, KakehashiError(CONFLICT) while it is in use."""
        found = await self.target(tenant_id, desktop_id)
        await self._record(BrokerAudit.DELETE_TARGET, tenant_id, actor, desktop_id)
        if not await self._targets.delete(tenant_id, desktop_id):
            raise KakehashiError("the target is in use", code=ErrorCode.CONFLICT)
        await self._bus.publish(TOPIC, found.pool_id)

    async def set_credential(
        self, tenant_id: TenantId, desktop_id: DesktopId, credential: DesktopCredential | None, *, actor: str
    ) -> None:
        """Store the gateway's login to a target, sealed, or remove it. Raises NotFound, AuditUnavailable."""
        await self.target(tenant_id, desktop_id)
        name = BrokerAudit.CLEAR_TARGET_CREDENTIAL if credential is None else BrokerAudit.SET_TARGET_CREDENTIAL
        await self._record(name, tenant_id, actor, desktop_id)
        sealed = None if credential is None else self._vault.seal(tenant_id, desktop_id, credential)
        if not await self._targets.set_credential(tenant_id, desktop_id, sealed):
            raise NotFound(f"target {desktop_id}")

    async def _record(
        self, name: BrokerAudit, tenant_id: TenantId, actor: str, subject: str, **details: Detail
    ) -> None:
        await self._audit.record(AuditEvent(name, tenant_id, actor=actor, subject=subject, details=details))


def _check_ca(pem: str) -> None:
    try:
        ssl.create_default_context(cadata=pem)
    except (ssl.SSLError, ValueError) as error:
        raise KakehashiError("ca_pem: no PEM certificates", code=ErrorCode.BAD_REQUEST) from error
