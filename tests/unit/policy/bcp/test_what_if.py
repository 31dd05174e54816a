"""The effect of a declaration does not depend on when somebody asks: who signs at night sees the morning."""

import threading
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from common.ids import PoolId, UserId
from policy.bcp import declaration as steps
from policy.bcp import proof
from policy.bcp.model import Level, Proposal, Scope, ScopeKind
from policy.bcp.overlay import ActiveDeclaration, Deadline
from policy.bcp.plan import Plan
from policy.bcp.what_if import WhatIf, difference, population_of
from policy.calendar import JST
from policy.checks import load
from policy.engine import Engine
from policy.model import ActiveOverlay, BcpLevel, Zone
from policy.schema import PolicyDocument
from policy.situations import MOST_EVERYDAY, everyday
from tests.support import policy as support
from tests.support.bcp import CITY, plan, plan_dict, plan_ref, proposal, widening
from tests.support.policy_strategies import NETWORKS

DEPLOY = Path(__file__).parents[4] / "deploy"
TODAY = date(2026, 6, 3)
BASE, _ = load((DEPLOY / "policy.sample.yaml").read_bytes(), today=TODAY)
QUAKE, INFECTION = proof.load((DEPLOY / "bcp-plans.sample.yaml").read_bytes(), BASE, today=TODAY)[0]
STAFF = [
    support.subject(username=f"s{i}", user_id=UserId(f"usr_{i}"), groups=frozenset({group}))
    for i, group in enumerate(("telework", "satellite", "telework-fy", "none"))
]
POOLS = [
    support.resource(pool_id=PoolId("office-desktop")),
    support.resource(pool_id=PoolId("number"), zone=Zone.MY_NUMBER),
]


def clock(day: int, hour: int, minute: int = 0) -> datetime:
    """2026-06-03 is a Wednesday."""
    return datetime(2026, 6, day, hour, minute, tzinfo=JST)


def effect(plan: Plan, at: datetime, **over: Any) -> WhatIf:
    asked: Proposal = proposal(plan_id=plan.id, **over)
    return difference(BASE, plan, asked, population_of(STAFF, POOLS), CITY, at, threading.Event())


@pytest.mark.parametrize("at", [clock(3, 10), clock(3, 22, 30), clock(4, 5), clock(6, 10)])
def test_by_day_by_night_and_on_a_saturday_the_same_people_gain(at: datetime) -> None:
    found, by_day = effect(INFECTION, at), effect(INFECTION, clock(3, 10))
    assert found.gainers == ("s0", "s1", "s2")
    assert found.digest == by_day.digest
    assert found.losses == 0
    assert found.until == at + timedelta(hours=72)
    now = {name for gain in found.gains for name in gain.usernames if found.tried[gain.situations[0]].context.now == at}
    assert bool(now) is (at == clock(3, 10))
    first = min(found.tried[place].context.now for gain in found.gains for place in gain.situations)
    assert first == {3: at if at.hour == 10 else clock(4, 7), 4: clock(4, 7), 6: clock(8, 7)}[at.day]


def test_what_ends_before_the_morning_gives_nothing() -> None:
    assert effect(INFECTION, clock(3, 22, 30), ends_at=clock(4, 7)).gainers == ()
    assert effect(INFECTION, clock(3, 22, 30), ends_at=clock(4, 7, 1)).gainers == ("s0", "s1", "s2")
    assert effect(INFECTION, clock(3, 22, 30), break_glass=True).gainers == ()


