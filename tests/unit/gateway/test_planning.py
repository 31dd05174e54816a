"""What is forecast before somebody signs: seats, lines and the gateway, each against its own limit."""

import pytest
from pydantic import ValidationError

from broker.duties.models import Site
from broker.models import Pool, PoolKind, Seats
from broker.settings import TriageSettings
from common.ids import PoolId, TenantId
from gateway.planning import Fit, PlanningSettings, forecast
from policy.model import Zone

OFFICE, SHELTER, ELSEWHERE = PoolId("office"), PoolId("shelter"), PoolId("elsewhere")
HQ = Site("hq", "本庁舎", "City hall", (), 1_400, 10)
EAST = Site("east", "東支所", "East branch", (), 90, 100)
SETTINGS = PlanningSettings()
LINES = TriageSettings()
LOAD = {"hq": 1.75, "east": 3.0}
"""At the city hall four sessions, one with a lowered picture."""
SEATS = {OFFICE: Seats(used=3, total=20, queued=0), SHELTER: Seats(used=1, total=2, queued=0)}


def pool(pool_id: PoolId, site: str | None) -> Pool:
    return Pool(TenantId("city"), pool_id, "名前", "Name", PoolKind.AGENT, "office", Zone.LGWAN, site, max_desktops=20)


POOLS = {p.id: p for p in (pool(OFFICE, "hq"), pool(SHELTER, "hq"), pool(ELSEWHERE, None))}


def people(*numbers: int) -> frozenset[str]:
    return frozenset(f"s{number}" for number in numbers)


def test_the_sample_line_carries_as_many_sessions_as_the_planning_values_say() -> None:
    """10 Mbps at 70 % and 0.5 Mbps a session: 14 sessions."""
    found = forecast({OFFICE: people(*range(10))}, POOLS, SEATS, (HQ, EAST), SETTINGS, LINES, LOAD)
    (line,) = found.lines
    assert (line.site, line.fit) == (HQ, Fit(total=14, used=4, expected=11, everybody=14))
    assert (line.average_mbps, line.peak_mbps, line.fit.short) == (5.5, 22.0, 0)


def test_who_gains_two_pools_is_one_session_on_the_line_and_one_on_the_gateway() -> None:
    found = forecast({OFFICE: people(1, 2), SHELTER: people(2, 3)}, POOLS, SEATS, (HQ,), SETTINGS, LINES, LOAD)
    assert found.pools[OFFICE] == Fit(total=20, used=3, expected=5, everybody=5)
    assert found.pools[SHELTER] == Fit(total=2, used=1, expected=3, everybody=3)
    assert found.pools[SHELTER].short == 1
    assert found.lines[0].fit.everybody == 4 + 3
    assert found.gateway == Fit(total=3_000, used=4, expected=7, everybody=7)


def test_a_line_that_is_too_thin_is_short() -> None:
    found = forecast({OFFICE: people(*range(40))}, POOLS, SEATS, (HQ,), SETTINGS, LINES, LOAD)
    assert found.lines[0].fit.short == 4 + 28 - 14


def test_a_pool_without_a_known_line_is_named_and_not_reckoned_with() -> None:
    unknown = Site("hq", "本庁舎", "City hall", (), 1_400, 0)
    found = forecast({OFFICE: people(1), ELSEWHERE: people(2)}, POOLS, SEATS, (unknown, EAST), SETTINGS, LINES, LOAD)
    assert (found.lines, found.unplaced) == ((), (ELSEWHERE, OFFICE))


def test_nobody_gains_nothing_changes() -> None:
    found = forecast({}, POOLS, SEATS, (HQ, EAST), SETTINGS, LINES, LOAD)
    assert (found.pools, found.lines, found.unplaced, found.gateway.expected) == ({}, (), (), 4)


def test_several_nodes_carry_more_and_a_pool_that_is_gone_is_passed_over() -> None:
    found = forecast(
        {PoolId("gone"): people(1)}, POOLS, SEATS, (), PlanningSettings(nodes=2, node_sessions=500), LINES, LOAD
    )
    assert (found.gateway.total, found.pools) == (1_000, {})


@pytest.mark.parametrize("wrong", [{"session_peak_mbps": 0}, {"at_once_percent": 101}, {"nodes": 0}, {"mbps": 1}])
def test_planning_values_have_limits(wrong: dict[str, float]) -> None:
    with pytest.raises(ValidationError):
        PlanningSettings.model_validate(wrong)
