"""Who would gain and lose what if another policy were in force: everybody, every pool, every situation. Pure.

Counterparts: `policy.situations` (what is tried), `policy.alike` (who is judged once for many), the gateway's admin API
and `kakehashi policy whatif`. `policy.bcp.what_if` does the same for a declaration, which can only widen.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from common.ids import PoolId
from policy.alike import Named, classes
from policy.engine import Engine
from policy.model import Action, Obligations, Request, Resource, Subject
from policy.obligations import actions_on, measures
from policy.situations import Cancelled, Situation

TERMS: Final = "terms"
"""Better or worse terms (limits, characters, quality) for what was open before and after."""


@dataclass(frozen=True, slots=True)
class Change:
    """People who all gain, or all lose, the same at the same pools. `what` holds actions and perhaps TERMS;
    `situations` are places in the list of those tried."""

    gain: bool
    what: tuple[str, ...]
    pools: tuple[PoolId, ...]
    usernames: tuple[str, ...]
    situations: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Count:
    """How many people gain and how many lose this at this pool, in whatever situation."""

    pool_id: PoolId
    what: str
    gain: int
    lose: int


@dataclass(frozen=True, slots=True)
class Effect:
    """The whole difference. One person may both gain and lose."""

    gainers: frozenset[str]
    losers: frozenset[str]
    counts: tuple[Count, ...]
    changes: tuple[Change, ...]


def compare(
    old: Engine,
    new: Engine,
    people: Iterable[Subject],
    resources: Iterable[Resource],
    tried: Sequence[Situation],
    stopped: Callable[[], bool] = lambda: False,
) -> Effect:
    """What `new` gives and takes, set against `old`. Raises Cancelled soon after `stopped` says so."""
    named = Named(rule.rule.when for engine in (old, new) for rule in engine.rules)
    pools = classes(resources, named.resource)
    found: dict[tuple[bool, tuple[str, ...], tuple[int, ...], tuple[PoolId, ...]], list[str]] = defaultdict(list)
    for persons in classes(people, named.person):
        lines: dict[tuple[bool, tuple[str, ...], tuple[int, ...]], list[PoolId]] = defaultdict(list)
        for targets in pools:
            for line in _lines(old, new, persons[0], targets[0], tried, stopped):
                lines[line] += [resource.pool_id for resource in targets]
        for line, pool_ids in lines.items():
            found[*line, tuple(sorted(pool_ids))] += [person.username for person in persons]
    changes = [
        Change(gain, what, pool_ids, tuple(sorted(names)), where)
        for (gain, what, where, pool_ids), names in found.items()
    ]
    return _effect(sorted(changes, key=lambda one: (one.gain, one.pools, -len(one.usernames), one.usernames, one.what)))


def _lines(
    old: Engine,
    new: Engine,
    person: Subject,
    target: Resource,
    tried: Sequence[Situation],
    stopped: Callable[[], bool],
) -> list[tuple[bool, tuple[str, ...], tuple[int, ...]]]:
    """What one person gains and loses at one pool, and where."""
    seen: dict[tuple[bool, tuple[str, ...]], list[int]] = defaultdict(list)
    for place, situation in enumerate(tried):
        if stopped():
            raise Cancelled
        request = Request(person, Action.CONNECT, target, situation.context)
        before, after = _terms(old, request), _terms(new, request)
        if before != after:
            for gain, poorer, richer in ((True, before, after), (False, after, before)):
                if what := _more(poorer, richer):
                    seen[gain, what].append(place)
    return [(gain, what, tuple(places)) for (gain, what), places in seen.items()]


def _terms(engine: Engine, request: Request) -> Obligations | None:
    grant = engine.decide(request).grant
    return grant.obligations if grant else None


def _more(poorer: Obligations | None, richer: Obligations | None) -> tuple[str, ...]:
    """What the second gives beyond the first."""
    had = actions_on(poorer)
    gained: list[str] = [action for action in actions_on(richer) if action not in had]
    if (
        poorer
        and richer
        and any(0 < less < more for less, more in zip(measures(poorer), measures(richer), strict=True))
    ):
        gained.append(TERMS)
    return tuple(gained)


def _effect(changes: Sequence[Change]) -> Effect:
    names: dict[tuple[bool, PoolId, str], set[str]] = defaultdict(set)
    for change in changes:
        for pool_id in change.pools:
            for what in change.what:
                names[change.gain, pool_id, what].update(change.usernames)
    order = [*Action, TERMS]
    touched = sorted({(pool_id, what) for _gain, pool_id, what in names}, key=lambda one: (one[0], order.index(one[1])))
    return Effect(
        gainers=frozenset(name for change in changes if change.gain for name in change.usernames),
        losers=frozenset(name for change in changes if not change.gain for name in change.usernames),
        counts=tuple(
            Count(pool_id, what, len(names[True, pool_id, what]), len(names[False, pool_id, what]))
            for pool_id, what in touched
        ),
        changes=tuple(changes),
    )