def test_a_plan_that_lifts_the_cap_of_days_shows_who_gains_once_they_are_used_up() -> None:
    """Within the usual hours the plan gives telework staff nothing but the fifth day; on a Monday there is none yet."""
    daytime = {"windows": ["08:00-17:00"], "days": "workdays"}
    line = widening(who={"groups": ["telework"]}, targets={"pools": ["office-desktop"]}, hours=daytime)
    plan, capped = (
        Plan.model_validate(plan_dict(first=[line | over], second=[], drill=None)) for over in ({}, {"days_a_week": 4})
    )
    found = effect(plan, clock(3, 10))
    assert {(gain.usernames, gain.before) for gain in found.gains} == {(("s0",), None)}
    situations = {place for gain in found.gains for place in gain.situations}
    assert {found.tried[place].fact_ja for place in situations} == {"今週すでに4日利用"}
    assert effect(capped, clock(3, 10)).gains == ()
    assert effect(plan, clock(8, 10), ends_at=clock(8, 16)).gains == ()
    assert effect(plan, clock(11, 10), ends_at=clock(12, 0)).gains == ()  # Thursday until midnight
    assert effect(plan, clock(11, 20), ends_at=clock(12, 9)).gainers == ("s0",)  # Friday morning
    assert effect(plan, clock(12, 10), ends_at=clock(11, 10)).gains == ()


def test_a_line_for_a_named_place_shows_who_gains_there_and_that_it_is_only_there() -> None:
    line = widening(who={"groups": ["none"]}, places={"networks": ["satellite"]}, targets={"pools": ["office-desktop"]})
    found = effect(Plan.model_validate(plan_dict(first=[line], second=[], drill=None)), clock(3, 10))
    (gain,) = found.gains
    assert gain.usernames == ("s3",)
    places = {found.tried[place].place.name_en for place in gain.situations}
    assert places == {"Satellite offices (east branch, south community centre)"}


def test_of_people_who_look_alike_those_gain_whom_nothing_else_covers() -> None:
    """The plan is declared already, for one department and without one of its people."""
    at = clock(3, 10)
    asked = proposal(scope=Scope(ScopeKind.DEPARTMENT, frozenset({"税務課"})), ends_at=at + timedelta(hours=72))
    names = {"covered": "税務課", "blocked": "税務課", "outside": "総務課"}
    staff = [
        support.subject(username=name, user_id=UserId(f"usr_{name}"), groups=frozenset({"shelter"}), department=part)
        for name, part in names.items()
    ]
    made = steps.draft(asked, UserId("usr_x"), declaration_id="bcp_0", tenant_id=CITY, plan=plan_ref(), now=at)
    made = replace(made, blocked=frozenset({UserId("usr_blocked")}))
    declared = ActiveDeclaration(
        made,
        plan(),
        Deadline(made.ends_at, at, 0.0),
        ActiveOverlay("bcp_0", "quake@1", BcpLevel.FIRST, made.ends_at),
        None,
    )
    found = difference(
        BASE,
        plan(),
        proposal(ends_at=made.ends_at),
        population_of(staff, [support.resource(pool_id=PoolId("office"))]),
        CITY,
        at,
        threading.Event(),
        [declared],
    )
    assert found.gainers == ("blocked", "outside")


def test_an_alert_gives_nothing_and_guardrails_keep_the_same_people_out_of_the_same_pools() -> None:
    found = effect(QUAKE, clock(3, 10), level=Level.ALERT)
    assert (found.gainers, found.gains) == ((), ())
    kept = {one.guardrail: (one.pools, one.people) for one in found.still_forbidden}
    assert kept["GR-MY-NUMBER"] == (("number",), 4)


def test_an_end_beyond_all_bounds_is_looked_at_for_as_long_as_a_declaration_may_hold() -> None:
    at = clock(3, 10)
    assert effect(INFECTION, at, ends_at=at + timedelta(days=300_000)).until == at + timedelta(days=14)


def test_of_too_many_situations_the_first_are_tried_and_until_when_is_said() -> None:
    windows = [f"{i // 60:02}:{i % 60:02}-23:59" for i in range(0, 1430, 3)]
    rules = [
        {"id": f"N-{i}", "when": {"groups": ["telework"], "hours": {"windows": [one]}}} for i, one in enumerate(windows)
    ]
    engine = Engine(PolicyDocument.model_validate(support.policy(rules, networks=NETWORKS)))
    at = clock(3, 0)
    tried, until = everyday(engine, engine, at, at + timedelta(days=3))
    assert len(tried) <= MOST_EVERYDAY
    assert at < max(one.context.now for one in tried) < until < at + timedelta(days=1)
