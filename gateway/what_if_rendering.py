"""The effect of a proposal as the API gives it: who gains what, what stays closed, whether it fits, who is told. Pure.

Counterparts: `policy.bcp.what_if` (the difference), `gateway/planning.py` (the forecast).
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Final

from broker.duties.models import Site
from broker.models import Pool, Seats
from broker.settings import TriageSettings
from common.ids import PoolId
from gateway.planning import Fit, LineFit, PlanningSettings, forecast
from gateway.schemas_what_if import (
    CapacityAnswer,
    ForbiddenAnswer,
    GainAnswer,
    GatewayFitAnswer,
    LineAnswer,
    PersonAnswer,
    PlaceAnswer,
    ToldAnswer,
    WhatIfAnswer,
)
from policy.bcp.what_if import WhatIf
from policy.situations import ELSEWHERE, Place, Situation

_SHOWN_NAMES: Final = 200
"""Of each pool, unless everybody is asked for."""
_MOST_NAMES: Final = 20_000
"""Of all pools, when everybody is asked for: some two megabytes."""
_HOME: Final = PlaceAnswer(name_ja="自宅などその他の場所", name_en="home or elsewhere")


def what_if(
    found: WhatIf,
    *,
    pools: Mapping[PoolId, Pool],
    seats: Mapping[PoolId, Seats],
    sites: Iterable[Site],
    settings: PlanningSettings,
    lines: TriageSettings,
    load_mbps: Mapping[str, float],
    people: Mapping[str, PersonAnswer],
    all_names: bool,
    told: ToldAnswer,
    load_percent: int,
    elapsed_ms: int,
) -> WhatIfAnswer:
    """All of it."""
    gaining = _gaining(found, lambda _situation: True)
    usual = _gaining(found, lambda situation: situation.fact_en is None)
    now = _gaining(found, lambda situation: situation.fact_en is None and situation.context.now == found.at)
    shown = max(_SHOWN_NAMES, _MOST_NAMES // max(1, len(gaining))) if all_names else _SHOWN_NAMES
    expected = forecast(gaining, pools, seats, sites, settings, lines, load_mbps)
    return WhatIfAnswer(
        digest=found.digest,
        base_people=found.people,
        gain_people=len(found.gainers),
        gain_now=len(frozenset().union(*now.values())),
        tried_from=found.at,
        tried_until=found.until,
        tried_places=_places(one.place for one in found.tried),
        gains=[
            GainAnswer(
                pool_id=pool_id,
                name_ja=pools[pool_id].name_ja,
                name_en=pools[pool_id].name_en,
                people=len(names),
                now=len(now.get(pool_id, ())),
                later_at=_later(found, pool_id, now.get(pool_id, frozenset())),
                used_up=len(names - usual.get(pool_id, frozenset())),
                places=_only_from(found, pool_id),
                named=[people[name] for name in sorted(names)[:shown] if name in people],
                more=max(0, len(names) - shown),
            )
            for pool_id, names in sorted(gaining.items())
            if pool_id in pools
        ],
        forbidden=[
            ForbiddenAnswer(rule_id=kept.guardrail, text_ja=kept.name_ja, text_en=kept.name_en, people=kept.people)
            for kept in found.still_forbidden
        ],
        capacity=[_capacity(pools[pool_id], fit) for pool_id, fit in expected.pools.items()],
        lines=[_line(line) for line in expected.lines],
        unplaced=list(expected.unplaced),
        gateway=GatewayFitAnswer(**_numbers(expected.gateway), load_percent=load_percent),
        at_once_percent=settings.at_once_percent,
        told=told,
        elapsed_ms=elapsed_ms,
    )


def _gaining(found: WhatIf, counts: Callable[[Situation], bool]) -> dict[PoolId, frozenset[str]]:
    """Who gains which pool in some of the situations that count."""
    by_pool: dict[PoolId, set[str]] = {}
    for gain in found.gains:
        if any(counts(found.tried[place]) for place in gain.situations):
            for pool_id in gain.pools:
                by_pool.setdefault(pool_id, set()).update(gain.usernames)
    return {pool_id: frozenset(names) for pool_id, names in by_pool.items()}


def _later(found: WhatIf, pool_id: PoolId, now: frozenset[str]) -> datetime | None:
    """When the first of those who gain the pool, but not at once, does: in a week whose days are not used up."""
    moments = [
        found.tried[place].context.now
        for gain in found.gains
        if pool_id in gain.pools and not now.issuperset(gain.usernames)
        for place in gain.situations
        if found.tried[place].fact_en is None
    ]
    return min(moments, default=None)


def _only_from(found: WhatIf, pool_id: PoolId) -> list[PlaceAnswer] | None:
    """From where somebody gains the pool; None when from everywhere."""
    tried = {one.place.source for one in found.tried}
    places = [found.tried[at].place for gain in found.gains if pool_id in gain.pools for at in gain.situations]
    return None if tried == {place.source for place in places} else _places(places)


def _places(places: Iterable[Place]) -> list[PlaceAnswer]:
    """Each once, in the order of first mention."""
    by_source = {place.source: place for place in places}
    return [
        _HOME if source == ELSEWHERE else PlaceAnswer(name_ja=place.name_ja, name_en=place.name_en)
        for source, place in by_source.items()
    ]


def _numbers(fit: Fit) -> dict[str, int]:
    return {
        "total": fit.total,
        "used": fit.used,
        "forecast": fit.expected,
        "everybody": fit.everybody,
        "short": fit.short,
    }


def _capacity(pool: Pool, fit: Fit) -> CapacityAnswer:
    return CapacityAnswer(pool_id=pool.id, name_ja=pool.name_ja, name_en=pool.name_en, **_numbers(fit))


def _line(line: LineFit) -> LineAnswer:
    return LineAnswer(
        site_id=line.site.id,
        name_ja=line.site.name_ja,
        name_en=line.site.name_en,
        line_mbps=line.site.bandwidth_mbps,
        average_mbps=round(line.average_mbps, 1),
        peak_mbps=round(line.peak_mbps, 1),
        **_numbers(line.fit),
    )
