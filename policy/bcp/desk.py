"""How a step is taken: read, decide, record, write with compare-and-set, tell. Counterparts: `policy.bcp.declaration`
(decides), `policy.bcp.store` (writes under the tenant's lock), `policy.bcp.chronicle` (records).

A step that widens is on record before anything changes, and nothing changes when it cannot be recorded. A step that
narrows happens first. A refused step has changed nothing and is recorded, too.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, Final

from common.clock import Clock
from common.errors import KakehashiError
from common.ids import TenantId, new_id
from common.log import get_logger
from policy.bcp import declaration as steps
from policy.bcp.audit_names import BcpAudit
from policy.bcp.chronicle import Chronicle
from policy.bcp.memory import Memory
from policy.bcp.model import Declaration, DeclarationState, Official, Proposal, Refused, Scope, ScopeKind, Signer
from policy.bcp.model import RefusalCode as Code
from policy.bcp.plan import Plan
from policy.bcp.refusals import refused
from policy.bcp.rules import needs_two
from policy.bcp.shelf import Shelf
from policy.bcp.store import BcpStore, Turn
from policy.bcp.surroundings import Surroundings
from policy.bcp.watch import Watch
from policy.bcp.what_if import population_of

_log = get_logger(__name__)
_Around = Sequence[Declaration]
StepFunction = Callable[[Declaration, _Around, datetime], Declaration]
"""The declaration, the tenant's others, the wall clock."""


