"""Who would gain what if a plan were declared: the whole population against every pool, normal policy against overlay.

Counterparts: `policy.bcp.service` (asks before each signature), the console and the command line (show it). People who
look alike to every rule, and pools that do, are judged once. The work is done in a thread and stops when cancelled.
"""

import asyncio
import hashlib
import threading
from collections import defaultdict
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from common.ids import PoolId, TenantId, UserId
from policy.alike import Named, classes
from policy.bcp.canonical import spelled
from policy.bcp.injects import NONE, Injects
from policy.bcp.model import SUBSTITUTE, WHOLE_TENANT, Declaration, Proposal, Scope, ScopeKind, overlay_plan
from policy.bcp.plan import Plan, compiled, substitute_of
from policy.calendar import JST
from policy.engine import Engine
from policy.guardrails import GUARDRAILS, PREFIX
from policy.model import (
    Action,
    ActiveOverlay,
    Context,
    Decision,
    Obligations,
    Request,
    Resource,
    Subject,
)
from policy.obligations import actions_on, no_worse
from policy.schema import PolicyDocument, When
from policy.situations import ordinary


@dataclass(frozen=True, slots=True)
class Circumstance:
    """One way of working that is tried: when, from where, with what."""

    key: str
    name_ja: str
    name_en: str
    context: Context


@dataclass(frozen=True, slots=True)
class Population:
    """Everybody and everything of the tenant."""

    people: tuple[Subject, ...]
    resources: tuple[Resource, ...]

    def names(self, kind: ScopeKind) -> frozenset[str]:
        """What a scope of this kind may name."""
        match kind:
            case ScopeKind.SITE:
                sites = {person.site for person in self.people} | {resource.site for resource in self.resources}
                return frozenset(site for site in sites if site)
            case ScopeKind.DEPARTMENT:
                return frozenset(person.department for person in self.people if person.department)
            case ScopeKind.DUTY:
                duties = {duty for person in self.people for duty in person.duties}
                return frozenset(duties | {duty.removesuffix(SUBSTITUTE) for duty in duties})
            case ScopeKind.TENANT:
                return frozenset()


@dataclass(frozen=True, slots=True)
class Gain:
    """People who all gain the same at some pools: new actions, or (`actions` empty) better terms for what they had.
    `before` is None where they were refused."""

    circumstance: str
    user_ids: tuple[UserId, ...]
    usernames: tuple[str, ...]
    pools: tuple[PoolId, ...]
    actions: tuple[Action, ...]
    before: Obligations | None
    after: Obligations


@dataclass(frozen=True, slots=True)
class StillForbidden:
    """What a guardrail refuses whatever is declared."""

    guardrail: str
    name_ja: str
    name_en: str
    pools: tuple[PoolId, ...]
    people: int


@dataclass(frozen=True, slots=True)
class WhatIf:
    """The exact difference. `gainers` are all who gain anything; `losses` is 0 unless the program is wrong."""

    digest: str
    circumstances: tuple[Circumstance, ...]
    people: int
    pools: int
    decisions: int
    gainers: tuple[str, ...]
    gainers_by_pool: Mapping[PoolId, int]
    gains: tuple[Gain, ...]
    still_forbidden: tuple[StillForbidden, ...]
    losses: int


class WhatIfCancelled(Exception):
    """The question was withdrawn."""


def population_of(people: Iterable[Subject], resources: Iterable[Resource]) -> Population:
    """As tuples, in a fixed order."""
    return Population(
        tuple(sorted(people, key=lambda person: person.user_id)),
        tuple(sorted(resources, key=lambda resource: resource.pool_id)),
    )


def usual(at: datetime) -> tuple[Circumstance, ...]:
    """What is tried unless told otherwise: now from home, and at night."""
    night = at.astimezone(JST).replace(hour=23, minute=0, second=0, microsecond=0)
    now = ordinary(at)
    return (
        Circumstance("now", "今、自宅から", "now, from home", now),
        Circumstance("night", "23時、自宅から", "at 23:00, from home", replace(now, now=night)),
    )


