"""The sample city's plans: proven like any file, about its own duties, departments, sites and pools, and worth
something at each level and in every kind of scope."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Final

import pytest

from common.ids import PoolId
from gateway.demo import city
from gateway.demo.pools import POOLS
from gateway.demo.run import POLICY
from gateway.demo.synthetic import SyntheticCity, generate, sample
from policy.bcp import proof
from policy.bcp.model import WHOLE_TENANT, Level, Scope, ScopeKind
from policy.bcp.plan import Plan, parse
from policy.bcp.plan_desk import declared
from policy.bcp.what_if import WhatIf, compare, population_of
from policy.checks import load
from policy.model import Resource, Zone

NOON: Final = datetime(2026, 6, 3, 3, tzinfo=UTC)
BASE: Final = load(POLICY.read_bytes(), today=NOON.date())[0]
TARGETS: Final = tuple(
    Resource(tenant_id=city.TENANT, pool_id=PoolId(name), pool_class=pool.pool_class, zone=pool.zone, site=pool.site)
    for name, pool in POOLS.items()
)
WHOLE: Final = generate()
FIRST_RESPONSE: Final = frozenset({"disaster-hq", "shelter-operation"})
SCOPES: Final[dict[ScopeKind, frozenset[str]]] = {
    ScopeKind.TENANT: frozenset(),
    ScopeKind.SITE: frozenset({"health"}),
    ScopeKind.DEPARTMENT: frozenset({"福祉部福祉課"}),
    ScopeKind.DUTY: FIRST_RESPONSE,
}
LEVELS: Final = (Level.FIRST, Level.SECOND)


def plans(town: SyntheticCity = WHOLE) -> dict[str, Plan]:
    return {plan.id: plan for plan in parse(town.plans)[0].plans}


async def what_if(
    plan: Plan, level: Level, *, town: SyntheticCity = WHOLE, scope: Scope = WHOLE_TENANT, drill: bool = False
) -> WhatIf:
    proposal = replace(declared(plan, level), scope=scope, drill=drill)
    return await compare(BASE, plan, proposal, population_of(town.subjects(), TARGETS), city.TENANT, NOON)


@pytest.mark.parametrize("size", [30, 3_000])
def test_nothing_is_wrong_with_them(size: int) -> None:
    found, problems = proof.load(generate(size).plans, BASE, today=NOON.date(), known=TARGETS)
    assert problems == ()
    assert [plan.id for plan in found] == ["quake", "infection"]


def test_they_are_the_same_in_every_run_and_only_seats_grow_with_the_city() -> None:
    assert generate().plans == WHOLE.plans
    few, many = plans(sample()), plans()
    assert [line.seats for line in few["quake"].capacity] == [6, 12]
    assert [line.seats for line in many["quake"].capacity] == [600, 1_200]
    assert {name: plan.model_copy(update={"capacity": ()}) for name, plan in few.items()} == {
        name: plan.model_copy(update={"capacity": ()}) for name, plan in many.items()
    }


def test_they_are_about_this_city() -> None:
    """All they name is there, and they name something of each kind, at both levels and in a drill."""
    register, lines = WHOLE.register, [line for plan in plans().values() for line in plan.widenings(Level.SECOND)]
    groups = {name for line in lines for name in line.who.groups or ()}
    duties = {name for line in lines for name in (*(line.who.duties or ()), *(line.who.conditional_duties or ()))}
    departments = {name for line in lines for name in line.who.departments or ()}
    sites = {name for line in lines for name in line.targets.sites or ()}
    pools = {name for line in lines for name in line.targets.pools or ()}
    assert {city.BCP_HQ, city.DAY_SHIFT} <= groups <= set(city.GROUPS)
    assert duties > FIRST_RESPONSE
    assert duties <= set(register.duties)
    assert "fire-dispatch" not in duties  # never from outside
    assert departments
    assert departments < {unit.name_ja for unit in register.departments.values()}
    assert sites
    assert sites < set(register.sites)
    assert pools == {"office-desktop", "internet-desktop"}
    assert {employment for line in lines for employment in line.who.employment or ()} <= {
        person.employment for person in WHOLE.people
    }
    assert all(plan.can_drill(level) for plan in plans().values() for level in LEVELS)


def test_their_pools_can_be_chosen() -> None:
    town = generate(30, pools={Zone.LGWAN: "a", Zone.INTERNET: "b"})
    assert {pool for plan in plans(town).values() for line in plan.first for pool in line.targets.pools or ()} == {
        "a",
        "b",
    }


@pytest.mark.parametrize("size", [30, 300])
@pytest.mark.parametrize("plan", ["quake", "infection"])
async def test_each_level_gives_more_than_the_one_below(plan: str, size: int) -> None:
    town = generate(size)

    async def gained(level: Level) -> set[tuple[str, str]]:
        found = await what_if(plans(town)[plan], level, town=town)
        return {(name, pool) for gain in found.gains for pool in gain.pools for name in gain.usernames}

    first, second = await gained(Level.FIRST), await gained(Level.SECOND)
    assert first
    assert first < second
    assert len({name for name, _ in second - first}) > 1


async def test_of_three_thousand_about_as_many_gain_as_continuity_plans_reckon() -> None:
    """A fifth to two fifths; whoever may from home at all hours gains nothing."""
    quake = plans()["quake"]
    first, second = [await what_if(quake, level) for level in LEVELS]
    drill = await what_if(quake, Level.FIRST, drill=True)
    assert first.people == 3_000
    assert 600 < len(first.gainers) < 900 < len(second.gainers) < 1_200
    assert set(drill.gainers) < set(first.gainers) < set(second.gainers)
    assert [found.losses for found in (first, second, drill)] == [0, 0, 0]
    assert set(second.gainers_by_pool) == {"office-desktop", "internet-desktop"}
    assert "GR-MY-NUMBER" in {one.guardrail for one in first.still_forbidden}


@pytest.mark.parametrize("kind", ScopeKind)
async def test_in_every_kind_of_scope_somebody_gains_and_nobody_outside(kind: ScopeKind) -> None:
    scope = Scope(kind, SCOPES[kind])
    gainers = set((await what_if(plans()["quake"], Level.FIRST, scope=scope)).gainers)
    everywhere = set((await what_if(plans()["quake"], Level.FIRST)).gainers)
    covered = {person.username for person in WHOLE.subjects() if any(scope.covers(person, one) for one in TARGETS)}
    assert gainers
    assert gainers <= everywhere & covered
    assert (gainers == everywhere) is (kind is ScopeKind.TENANT)
