"""Versions of plans that this node believes: sealed by the tenant's key, signed by two persons, none gone missing.

Counterparts: `policy.bcp.plan_store` keeps the rows, `policy.bcp.shelf` offers what counts. A row that cannot be
trusted is left out and an alarm is raised once; a plan whose newest known version is gone has none until it is back.
What is known outlives a restart in the bundle file (`policy.bcp.memory`).
"""

from collections.abc import Mapping, Sequence
from typing import Final

from common.ids import TenantId
from policy.bcp.audit_names import BcpAudit
from policy.bcp.chronicle import Chronicle
from policy.bcp.memory import Memory
from policy.bcp.plan_store import PlanStore, StoredVersion
from policy.bcp.plan_versions import PlanState, PlanVersion, fault, in_force


class AdoptedPlans:
    """Of one tenant."""

    def __init__(self, *, tenant_id: TenantId, store: PlanStore, memory: Memory, chronicle: Chronicle) -> None:
        self._tenant_id: Final = tenant_id
        self._store: Final = store
        self._memory: Final = memory
        self._chronicle: Final = chronicle
        self._alarmed: Final[set[tuple[str, int, str]]] = set()

    async def versions(self) -> tuple[PlanVersion, ...]:
        """Everything that can be trusted, newest first within a plan. Raises StoreUnavailable, SecretUnreadable."""
        return await self.trusted(await self._store.versions(self._tenant_id))

    async def trusted(self, rows: Sequence[StoredVersion]) -> tuple[PlanVersion, ...]:
        """Those of the rows that are ours; not to be called inside a transaction: alarms are recorded."""
        key = await self._memory.key()
        found: list[PlanVersion] = []
        for row in rows:
            version = row.found
            if version is None or not key.is_our_plan(version, row.seal):
                await self._distrust(row.plan_id, row.version, "not signed by us")
            elif version.state is PlanState.ADOPTED and (broken := fault(version)):
                await self._distrust(row.plan_id, row.version, broken)
            else:
                found.append(version)
        return tuple(found)

    async def in_force(self) -> Mapping[str, PlanVersion | None]:
        """What counts, by plan; None for a plan whose newest version is not to be had. Raises as `versions`."""
        rows = await self._store.versions(self._tenant_id)
        ours = await self.trusted(rows)
        found: dict[str, PlanVersion | None] = dict(in_force(ours))
        believed = {(one.plan.id, one.plan.version) for one in ours}
        for row in rows:  # an altered version must not bring back the one it replaced
            counts = found.get(row.plan_id)
            altered = (row.plan_id, row.version) not in believed
            if altered and (counts is None or row.version > counts.plan.version):
                found[row.plan_id] = None
        for plan_id, newest in self._memory.plan_versions.items():
            version = found.get(plan_id)
            if version is None or version.plan.version < newest:
                await self._distrust(plan_id, newest, "an adopted version is gone")
                found[plan_id] = None
        await self._memory.remember_plans({plan_id: v.plan.version for plan_id, v in found.items() if v is not None})
        return found

    async def _distrust(self, plan_id: str, version: int, why: str) -> None:
        if (plan_id, version, why) not in self._alarmed:
            self._alarmed.add((plan_id, version, why))
            await self._chronicle.alarm(BcpAudit.DISTRUST_PLAN, plan_id, why, version=version)