async def compare(
    document: PolicyDocument,
    plan: Plan,
    subject: Declaration | Proposal,
    population: Population,
    tenant_id: TenantId,
    at: datetime,
    circumstances: Sequence[Circumstance] = (),
) -> WhatIf:
    """The difference, worked out beside the event loop. Cancelling the caller stops the work."""
    stop = threading.Event()
    tried = tuple(circumstances) or usual(at)
    try:
        return await asyncio.to_thread(difference, document, plan, subject, population, tenant_id, tried, stop)
    except asyncio.CancelledError:
        stop.set()
        raise


def difference(
    document: PolicyDocument,
    plan: Plan,
    subject: Declaration | Proposal,
    population: Population,
    tenant_id: TenantId,
    circumstances: Sequence[Circumstance],
    stop: threading.Event,
) -> WhatIf:
    """The same in the caller's thread. Raises WhatIfCancelled soon after `stop` is set."""
    rules = compiled(plan, drill=subject.drill)
    base = Engine(document)
    wide = Engine(document.model_copy(update={"rules": (*document.rules, *rules)}))
    pretend = subject.injects if subject.drill else NONE
    named = _Named([rule.rule.when for rule in wide.rules], subject.scope, pretend, subject.drill_name)
    people = classes(population.people, named.person)
    pools = classes(population.resources, named.resource)
    overlays = _Overlays(plan, subject, tenant_id)
    guards = _Guards(wide)
    found = _Findings()
    for circumstance in circumstances:
        for persons in people:
            if stop.is_set():
                raise WhatIfCancelled
            for targets in pools:
                request = Request(persons[0], Action.CONNECT, targets[0], circumstance.context)
                before = base.decide(request)
                after = before
                if overlay := overlays.at(request):
                    after = wide.decide(replace(request, context=replace(request.context, overlays=overlay)))
                found.add(circumstance.key, persons, targets, before, after)
                if not after.allowed:
                    found.forbid(persons, targets, guards.of(request))
    return found.result(circumstances, population)


class _Overlays:
    """The overlay that the declaration would be."""

    def __init__(self, plan: Plan, subject: Declaration | Proposal, tenant_id: TenantId) -> None:
        level = subject.level.widens
        self._name: Final = overlay_plan(plan.id, plan.version, drill=subject.drill)
        self._level: Final = level
        self._scope: Final = subject.scope
        self._tenant_id: Final = tenant_id
        self._injects: Final = subject.injects if subject.drill else NONE
        self._drill_name: Final = subject.drill_name
        self._blocked: Final = subject.blocked if isinstance(subject, Declaration) else frozenset()
        self._pools: Final = frozenset(plan.drill.pools if plan.drill else ()) if subject.drill else None

    def at(self, request: Request) -> tuple[ActiveOverlay, ...]:
        person, target = request.subject, request.resource
        if self._level is None or not person.tenant_id == target.tenant_id == self._tenant_id:
            return ()
        if person.user_id in self._blocked or (self._pools is not None and target.pool_id not in self._pools):
            return ()
        if not self._scope.covers(person, target) or self._injects.withholds(self._drill_name, request):
            return ()
        return (ActiveOverlay("what-if", self._name, self._level, request.context.now + timedelta(hours=1)),)


class _Named(Named):
    """What rules, scope and a drill's injects can tell apart."""

    def __init__(self, whens: Iterable[When], scope: Scope, injects: Injects = NONE, drill_name: str = "") -> None:
        super().__init__(whens)
        self._injects: Final = injects
        self._drill_name: Final = drill_name
        kinds = {ScopeKind.SITE: "scope_sites", ScopeKind.DEPARTMENT: "departments", ScopeKind.DUTY: "duties"}
        if scope.kind in kinds:
            self.by_key[kinds[scope.kind]] |= scope.ids | {substitute_of(name) for name in scope.ids}
        self.by_key["sites"] |= self.by_key["scope_sites"] | injects.sites_down

    def person(self, person: Subject) -> Hashable:
        """Equal for people whom nothing tells apart."""
        absent = self._injects.absent(self._drill_name, person.username)
        return super().person(person), absent, self.one("scope_sites", person.site)