class Desk:
    """Where declarations are signed."""

    def __init__(
        self,
        *,
        tenant_id: TenantId,
        store: BcpStore,
        memory: Memory,
        shelf: Shelf,
        surroundings: Surroundings,
        officials: tuple[Official, ...],
        clock: Clock,
        chronicle: Chronicle,
        watch: Watch,
    ) -> None:
        self._tenant_id: Final = tenant_id
        self._store: Final = store
        self._memory: Final = memory
        self._shelf: Final = shelf
        self._surroundings: Final = surroundings
        self._officials: Final = officials
        self._clock: Final = clock
        self._chronicle: Final = chronicle
        self._watch: Final = watch

    async def begin(
        self, name: BcpAudit, proposal: Proposal, signer: Signer, source: str | None, *, sign: bool
    ) -> Declaration:
        """A new declaration: a draft, or with `sign` its first signature, too."""
        now = self._clock.now()
        try:
            plan = self._plan_for(proposal)
            await self._require_scope(proposal.scope)
            await self._require_scope(Scope(ScopeKind.SITE, proposal.injects.sites_down))
            self._require_superseded(proposal)
            made = steps.draft(
                proposal,
                signer.user_id,
                declaration_id=new_id("bcp"),
                tenant_id=self._tenant_id,
                plan=steps.PlanRef(plan.id, plan.version, plan.digest),
                now=now,
            )
            key = await self._memory.key()
            if sign:
                async with self._store.turn(self._tenant_id) as turn:
                    known = await self._others(turn, now)
                steps.propose(made, signer, self._officials, now, others=known)
                await self._chronicle.sign(name, made, signer, source)
            async with self._store.turn(self._tenant_id) as turn:
                if not await turn.keep_plan(plan):
                    raise refused(Code.PLAN_VERSION_REUSED, plan=plan.id)
                others = await self._others(turn, now)
                begun = steps.propose(made, signer, self._officials, now, others=others) if sign else made
                await turn.add(begun, key.sign(begun))
                ended = await self._give_way(turn, begun, others, now)
        except Refused as error:
            await self._memory.flush_alarms()
            await self._chronicle.refused(name, proposal.plan_id, signer, source, error)
            raise
        await self._tell(name, begun, ended, signer, source)
        return begun

    async def widen(
        self, name: BcpAudit, declaration_id: str, signer: Signer, source: str | None, step: StepFunction
    ) -> Declaration:
        """Nothing is written before the signature is on record."""
        try:
            async with self._store.turn(self._tenant_id) as turn:
                now = self._clock.now()
                planned = step(await self._found(turn, declaration_id), await self._others(turn, now), now)
        except Refused as error:
            await self._memory.flush_alarms()
            await self._chronicle.refused(name, declaration_id, signer, source, error)
            raise
        await self._chronicle.sign(name, planned, signer, source)
        return await self.narrow(name, declaration_id, signer, source, step)

    async def narrow(
        self,
        name: BcpAudit,
        declaration_id: str,
        signer: Signer,
        source: str | None,
        step: StepFunction,
        *,
        note: str = "",
    ) -> Declaration:
        """Take the step now: read, decide and write under the tenant's lock. `note` is for the record only."""
        key = await self._memory.key()
        now = self._clock.now()
        try:
            async with self._store.turn(self._tenant_id) as turn:
                found = await self._found(turn, declaration_id)
                others = await self._others(turn, now)
                taken = step(found, others, now)
                if not await turn.change(taken, key.sign(taken), was=found):
                    raise refused(Code.OTHER_WAS_FASTER)
                ended = await self._give_way(turn, taken, others, now)
        except Refused as error:
            await self._memory.flush_alarms()
            await self._chronicle.refused(name, declaration_id, signer, source, error)
            raise
        await self._tell(name, taken, ended, signer, source, note)
        return taken

    async def _found(self, turn: Turn, declaration_id: str) -> Declaration:
        found = await self._memory.trusted(await turn.get(declaration_id))
        if found is None:
            raise refused(Code.NOT_FOUND)
        return found

    async def _others(self, turn: Turn, now: datetime) -> tuple[Declaration, ...]:
        rows = await turn.around(now)
        return tuple([found for row in rows if (found := await self._memory.trusted(row)) is not None])

    async def _give_way(
        self, turn: Turn, begun: Declaration, others: _Around, now: datetime
    ) -> tuple[Declaration, ...]:
        """What ends because this one is active now; in the same transaction."""
        if begun.state is not DeclarationState.ACTIVE:
            return ()
        was = {other.id: other for other in others}
        ended = steps.give_way(begun, others, now)
        for other in ended:
            if not await turn.change(other, None, was=was[other.id]):
                raise refused(Code.OTHER_WAS_FASTER)
        return ended

    async def _tell(
        self,
        name: BcpAudit,
        taken: Declaration,
        ended: Sequence[Declaration],
        signer: Signer,
        source: str | None,
        note: str = "",
    ) -> None:
        alone = taken.state is DeclarationState.ACTIVE and not needs_two(taken)
        if name is BcpAudit.PROPOSE_DECLARATION and alone:
            name = BcpAudit.DECLARE_ALONE
        await self._memory.refresh()
        said: dict[str, Any] = {"note": note} if note else {}  # else what the declaration itself says
        await self._chronicle.note(name, taken, signer, source, **said)
        for other in ended:
            await self._chronicle.note(BcpAudit.GIVE_WAY, other, signer, source, to=taken.id)
        self._watch.look_soon()

    def _plan_for(self, proposal: Proposal) -> Plan:
        plan = self._shelf.get(proposal.plan_id)
        if plan is None:
            raise refused(Code.PLAN_UNKNOWN, plan=proposal.plan_id)
        if proposal.drill and proposal.level.widens is not None and not plan.can_drill(proposal.level):
            raise refused(Code.PLAN_HAS_NO_DRILL, plan=proposal.plan_id)
        return plan

    def _require_superseded(self, proposal: Proposal) -> None:
        active = {item.declaration.id for item in self._memory.snapshot.in_force(*self._memory.now())}
        if proposal.supersedes is not None and proposal.supersedes not in active:
            raise refused(Code.SUPERSEDES_UNKNOWN)

    async def _require_scope(self, scope: Scope) -> None:
        """Every name of the scope exists. When that cannot be asked (the directory is down in a disaster), a
        declaration is not held up: a name that nobody bears widens nothing."""
        if not scope.ids:
            return
        try:
            population = population_of(await self._surroundings.people(), await self._surroundings.resources())
        except KakehashiError:
            _log.warning("bcp: scope not checked, directory or catalogue away", scope=scope.kind)
            return
        if unknown := scope.ids - population.names(scope.kind):
            raise refused(Code.SCOPE_UNKNOWN, names=", ".join(sorted(unknown)))
