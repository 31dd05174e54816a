"""Whether what is expected at once fits: seats of pools, lines of sites, the gateway itself. Pure.

Counterparts: `gateway/what_if_rendering.py` shows it before somebody signs; the planning values are settings. It
admits nobody, but counts lines by the rule and the numbers of admission (`broker/triage/room.py`).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import ceil, floor

from pydantic import Field

from broker.duties.models import Site
from broker.models import Pool, Seats
from broker.settings import TriageSettings
from broker.triage.room import sites_loaded
from common.ids import PoolId
from common.settings import Section


class PlanningSettings(Section):
    """`[planning]` in the settings file."""

    at_once_percent: int = Field(
        70, ge=1, le=100, description="How many of the people who gain a desktop are expected to use it at once."
    )
    session_peak_mbps: float = Field(
        2.0, gt=0, le=100, description="What a session takes at its busiest (95th percentile), in Mbps."
    )
    node_sessions: int = Field(3_000, ge=1, le=100_000, description="Sessions that one gateway node carries.")
    nodes: int = Field(1, ge=1, le=64, description="Gateway nodes that share the work.")


@dataclass(frozen=True, slots=True)
class Fit:
    """Something with a limit: what it holds now, what is expected, what if everybody who gains comes at once."""

    total: int
    used: int
    expected: int
    everybody: int

    @property
    def short(self) -> int:
        """How much the limit is exceeded by what is expected."""
        return max(0, self.expected - self.total)


@dataclass(frozen=True, slots=True)
class LineFit:
    """Sessions over a site's line and what they take of it. `fit` counts sessions; the rest is Mbps."""

    site: Site
    fit: Fit
    average_mbps: float
    peak_mbps: float


@dataclass(frozen=True, slots=True)
class Forecast:
    """What is expected. `unplaced` are pools whose site or its line the register does not know."""

    pools: Mapping[PoolId, Fit]
    lines: tuple[LineFit, ...]
    unplaced: tuple[PoolId, ...]
    gateway: Fit


def forecast(
    gaining: Mapping[PoolId, frozenset[str]],
    pools: Mapping[PoolId, Pool],
    seats: Mapping[PoolId, Seats],
    sites: Iterable[Site],
    settings: PlanningSettings,
    lines: TriageSettings,
    load_mbps: Mapping[str, float],
) -> Forecast:
    """For people who gain pools. Who gains several is expected in each pool, but once on a line and on the gateway.
    `lines`: what a session takes of a line, `load_mbps`: what is planned on each now, both as admission reckons.
    Whoever gains a desktop is expected to come from outside every site: from home or a shelter."""
    known = {site.id: site for site in sites if site.bandwidth_mbps}
    found = {pool_id: names for pool_id, names in gaining.items() if pool_id in pools}
    at_site: dict[str, set[PoolId]] = {}
    for pool_id in found:
        for site_id in sites_loaded(None, pools[pool_id].site) or {""}:
            at_site.setdefault(site_id, set()).add(pool_id)
    return Forecast(
        pools={
            pool_id: _fit(seats[pool_id].total if pool_id in seats else 0, _used(seats, (pool_id,)), names, settings)
            for pool_id, names in sorted(found.items())
        },
        lines=tuple(
            _line(known[site_id], at_site[site_id], found, load_mbps.get(site_id, 0.0), settings, lines)
            for site_id in sorted(at_site)
            if site_id in known
        ),
        unplaced=tuple(sorted(pool for site_id, listed in at_site.items() if site_id not in known for pool in listed)),
        gateway=_fit(settings.node_sessions * settings.nodes, _used(seats, seats), _union(found.values()), settings),
    )


def _line(
    site: Site,
    pool_ids: Iterable[PoolId],
    gaining: Mapping[PoolId, frozenset[str]],
    load_mbps: float,
    settings: PlanningSettings,
    lines: TriageSettings,
) -> LineFit:
    total = floor(site.bandwidth_mbps * lines.line_percent / 100 / lines.session_mbps)
    used = ceil(round(load_mbps / lines.session_mbps, 6))
    fit = _fit(total, used, _union(gaining[pool] for pool in pool_ids), settings)
    return LineFit(site, fit, fit.expected * lines.session_mbps, fit.expected * settings.session_peak_mbps)


def _fit(total: int, used: int, gaining: frozenset[str], settings: PlanningSettings) -> Fit:
    return Fit(total, used, used + ceil(len(gaining) * settings.at_once_percent / 100), used + len(gaining))


def _used(seats: Mapping[PoolId, Seats], pool_ids: Iterable[PoolId]) -> int:
    return sum(seats[pool].used for pool in pool_ids if pool in seats)


def _union(names: Iterable[frozenset[str]]) -> frozenset[str]:
    return frozenset().union(*names)
