"""Who would gain what if a plan were declared: the whole population against every pool, before and after.

Before is what holds by normal policy and by what is declared already; what would end with the new declaration (drills,
the one that it supersedes) does not count, so that all that the new one gives is seen.

Counterparts: `policy.situations` (when and from where is tried), `policy.bcp.service` (asks before each signature), the
console and the command line (show it). Whoever gains at some time until the end, from some place, gains: an official
who signs at night has to see the morning. People who look alike to every rule about a pool, and pools that do, are
judged once. The work is done in a thread and stops when cancelled.
"""

import asyncio
import hashlib
import threading
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cache
from typing import Final

from common.ids import PoolId, TenantId, UserId
from policy.alike import Named, classes
from policy.bcp.canonical import spelled
from policy.bcp.declaration import end_of, gives_way
from policy.bcp.injects import NONE
from policy.bcp.model import MAX_DURATION, SUBSTITUTE, Declaration, Proposal, ScopeKind, overlay_plan
from policy.bcp.overlay import ActiveDeclaration, Snapshot
from policy.bcp.plan import Plan, compiled
from policy.conditions import Kind, conjunction
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
from policy.schema import PolicyDocument, Rule
from policy.situations import Situation, everyday, ordinary

_TARGET: Final = frozenset({Kind.TARGET})


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
    `before` is None where they were refused; `situations` are places in the list of those tried."""

    situations: tuple[int, ...]
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
    """The exact difference in every situation from `at` to before `until`. `gainers` are all who gain anything in any
    of them; `losses` is 0 unless the program is wrong. Equal effects have equal digests."""

    digest: str
    at: datetime
    until: datetime
    tried: tuple[Situation, ...]
    people: int
    pools: int
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


async def compare(
    document: PolicyDocument,
    plan: Plan,
    subject: Declaration | Proposal,
    population: Population,
    tenant_id: TenantId,
    at: datetime,
    declared: Iterable[ActiveDeclaration] = (),
) -> WhatIf:
    """The difference, worked out beside the event loop. Cancelling the caller stops the work."""
    stop = threading.Event()
    try:
        return await asyncio.to_thread(difference, document, plan, subject, population, tenant_id, at, stop, declared)
    except asyncio.CancelledError:
        stop.set()
        raise


def difference(
    document: PolicyDocument,
    plan: Plan,
    subject: Declaration | Proposal,
    population: Population,
    tenant_id: TenantId,
    at: datetime,
    stop: threading.Event,
    declared: Iterable[ActiveDeclaration] = (),
    situations: Sequence[Situation] = (),
) -> WhatIf:
    """The same in the caller's thread. `declared`: what is in force now. `situations`: these instead of all from `at`
    to the end. Raises WhatIfCancelled soon after `stop` is set."""
    overlay = _Overlay(plan, subject, tenant_id)
    beside = Snapshot(item for item in declared if overlay.stands_beside(item.declaration))
    base = Engine(document.model_copy(update={"rules": (*document.rules, *beside.rules())}))
    known = {rule.id for rule in beside.rules()}
    own = [rule for rule in compiled(plan, drill=subject.drill) if rule.id not in known]
    wide = Engine(base.document.model_copy(update={"rules": (*base.document.rules, *own)}))
    tried, until = tuple(situations), min(end_of(subject, at), at + MAX_DURATION)
    if not tried:
        tried, until = everyday(base, wide, at, until, [item.declaration.ends_at for item in beside.active])

    @cache
    def contexts(others: tuple[ActiveOverlay, ...]) -> list[tuple[Context, Context]]:
        usual = [replace(one.context, overlays=others) for one in tried]
        return [(context, overlay.over(context)) for context in usual]

    named = Named(rule.rule.when for rule in wide.rules)
    for one in (subject, *(item.declaration for item in beside.active)):
        named.add("sites", one.scope.ids)
        named.add("sites", one.injects.sites_down)
    found = _Findings()
    for targets in classes(population.resources, named.resource):
        for persons, others in _reached(wide, overlay, beside, population.people, targets[0], ordinary(at)):
            if stop.is_set():
                raise WhatIfCancelled
            pair = found.pair(persons, targets)
            for place, (usual, widened) in enumerate(contexts(others)):
                before = base.decide(Request(persons[0], Action.CONNECT, targets[0], usual))
                after = wide.decide(Request(persons[0], Action.CONNECT, targets[0], widened))
                found.add(pair, place, before, after)
    gains = tuple(sorted(found.gains(), key=lambda gain: (gain.usernames, gain.pools, gain.situations)))
    by_pool: dict[PoolId, set[str]] = defaultdict(set)
    for gain in gains:
        for pool in gain.pools:
            by_pool[pool].update(gain.usernames)
    return WhatIf(
        digest=_digest(gains),
        at=at,
        until=until,
        tried=tried,
        people=len(population.people),
        pools=len(population.resources),
        gainers=tuple(sorted(set().union(*by_pool.values()))),
        gainers_by_pool={pool: len(by_pool[pool]) for pool in sorted(by_pool)},
        gains=gains,
        still_forbidden=_still_forbidden(wide, population, ordinary(at)),
        losses=found.losses,
    )


def _reached(
    wide: Engine,
    overlay: "_Overlay",
    beside: Snapshot,
    people: Sequence[Subject],
    target: Resource,
    context: Context,
) -> list[tuple[list[Subject], tuple[ActiveOverlay, ...]]]:
    """The people whom the declaration reaches at the target, in groups that no rule about the target tells apart, each
    with what else is declared for them there. Nobody when no rule of the plan is about it."""
    if not people:
        return []
    request = Request(people[0], Action.CONNECT, target, context)
    about = [
        rule.rule
        for rule in wide.rules
        if conjunction(tuple(one for one in rule.conditions if one.kinds <= _TARGET))(request) is not False
    ]
    if not any(overlay.owns(rule) for rule in about):
        return []
    asked = [Request(person, Action.CONNECT, target, context) for person in people]
    reached = [
        (one.subject, beside.withheld(beside.covering(one.subject, target), one)[0])
        for one in asked
        if overlay.reaches(one)
    ]
    named = Named(rule.when for rule in about)
    alike = classes(reached, lambda one: (named.person(one[0]), one[1]))
    return [([person for person, _others in group], group[0][1]) for group in alike]


class _Overlay:
    """The overlay that the declaration would be."""

    def __init__(self, plan: Plan, subject: Declaration | Proposal, tenant_id: TenantId) -> None:
        self._name: Final = overlay_plan(plan.id, plan.version, drill=subject.drill)
        self._level: Final = subject.level.widens
        self._scope: Final = subject.scope
        self._tenant_id: Final = tenant_id
        self._subject: Final = subject
        self._injects: Final = subject.injects if subject.drill else NONE
        self._drill_name: Final = subject.drill_name
        self._made: Final = subject if isinstance(subject, Declaration) else None
        self._pools: Final = frozenset(plan.drill.pools if plan.drill else ()) if subject.drill else None

    def stands_beside(self, other: Declaration) -> bool:
        """Whether this other declaration goes on when this one begins."""
        return not gives_way(other, self._subject) and not (self._made and other.id == self._made.id)

    def owns(self, rule: Rule) -> bool:
        """Whether the rule is one of the plan's."""
        return rule.when.bcp is not None and rule.when.bcp.plan == self._name

    def reaches(self, request: Request) -> bool:
        """Whether it holds for this person at this target."""
        person, target = request.subject, request.resource
        if self._level is None or not person.tenant_id == target.tenant_id == self._tenant_id:
            return False
        if self._made and person.user_id in self._made.blocked:
            return False
        if self._pools is not None and target.pool_id not in self._pools:
            return False
        if not self._scope.covers(person, target):
            return False
        return not (self._injects and self._injects.withholds(self._drill_name, request))

    def over(self, context: Context) -> Context:
        """The same with it, as it is while it holds."""
        if self._level is None:
            return context
        holds = ActiveOverlay("what-if", self._name, self._level, context.now + timedelta(hours=1))
        return replace(context, overlays=(*context.overlays, holds))