class _Guards:
    """Which guardrails refuse. Explaining is dear, so it is done once for all whom no guardrail tells apart."""

    def __init__(self, engine: Engine) -> None:
        self._engine: Final = engine
        self._named: Final = _Named([rule.when for rule in GUARDRAILS], WHOLE_TENANT)
        self._known: Final[dict[Hashable, tuple[str, ...]]] = {}

    def of(self, request: Request) -> tuple[str, ...]:
        """Ids of the guardrails that forbid this request."""
        key = self._named.person(request.subject), self._named.resource(request.resource)
        if key not in self._known:
            forbidding = self._engine.explain(request).forbidding
            self._known[key] = tuple(f.rule.id for f in forbidding if f.rule.id.startswith(PREFIX))
        return self._known[key]


class _Findings:
    """Collects the pairs of classes and makes the result."""

    def __init__(self) -> None:
        self._gains: dict[tuple[object, ...], tuple[list[Subject], set[PoolId]]] = {}
        self._by_pool: dict[PoolId, set[str]] = defaultdict(set)
        self._forbidden: dict[str, tuple[set[PoolId], set[UserId]]] = {}
        self._losses = 0
        self._decisions = 0

    def add(
        self,
        circumstance: str,
        persons: Sequence[Subject],
        targets: Sequence[Resource],
        before: Decision,
        after: Decision,
    ) -> None:
        """One pair of classes under one circumstance."""
        self._decisions += 1
        old, new = _terms(before), _terms(after)
        had, has = actions_on(old), actions_on(new)
        self._losses += len([a for a in had if a not in has]) or int(bool(old) and not no_worse(old, new))
        if new is not None and new != old:
            gained = tuple(action for action in has if action not in had)
            key = (circumstance, id(persons), gained, old, new)
            self._gains.setdefault(key, (list(persons), set()))[1].update(r.pool_id for r in targets)
            names = [person.username for person in persons]
            for resource in targets:
                self._by_pool[resource.pool_id].update(names)

    def forbid(self, persons: Sequence[Subject], targets: Sequence[Resource], guardrails: Iterable[str]) -> None:
        """Guardrails that keep these people from these pools whatever is declared."""
        for rule_id in guardrails:
            pools, people = self._forbidden.setdefault(rule_id, (set(), set()))
            pools.update(resource.pool_id for resource in targets)
            people.update(person.user_id for person in persons)

    def result(self, circumstances: Sequence[Circumstance], population: Population) -> WhatIf:
        """Everything, sorted; equal questions have equal digests."""
        gains = tuple(sorted(self._merged(), key=lambda gain: (gain.circumstance, gain.usernames, gain.pools)))
        content = [[g.circumstance, g.user_ids, g.pools, g.actions, repr(g.before), repr(g.after)] for g in gains]
        names = {rule.id: rule.name for rule in GUARDRAILS}
        return WhatIf(
            digest=hashlib.sha256(spelled(content)).hexdigest(),
            circumstances=tuple(circumstances),
            people=len(population.people),
            pools=len(population.resources),
            decisions=self._decisions,
            gainers=tuple(sorted({name for gain in gains for name in gain.usernames})),
            gainers_by_pool={pool: len(self._by_pool[pool]) for pool in sorted(self._by_pool)},
            gains=gains,
            still_forbidden=tuple(
                StillForbidden(rule, names[rule].ja, names[rule].en, tuple(sorted(pools)), len(people))
                for rule, (pools, people) in sorted(self._forbidden.items())
            ),
            losses=self._losses,
        )

    def _merged(self) -> Iterator[Gain]:
        """Classes that gain the same at the same pools are one line."""
        lines: dict[tuple[object, ...], list[Subject]] = defaultdict(list)
        for (circumstance, _class, actions, before, after), (people, pools) in self._gains.items():
            lines[circumstance, actions, before, after, tuple(sorted(pools))] += people
        for (circumstance, actions, before, after, targets), people in lines.items():
            ordered = sorted(people, key=lambda person: person.username)
            yield Gain(
                circumstance=circumstance,  # type: ignore[arg-type]  # the key is made of a Gain's own fields
                user_ids=tuple(person.user_id for person in ordered),
                usernames=tuple(person.username for person in ordered),
                pools=targets,  # type: ignore[arg-type]  # see above
                actions=actions,  # type: ignore[arg-type]  # see above
                before=before,  # type: ignore[arg-type]  # see above
                after=after,  # type: ignore[arg-type]  # see above
            )


def _terms(decision: Decision) -> Obligations | None:
    return decision.grant.obligations if decision.grant else None
