"""Plans in the console: check a text, try its effect, propose it as a new version, adopt it as the second person.

Counterparts: `policy.bcp.plan_versions` (which step may be taken), `policy.bcp.plan_store` (where it is kept),
`policy.bcp.shelf` (what may be declared). A step is recorded before anything changes; without a record nothing does.
Declarations keep the version that they were signed with, whatever happens here.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final

from common.bus import EventBus
from common.clock import Clock
from common.errors import KakehashiError
from common.ids import TenantId
from policy.bcp import plan_versions as steps
from policy.bcp.adopted import AdoptedPlans
from policy.bcp.audit_names import BcpAudit
from policy.bcp.chronicle import Chronicle
from policy.bcp.memory import Memory
from policy.bcp.model import MAX_DURATION, TOPIC, WHOLE_TENANT, Cause, Level, Proposal, Refused, Signature, Signer
from policy.bcp.model import RefusalCode as Code
from policy.bcp.plan import Plan
from policy.bcp.plan_store import PlanStore, PlanTurn
from policy.bcp.plan_text import Checked, checked, text_of
from policy.bcp.plan_versions import PlanVersion
from policy.bcp.refusals import refused
from policy.bcp.shelf import Shelf
from policy.bcp.surroundings import Surroundings
from policy.bcp.what_if import WhatIf, compare, population_of
from policy.calendar import JST
from policy.model import Resource
from policy.problems import Severity
from policy.service import PolicyService


class PlanDesk:
    """Of one tenant."""

    def __init__(
        self,
        *,
        tenant_id: TenantId,
        store: PlanStore,
        adopted: AdoptedPlans,
        shelf: Shelf,
        memory: Memory,
        policy: PolicyService,
        surroundings: Surroundings,
        clock: Clock,
        chronicle: Chronicle,
        bus: EventBus,
    ) -> None:
        self._tenant_id: Final = tenant_id
        self._store: Final = store
        self._adopted: Final = adopted
        self._shelf: Final = shelf
        self._memory: Final = memory
        self._policy: Final = policy
        self._surroundings: Final = surroundings
        self._clock: Final = clock
        self._chronicle: Final = chronicle
        self._bus: Final = bus

    @property
    def written(self) -> tuple[Plan, ...]:
        """The plans of the file, whether or not a version of the console stands in for them."""
        return self._shelf.written

    async def versions(self) -> tuple[PlanVersion, ...]:
        """Every version kept, newest first within a plan."""
        return await self._adopted.versions()

    async def next_version(self, plan_id: str) -> int:
        """The number that the next version of the plan must have at least."""
        async with self._store.turn(self._tenant_id) as turn:
            return await self._newest(turn, plan_id) + 1

    async def _newest(self, turn: PlanTurn, plan_id: str) -> int:
        """Also of versions that are gone: their numbers are not used for other texts."""
        known = self._memory.plan_versions.get(plan_id, 0)
        return max(await turn.newest(plan_id), self._shelf.written_version(plan_id), known)

    async def check(self, text: str) -> Checked:
        """What proposing this text would run into. Nothing is kept."""
        try:
            known: Sequence[Resource] = await self._surroundings.resources()
        except KakehashiError:
            known = ()
        today = self._clock.now().astimezone(JST).date()
        return await asyncio.to_thread(checked, text, self._policy.current.document, today=today, known=known)

    async def what_if(self, plan: Plan, level: Level) -> WhatIf:
        """Who would gain what if this plan were declared now for the whole municipality, for as long as it may be."""
        population = population_of(await self._surroundings.people(), await self._surroundings.resources())
        moment = self._clock.now()
        subject = replace(declared(plan, level), ends_at=moment + MAX_DURATION)
        return await compare(self._policy.current.document, plan, subject, population, self._tenant_id, moment)

    async def propose(self, text: str, note: str, signer: Signer, *, source: str | None = None) -> PlanVersion:
        """First signature on a new version. Raises Refused."""
        name, plan_id = BcpAudit.PROPOSE_PLAN, None
        try:
            plan = proven(await self.check(text))
            plan_id = plan.id
            now = self._clock.now()
            async with self._store.turn(self._tenant_id) as turn:
                newest, others = await self._newest(turn, plan.id), await _proposals(turn)
            made = steps.propose(plan, note, signer, self._tenant_id, now, newest=newest, others=others)
            await self._chronicle.plan_step(name, made, signer, source)
            key = await self._memory.key()
            async with self._store.turn(self._tenant_id) as turn:
                newest, others = await self._newest(turn, plan.id), await _proposals(turn)
                made = steps.propose(plan, note, signer, self._tenant_id, now, newest=newest, others=others)
                await turn.add(made, key.sign_plan(made))
        except Refused as error:
            await self._chronicle.refused(name, plan_id, signer, source, error)
            raise
        await self._bus.publish(TOPIC, plan.id)
        return made

    async def adopt(self, plan_id: str, version: int, signer: Signer, *, source: str | None = None) -> PlanVersion:
        """Second signature: from now on this version is the plan. Raises Refused; proven again, since the policy may
        have changed since it was proposed."""
        found = await self._take(
            BcpAudit.ADOPT_PLAN,
            (plan_id, version),
            signer,
            source,
            lambda known, now, in_force: steps.adopt(known, signer, now, in_force=in_force),
        )
        await self._shelf.reload()
        return found

    async def reject(self, plan_id: str, version: int, signer: Signer, *, source: str | None = None) -> PlanVersion:
        """Turn a proposed version down. Raises Refused."""
        return await self._take(
            BcpAudit.REJECT_PLAN, (plan_id, version), signer, source, lambda known, _now, _newest: steps.reject(known)
        )

    async def _take(
        self,
        name: BcpAudit,
        place: tuple[str, int],
        signer: Signer,
        source: str | None,
        step: Callable[[PlanVersion, datetime, int], PlanVersion],
    ) -> PlanVersion:
        plan_id, number = place
        try:
            versions, now = await self.versions(), self._clock.now()
            found = _find(versions, plan_id, number)
            in_force = steps.in_force(versions).get(plan_id)
            taken = step(found, now, in_force.plan.version if in_force else 0)
            if name is BcpAudit.ADOPT_PLAN:
                proven(await self.check(text_of(found.plan)))
            await self._chronicle.plan_step(name, taken, signer, source)
            key = await self._memory.key()
            async with self._store.turn(self._tenant_id) as turn:
                if not await turn.change(taken, key.sign_plan(taken), was=found):
                    raise refused(Code.OTHER_WAS_FASTER)
        except Refused as error:
            await self._chronicle.refused(name, plan_id, signer, source, error)
            raise
        await self._bus.publish(TOPIC, plan_id)
        return taken


async def _proposals(turn: PlanTurn) -> tuple[Signature, ...]:
    return tuple(row.found.proposed for row in await turn.versions() if row.found is not None)


def _find(versions: Sequence[PlanVersion], plan_id: str, number: int) -> PlanVersion:
    for version in versions:
        if (version.plan.id, version.plan.version) == (plan_id, number):
            return version
    raise refused(Code.PLAN_VERSION_UNKNOWN)


def declared(plan: Plan, level: Level) -> Proposal:
    """The plan declared for the whole municipality: what its effect is asked for with."""
    return Proposal(WHOLE_TENANT, level, plan.id, Cause.OTHER, "what-if")


def proven(result: Checked) -> Plan:
    """The plan of a text without errors. Raises Refused with the first one."""
    if result.plan is None:
        first = next(problem for problem in result.problems if problem.severity is Severity.ERROR)
        place = first.rule_id or first.path
        raise refused(Code.PLAN_FAULTY, ja=f"{place}: {first.text_ja}", en=f"{place}: {first.text_en}")
    return result.plan