def _still_forbidden(wide: Engine, population: Population, context: Context) -> tuple[StillForbidden, ...]:
    """What guardrails keep from whom, whatever is declared. They know neither hours nor places."""
    named = Named(rule.when for rule in GUARDRAILS)
    people = classes(population.people, named.person)
    found: dict[str, tuple[set[PoolId], set[UserId]]] = {}
    for targets in classes(population.resources, named.resource):
        for persons in people:
            for fired in wide.explain(Request(persons[0], Action.CONNECT, targets[0], context)).forbidding:
                if fired.rule.id.startswith(PREFIX):
                    kept_pools, kept = found.setdefault(fired.rule.id, (set(), set()))
                    kept_pools.update(resource.pool_id for resource in targets)
                    kept.update(person.user_id for person in persons)
    names = {rule.id: rule.name for rule in GUARDRAILS}
    return tuple(
        StillForbidden(rule, names[rule].ja, names[rule].en, tuple(sorted(pools)), len(kept))
        for rule, (pools, kept) in sorted(found.items())
    )


@dataclass(frozen=True, slots=True)
class _Line:
    """What of a gain is the same for everybody: the situations, the new actions, the terms before and after."""

    situations: tuple[int, ...]
    actions: tuple[Action, ...]
    before: Obligations | None
    after: Obligations


