"""The demo's plan shows something at both levels: the second lets in more people than the first."""

from datetime import UTC, datetime

import pytest

from common.ids import PoolId
from gateway.demo import city, synthetic
from gateway.demo.pools import POOLS
from gateway.demo.run import PLANS, POLICY
from policy.bcp.model import Level
from policy.bcp.plan import parse
from policy.bcp.plan_desk import declared
from policy.bcp.what_if import compare, population_of
from policy.checks import load
from policy.model import Resource

TARGETS = tuple(
    Resource(tenant_id=city.TENANT, pool_id=PoolId(name), pool_class=pool.pool_class, zone=pool.zone, site=pool.site)
    for name, pool in POOLS.items()
)


@pytest.mark.parametrize("size", [30, 300])
async def test_each_level_gives_more_than_the_one_below(size: int) -> None:
    (plan,) = parse(PLANS.read_bytes())[0].plans
    population = population_of(synthetic.generate(size).subjects(), TARGETS)
    now = datetime(2026, 6, 3, 1, tzinfo=UTC)
    base, _ = load(POLICY.read_bytes(), today=now.date())

    async def gained(level: Level) -> set[tuple[str, str]]:
        found = await compare(base, plan, declared(plan, level), population, city.TENANT, now)
        return {(name, pool) for gain in found.gains for pool in gain.pools for name in gain.usernames}

    first, second = await gained(Level.FIRST), await gained(Level.SECOND)
    assert first
    assert first < second
    assert len({name for name, _ in second - first}) > 1
