"""BCP mode as the gateway uses it: steps of declarations, overlays for decisions, what-if. One a tenant and node.

Counterparts: `policy.bcp.desk` (how a step is taken), `policy.bcp.memory` (what is believed), `policy.bcp.watch` (the
clock's work). Asking never does I/O and goes on with the database away; a step that widens is refused when it cannot
be recorded, one that narrows happens in any case.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from common.audit import AuditSink
from common.bus import EventBus
from common.clock import Clock
from common.ids import TenantId, UserId
from common.log import get_logger
from common.secret import Keyring
from policy.bcp import declaration as steps
from policy.bcp.adopted import AdoptedPlans
from policy.bcp.audit_names import BcpAudit
from policy.bcp.chronicle import BcpEvent, Chronicle
from policy.bcp.desk import Desk
from policy.bcp.injects import Inject
from policy.bcp.memory import Memory
from policy.bcp.model import DRILL_MARK, Declaration, Level, Official, Proposal, Scope, Signer
from policy.bcp.model import RefusalCode as Code
from policy.bcp.overlay import ActiveDeclaration, Snapshot, highest, matching, used
from policy.bcp.plan import Plan, plan_from
from policy.bcp.plan_desk import PlanDesk
from policy.bcp.plan_store import PlanStore
from policy.bcp.refusals import refused
from policy.bcp.returning import Kept, latest
from policy.bcp.settings import BcpSettings
from policy.bcp.shelf import PlansOutcome, Shelf
from policy.bcp.store import BcpStore
from policy.bcp.surroundings import Surroundings
from policy.bcp.watch import Watch
from policy.bcp.what_if import WhatIf, population_of
from policy.bcp.what_if import compare as what_if
from policy.engine import Engine
from policy.model import ActiveOverlay, Decision, Obligations, Request, Resource, Subject
from policy.problems import Problem
from policy.schema import PolicyDocument
from policy.service import PolicyService

_log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Judged:
    """A decision with what BCP had to do with it. `overlay_ids` are the declarations whose rules it rests on (none:
    normal policy alone); `normal_allowed` is what normal policy alone would have said, `normal_terms` on which terms.
    `inject` is what a drill pretends and therefore did not give."""

    decision: Decision
    overlay_ids: tuple[str, ...]
    normal_allowed: bool
    inject: Inject | None = None
    normal_terms: Obligations | None = None
    drill: bool = False
    """Whether any of the declarations that it rests on is a drill."""


@dataclass(frozen=True, slots=True)
class BcpHealth:
    """How well this node knows what is declared."""

    cut_off: bool
    read_at: datetime | None
    plans: int
    problems: tuple[Problem, ...]


class BcpService:
    """`await start()` before use, `await close()` at the end."""

    def __init__(
        self,
        settings: BcpSettings,
        *,
        tenant_id: TenantId,
        store: BcpStore,
        plan_store: PlanStore,
        keyring: Keyring,
        policy: PolicyService,
        surroundings: Surroundings,
        clock: Clock,
        audit: AuditSink,
        bus: EventBus,
    ) -> None:
        self._tenant_id: Final = tenant_id
        self._store: Final = store
        self._policy: Final = policy
        self._surroundings: Final = surroundings
        self._clock: Final = clock
        self._chronicle: Final = Chronicle(tenant_id, audit, bus, lambda: policy.current.version)
        self.officials: Final[tuple[Official, ...]] = tuple(official.official() for official in settings.officials)
        self._memory: Final = Memory(
            tenant_id=tenant_id,
            store=store,
            keyring=keyring,
            clock=clock,
            chronicle=self._chronicle,
            bundle_file=settings.bundle_file,
        )
        adopted = AdoptedPlans(tenant_id=tenant_id, store=plan_store, memory=self._memory, chronicle=self._chronicle)
        self._shelf: Final = Shelf(
            settings.plans_file,
            tenant_id=tenant_id,
            policy=policy,
            store=store,
            surroundings=surroundings,
            clock=clock,
            chronicle=self._chronicle,
            adopted=adopted,
        )
        self.plan_desk: Final = PlanDesk(
            tenant_id=tenant_id,
            store=plan_store,
            adopted=adopted,
            shelf=self._shelf,
            memory=self._memory,
            policy=policy,
            surroundings=surroundings,
            clock=clock,
            chronicle=self._chronicle,
            bus=bus,
        )
        self._watch: Final = Watch(
            tenant_id=tenant_id,
            store=store,
            memory=self._memory,
            shelf=self._shelf,
            chronicle=self._chronicle,
            bus=bus,
            poll_seconds=settings.poll_seconds,
        )
        self._desk: Final = Desk(
            tenant_id=tenant_id,
            store=store,
            memory=self._memory,
            shelf=self._shelf,
            surroundings=surroundings,
            officials=self.officials,
            clock=clock,
            chronicle=self._chronicle,
            watch=self._watch,
        )
        self._engines: Final[deque[tuple[Engine, Snapshot, Engine]]] = deque(maxlen=2)
        """The newest two: of what is in force, and of what is kept beside it."""

    async def start(self) -> None:
        """Read plans and declarations, begin to follow them. With the database away the bundle file counts."""
        await self._memory.start()
        await self._shelf.reload()
        self._watch.start()

    async def close(self) -> None:
        """Stop following; how far time has gone is written down."""
        await self._watch.close()
        await self._memory.keep_time()

    async def sweep(self) -> None:
        """Do now what the watch does by itself: read again, expire, lapse, remind."""
        await self._watch.sweep()

    def subscribe(self, listener: Callable[[BcpEvent], None]) -> Callable[[], None]:
        """Call `listener` with every step taken and reminder due on this node; returns how to stop that."""
        return self._chronicle.listen(listener)

    def on_change(self, callback: Callable[[], None]) -> Callable[[], None]:
        """Call `callback` whenever what is in force changes, whichever node did it: judge live sessions again then."""
        return self._memory.on_change(callback)

    # ---- what is there ---------------------------------------------------------------------------------------

    @property
    def plans(self) -> tuple[Plan, ...]:
        """The plans that may be declared now."""
        return self._shelf.plans

    async def reload_plans(self) -> PlansOutcome:
        """Look at the file of plans now (it is followed anyway)."""
        return await self._shelf.reload()

    def health(self) -> BcpHealth:
        """For readiness, doctor and console."""
        return BcpHealth(self._memory.cut_off, self._memory.read_at, len(self.plans), self._shelf.problems)

    async def get(self, declaration_id: str) -> Declaration:
        """A declaration in any state. Raises Refused(NOT_FOUND), also for one that is not sealed by us."""
        found = await self._memory.trusted(await self._store.get(self._tenant_id, declaration_id))
        if found is None:
            raise refused(Code.NOT_FOUND)
        return found

    async def plan_of(self, declaration: Declaration) -> Plan:
        """The plan as it was when the declaration was made. Raises Refused(PLAN_UNKNOWN)."""
        stored = await self._store.plan(self._tenant_id, declaration.plan_id, declaration.plan_version)
        plan = plan_from(stored.content) if stored else None
        if plan is None or plan.digest != declaration.plan_digest:
            raise refused(Code.PLAN_UNKNOWN, plan=declaration.plan_id)
        return plan

    async def history(self, limit: int = 200) -> tuple[Declaration, ...]:
        """The newest declarations, in all states."""
        rows = await self._store.history(self._tenant_id, limit)
        return tuple([found for row in rows if (found := await self._memory.trusted(row)) is not None])

    # ---- asking: no I/O --------------------------------------------------------------------------------------

    def active(self, now: datetime | None = None) -> tuple[ActiveDeclaration, ...]:
        """Every declaration in force, strongest first; drills only while nothing real is."""
        wall, mono = self._memory.now()
        return self._memory.snapshot.in_force(now or wall, mono)

    def level(self, now: datetime | None = None) -> Level | None:
        """The highest level in force anywhere, drills not counted."""
        return highest(self.active(now))

    def level_for(self, subject: Subject, resource: Resource, now: datetime | None = None) -> Level | None:
        """The highest level that covers this person or target."""
        wall, mono = self._memory.now()
        return self._memory.snapshot.level_for(subject, resource, now or wall, mono)

    def overlays_for(self, subject: Subject, resource: Resource, now: datetime) -> tuple[ActiveOverlay, ...]:
        """What the policy's `Context.overlays` takes."""
        return self._memory.snapshot.overlays_for(subject, resource, now, self._clock.monotonic())

    def in_force(self, request: Request) -> Request:
        """The request with the overlays that `judge` would decide with."""
        overlays, _inject = self._overlays(request)
        return request.under(overlays)

    def _overlays(self, request: Request) -> tuple[tuple[ActiveOverlay, ...], Inject | None]:
        covering = self.overlays_for(request.subject, request.resource, request.context.now)
        return self._memory.snapshot.withheld(covering, request)

    def engine(self, base: Engine) -> Engine:
        """`base` itself while nothing widens, else `base` with the rules of what is declared. Holds for one request."""
        return self._widened_by(base, self._memory.snapshot)

    def _widened_by(self, base: Engine, snapshot: Snapshot) -> Engine:
        for known_base, known, made in self._engines:
            if known_base is base and known is snapshot:
                return made
        made = widened(base.document, snapshot) if snapshot.rules() else base
        self._engines.append((base, snapshot, made))
        return made

    def counts_days(self, base: Engine) -> bool:
        """Whether a rule of the base policy, of what is declared, or of what goes on by grace counts days of work."""
        return base.counts_days or self._memory.snapshot.counts_days or self._memory.returning.counts_days

    def judge(self, base: Engine, request: Request) -> Judged:
        """Decide with whatever is declared. `context.overlays` of the request is replaced."""
        overlays, inject = self._overlays(request)
        if request.context.overlays:
            request = request.under(())
        normal = base.decide(request)
        if not overlays:
            return Judged(normal, (), normal.allowed, inject, _terms(normal))
        engine = self.engine(base)
        decision = engine.decide(request.under(overlays))
        ids = used(decision.rule_ids, overlays, self._memory.snapshot.rules()) if decision.allowed else ()
        drill = any(overlay.plan.endswith(DRILL_MARK) for overlay in overlays if overlay.overlay_id in ids)
        return Judged(decision, ids, normal.allowed, inject, _terms(normal), drill)

    def allows(self, base: Engine, request: Request) -> bool:
        """Whether `judge` would allow it, for half the price."""
        overlays, _inject = self._overlays(request)
        engine = self.engine(base) if overlays else base
        return engine.decide(request.under(overlays) if overlays or request.context.overlays else request).allowed

    def keeps(self, base: Engine, request: Request) -> tuple[Judged, Kept] | None:
        """What somebody who is refused, but at work at this desktop already, may still do until the grace of a lost
        declaration is over; None: nothing, or not by a declaration. Asks today's rules: whatever else has changed acts
        at once, and so does a personal block."""
        now, mono = request.context.now, self._clock.monotonic()
        snapshot = self._memory.returning
        covering = snapshot.overlays_for(request.subject, request.resource, now, mono)
        given, _pretended = snapshot.withheld(covering, request)
        overlays = tuple(overlay for overlay in given if not self._is_blocked(request.subject, overlay))
        if not overlays:
            return None
        engine = self._widened_by(base, snapshot)
        decision = engine.decide(request.under(overlays))
        rests_on = matching(decision.rule_ids, overlays, snapshot.rules()) if decision.allowed else ()
        last = latest(rests_on)
        lost = self._memory.past(last.overlay_id) if last else None
        if last is None or lost is None:
            return None
        ids = dict.fromkeys(item.overlay_id for item in rests_on)  # one declaration may be there in two versions
        return Judged(decision, tuple(ids), False, drill=lost.declaration.drill), Kept(lost, last.ends_at)

    def _is_blocked(self, person: Subject, overlay: ActiveOverlay) -> bool:
        newest = self._memory.past(overlay.overlay_id)
        return newest is None or person.user_id in newest.declaration.blocked

    # ---- steps -----------------------------------------------------------------------------------------------

    async def draft(self, proposal: Proposal, signer: Signer, *, source: str | None = None) -> Declaration:
        """Keep a declaration that nobody has signed yet; `canonical.digest` of it is what will be signed."""
        return await self._desk.begin(BcpAudit.DRAFT_DECLARATION, proposal, signer, source, sign=False)

    async def declare(self, proposal: Proposal, signer: Signer, *, source: str | None = None) -> Declaration:
        """Draft and first signature in one: awaiting approval, or active (alert, drill, break-glass)."""
        return await self._desk.begin(BcpAudit.PROPOSE_DECLARATION, proposal, signer, source, sign=True)

    async def propose(self, declaration_id: str, signer: Signer, *, source: str | None = None) -> Declaration:
        """First signature on a draft: awaiting approval, or active (alert, drill, break-glass)."""
        return await self._desk.widen(
            BcpAudit.PROPOSE_DECLARATION,
            declaration_id,
            signer,
            source,
            lambda found, others, now: steps.propose(found, signer, self.officials, now, others=others),
        )

    async def approve(self, declaration_id: str, signer: Signer, *, source: str | None = None) -> Declaration:
        """Second signature: active from now."""
        return await self._desk.widen(
            BcpAudit.APPROVE_DECLARATION,
            declaration_id,
            signer,
            source,
            lambda found, _others, now: steps.approve(found, signer, self.officials, now),
        )

    async def ratify(self, declaration_id: str, signer: Signer, *, source: str | None = None) -> Declaration:
        """Second signature on a break-glass: it runs to the end it was declared for."""
        return await self._desk.widen(
            BcpAudit.RATIFY_DECLARATION,
            declaration_id,
            signer,
            source,
            lambda found, _others, now: steps.ratify(found, signer, self.officials, now),
        )

    async def propose_extension(
        self, declaration_id: str, ends_at: datetime, signer: Signer, *, source: str | None = None
    ) -> Declaration:
        """First signature on a later end."""
        return await self._desk.widen(
            BcpAudit.PROPOSE_EXTENSION,
            declaration_id,
            signer,
            source,
            lambda found, _others, now: steps.propose_extension(found, ends_at, signer, self.officials, now),
        )

    async def approve_extension(self, declaration_id: str, signer: Signer, *, source: str | None = None) -> Declaration:
        """Second signature on a later end."""
        return await self._desk.widen(
            BcpAudit.APPROVE_EXTENSION,
            declaration_id,
            signer,
            source,
            lambda found, _others, now: steps.approve_extension(found, signer, self.officials, now),
        )

    async def reject(
        self, declaration_id: str, signer: Signer, *, note: str = "", source: str | None = None
    ) -> Declaration:
        """Refuse what waits: a proposal, a draft, or the later end of what is active (then `signer.seen_digest` says
        which one was on the screen)."""
        waiting = await self._memory.trusted(await self._store.get(self._tenant_id, declaration_id))
        if waiting is not None and waiting.pending is not None:
            return await self._desk.narrow(
                BcpAudit.REJECT_EXTENSION,
                declaration_id,
                signer,
                source,
                lambda found, _others, now: steps.reject_extension(found, signer, now),
                note=note,
            )
        return await self._desk.narrow(
            BcpAudit.REJECT_DECLARATION,
            declaration_id,
            signer,
            source,
            lambda found, _others, now: steps.reject(found, now, note=note),
        )

    async def narrow(
        self,
        declaration_id: str,
        signer: Signer,
        *,
        scope: Scope | None = None,
        level: Level | None = None,
        ends_at: datetime | None = None,
        block: frozenset[UserId] = frozenset(),
        source: str | None = None,
    ) -> Declaration:
        """Less of it, at once: smaller scope, lower level, earlier end, people left out."""
        return await self._desk.narrow(
            BcpAudit.NARROW_DECLARATION,
            declaration_id,
            signer,
            source,
            lambda found, _others, now: steps.narrow(
                found, signer, self.officials, now, scope=scope, level=level, ends_at=ends_at, block=block
            ),
        )

    async def recover(
        self, declaration_id: str, signer: Signer, *, ends_at: datetime | None = None, source: str | None = None
    ) -> Declaration:
        """Begin the way back: widens nothing any more."""
        return await self._desk.narrow(
            BcpAudit.RECOVER_DECLARATION,
            declaration_id,
            signer,
            source,
            lambda found, _others, now: steps.recover(found, signer, self.officials, now, ends_at=ends_at),
        )

    async def lift(
        self, declaration_id: str, signer: Signer, *, note: str = "", source: str | None = None
    ) -> Declaration:
        """End it now."""
        return await self._desk.narrow(
            BcpAudit.LIFT_DECLARATION,
            declaration_id,
            signer,
            source,
            lambda found, _others, now: steps.lift(found, signer, self.officials, now, note=note),
        )

    async def what_if(self, subject: Declaration | Proposal, *, at: datetime | None = None) -> WhatIf:
        """Who would gain what beside all that holds now, over the whole population, all pools and actions; off the
        event loop, cancellable.

        Raises Refused(PLAN_UNKNOWN) and what the surroundings raise.
        """
        if isinstance(subject, Declaration):
            plan: Plan | None = await self.plan_of(subject)
        else:
            plan = self._shelf.get(subject.plan_id)
        if plan is None:
            raise refused(Code.PLAN_UNKNOWN, plan=subject.plan_id)
        population = population_of(await self._surroundings.people(), await self._surroundings.resources())
        moment = at or self._clock.now()
        document = self._policy.current.document
        return await what_if(document, plan, subject, population, self._tenant_id, moment, self.active())


def _terms(decision: Decision) -> Obligations | None:
    return decision.grant.obligations if decision.grant else None


def widened(document: PolicyDocument, snapshot: Snapshot) -> Engine:
    """An engine of the base policy and the declared rules; the base is not touched."""
    joined = document.model_copy(update={"rules": (*document.rules, *snapshot.rules())})
    return Engine(joined, on_alarm=_alarm)


def _alarm(fault: str, request: Request) -> None:
    _log.error("policy decision failed", fault=fault, user_id=request.subject.user_id, pool_id=request.resource.pool_id)