class _Findings:
    """Collects the pairs of classes."""

    def __init__(self) -> None:
        self.losses = 0
        self._seen: Final[dict[tuple[int, Obligations | None, Obligations], list[int]]] = defaultdict(list)
        self._pairs: Final[list[tuple[Sequence[Subject], Sequence[Resource]]]] = []

    def pair(self, persons: Sequence[Subject], targets: Sequence[Resource]) -> int:
        """The number of this pair of classes."""
        self._pairs.append((persons, targets))
        return len(self._pairs) - 1

    def add(self, pair: int, place: int, before: Decision, after: Decision) -> None:
        """One pair of classes in one situation."""
        old, new = _terms(before), _terms(after)
        if old is new or old == new:
            return
        had, has = actions_on(old), actions_on(new)
        self.losses += len([a for a in had if a not in has]) or int(bool(old) and not no_worse(old, new))
        if new is not None:
            self._seen[pair, old, new].append(place)

    def gains(self) -> Iterator[Gain]:
        """Who gains the same at the same pools is one line."""
        at_pools: dict[tuple[_Line, tuple[PoolId, ...]], list[Subject]] = defaultdict(list)
        for (pair, old, new), places in self._seen.items():
            people, targets = self._pairs[pair]
            had = actions_on(old)
            line = _Line(tuple(places), tuple(one for one in actions_on(new) if one not in had), old, new)
            at_pools[line, tuple(resource.pool_id for resource in targets)] += people
        by_people: dict[tuple[_Line, tuple[Subject, ...]], list[PoolId]] = defaultdict(list)
        for (line, pools), gaining in at_pools.items():
            by_people[line, tuple(sorted(gaining, key=lambda person: person.username))] += pools
        for (line, ordered), pool_ids in by_people.items():
            yield Gain(
                situations=line.situations,
                user_ids=tuple(person.user_id for person in ordered),
                usernames=tuple(person.username for person in ordered),
                pools=tuple(sorted(pool_ids)),
                actions=line.actions,
                before=line.before,
                after=line.after,
            )


def _digest(gains: Iterable[Gain]) -> str:
    """Over who gains what where, and not when: it is the same by day and by night."""
    people: dict[tuple[str, str], set[UserId]] = defaultdict(set)
    for gain in gains:
        terms = spelled([gain.actions, repr(gain.before), repr(gain.after)]).decode()
        for pool in gain.pools:
            people[pool, terms].update(gain.user_ids)
    content = [[*key, sorted(user_ids)] for key, user_ids in sorted(people.items())]
    return hashlib.sha256(spelled(content)).hexdigest()


def _terms(decision: Decision) -> Obligations | None:
    return decision.grant.obligations if decision.grant else None
