"""Random plans on random policies: what a declaration does to decisions, whatever the plan says.

Widening only, inside every guardrail, for whom and where it was declared, named in each decision, and gone without a
trace. Random plans that the load-time proof refuses are not declared; those it lets pass must keep all of this.
"""

import threading
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from common.ids import TenantId, UserId
from policy.bcp import declaration as steps
from policy.bcp import proof
from policy.bcp.injects import Injects
from policy.bcp.model import WHOLE_TENANT, Level, Scope, ScopeKind
from policy.bcp.overlay import ActiveDeclaration, Deadline, Snapshot, activated, used
from policy.bcp.plan import PREFIX, Plan, PlanFile, substitute_of
from policy.bcp.service import widened
from policy.bcp.what_if import WhatIfCancelled, difference, population_of
from policy.engine import Engine
from policy.guardrails import LOW_PRIVILEGE
from policy.model import (
    IDLE_LIMIT_CAP,
    TOTAL_LIMIT_CAP,
    Action,
    Decision,
    FactorKind,
    Request,
    Zone,
)
from policy.problems import Severity
from policy.schema import PolicyDocument
from policy.situations import ELSEWHERE, Place, Situation
from tests.support.bcp import CITY, OFFICIALS, approver, people, plan_dict, plan_ref, pools, proposal, signer, widening
from tests.support.policy import context, policy
from tests.support.policy_strategies import NETWORKS, no_wider, requests, rule_lists

EXAMPLES: Final = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much]
)
TODAY: Final = date(2026, 6, 3)
POOLS: Final = ["office-desktop", "internet-desktop"]
TEXT: Final = {"ja": "試験", "en": "Test"}


def some(values: list[str]) -> st.SearchStrategy[list[str]]:
    return st.lists(st.sampled_from(values), min_size=1, max_size=2, unique=True)


terms = st.fixed_dictionaries(
    {},
    optional={
        "clipboard_in_chars": st.sampled_from([0, 2000]),
        "clipboard_out_chars": st.sampled_from([0, 2000]),
        "view_only": st.booleans(),
        "idle_limit": st.sampled_from(["1m", "30m"]),
        "total_limit": st.sampled_from(["1h", "12h"]),
        "quality": st.sampled_from(["slow", "high"]),
    },
)
who = st.fixed_dictionaries(
    {},
    optional={
        "groups": some(["telework", "it-staff", "trainee"]),
        "departments": some(["総務課", "税務課"]),
        "duties": some(["disaster-watch", "payroll"]),
        "employment": some(["permanent", "fiscal-year"]),
    },
).filter(bool)
places = st.one_of(st.just({"anywhere": True}), some(["office", "branch"]).map(lambda names: {"networks": names}))


@st.composite
def lines(draw: st.DrawFn) -> dict[str, Any]:
    line = widening(
        draw(st.sampled_from(["W1", "W2", "W3"])),
        who=draw(who),
        places=draw(places),
        targets=draw(st.sampled_from([{"pools": POOLS}, {"pools": POOLS[:1]}, {"classes": ["standard"]}])),
        terms=draw(terms),
    )
    if draw(st.booleans()):
        line["devices"] = {"kinds": ["managed", "tablet"], "registered": draw(st.booleans())}
    if draw(st.booleans()):
        line["hours"] = {"windows": draw(some(["08:30-17:15", "22:00-06:00"]))}
    if draw(st.booleans()):
        line["days_a_week"] = draw(st.sampled_from([2, 4]))
    if draw(st.integers(0, 3)) == 0:
        line["targets"] = {**line["targets"], "zones": draw(some(["lgwan", "internet", "my_number"]))}
    return line


@st.composite
def plans(draw: st.DrawFn) -> Plan:
    """A random plan that passed the proof."""
    first = draw(st.lists(lines(), min_size=1, max_size=2, unique_by=lambda line: line["id"]))
    second = draw(st.lists(lines(), max_size=2, unique_by=lambda line: line["id"]))
    drill = {"pools": POOLS[:1], "first": [first[0]["id"]]} if draw(st.booleans()) else None
    written = plan_dict(first=first, second=second, drill=drill)
    file = PlanFile.model_validate({"format": 1, "plans": [written]})
    problems = proof.prove(file, {}, document([]), today=TODAY)
    assume(not any(problem.severity is Severity.ERROR for problem in problems))
    return file.plans[0]


def document(rules: list[dict[str, Any]]) -> PolicyDocument:
    return PolicyDocument.model_validate(policy(rules, networks=NETWORKS))


scopes = st.one_of(
    st.just(WHOLE_TENANT),
    st.builds(lambda ids: Scope(ScopeKind.DEPARTMENT, frozenset(ids)), some(["総務課", "税務課"])),
    st.builds(lambda ids: Scope(ScopeKind.DUTY, frozenset(ids)), some(["disaster-watch", "payroll"])),
    st.builds(lambda ids: Scope(ScopeKind.SITE, frozenset(ids)), some(["hq", "east"])),
)


injected = st.builds(
    Injects,
    absent_percent=st.sampled_from([0, 50, 90]),
    directory_off=st.booleans(),
    sites_down=st.frozensets(st.sampled_from(["hq", "east"])),
    half_capacity=st.booleans(),
)


def declared(plan: Plan, now: datetime, declaration_id: str = "bcp_1", **over: Any) -> Snapshot:
    """The snapshot of one declaration that went through the real steps."""
    made = steps.draft(
        proposal(**over),
        UserId("usr_chief"),
        declaration_id=declaration_id,
        tenant_id=CITY,
        plan=plan_ref(plan),
        now=now,
    )
    made = steps.propose(made, signer("chief", now), OFFICIALS, now, others=())
    if not made.drill:
        made = steps.approve(made, approver("deputy", made, now), OFFICIALS, now)
    found = activated(made, plan, Deadline(made.ends_at, now, 0.0))
    assert found is not None
    return Snapshot([found])


def under(snapshot: Snapshot, base: Engine, request: Request) -> tuple[Decision, Request]:
    covering = snapshot.overlays_for(request.subject, request.resource, request.context.now, 0.0)
    overlays, _inject = snapshot.withheld(covering, request)
    asked = replace(request, context=replace(request.context, overlays=overlays))
    return widened(base.document, snapshot).decide(asked), asked


@EXAMPLES
@given(plans(), rule_lists(), requests, scopes, st.sampled_from([Level.FIRST, Level.SECOND]))
def test_a_declaration_only_widens(
    plan: Plan, rules: list[dict[str, Any]], request: Request, scope: Scope, level: Level
) -> None:
    base = Engine(document(rules))
    snapshot = declared(plan, request.context.now, scope=scope, level=level)
    before = base.decide(request)
    after, asked = under(snapshot, base, request)
    names = used(after.rule_ids, asked.context.overlays, snapshot.rules()) if after.allowed else ()
    if before.grant:
        assert after.grant
        assert no_wider(before.grant.obligations, after.grant.obligations)
    if after.allowed and not before.allowed:
        assert names == ("bcp_1",)
        assert scope.covers(request.subject, request.resource)
    assert bool(names) is (after.allowed and any(rule_id.startswith(PREFIX) for rule_id in after.rule_ids))


@EXAMPLES
@given(plans(), rule_lists(), requests, scopes)
def test_the_second_level_takes_nothing_away(
    plan: Plan, rules: list[dict[str, Any]], request: Request, scope: Scope
) -> None:
    base = Engine(document(rules))
    first, _ = under(declared(plan, request.context.now, scope=scope), base, request)
    second, _ = under(declared(plan, request.context.now, scope=scope, level=Level.SECOND), base, request)
    if first.grant:
        assert second.grant
        assert no_wider(first.grant.obligations, second.grant.obligations)


@EXAMPLES
@given(plans(), rule_lists(), requests)
def test_no_declared_plan_passes_a_guardrail(plan: Plan, rules: list[dict[str, Any]], request: Request) -> None:
    """Written anew from domain words, not from the guardrails' rules."""
    base = Engine(document(rules))
    for drill in (False, True) if plan.can_drill(Level.SECOND) else (False,):
        decision, _ = under(declared(plan, request.context.now, level=Level.SECOND, drill=drill), base, request)
        if decision.grant is None:
            continue
        who, what, facts, given = request.subject, request.resource, request.context, decision.grant.obligations
        assert who.tenant_id == what.tenant_id
        assert who.suspended is False
        assert what.zone in (Zone.LGWAN, Zone.INTERNET)
        assert facts.totp_age is not None
        assert timedelta() <= facts.totp_age <= timedelta(hours=12)
        assert facts.factor in (FactorKind.TOTP, FactorKind.RECOVERY) or what.pool_class == LOW_PRIVILEGE
        assert facts.password_age is not None
        assert timedelta() <= facts.password_age <= timedelta(hours=12)
        assert given.watermark
        assert given.idle_limit <= IDLE_LIMIT_CAP
        assert given.total_limit <= TOTAL_LIMIT_CAP
        assert what.zone is Zone.INTERNET or given.clipboard_out_chars == 0


@EXAMPLES
@given(plans(), rule_lists(), requests)
def test_a_drill_gives_no_more_than_the_real_thing_and_nothing_elsewhere(
    plan: Plan, rules: list[dict[str, Any]], request: Request
) -> None:
    assume(plan.can_drill(Level.SECOND))
    base, now = Engine(document(rules)), request.context.now
    drill, _ = under(declared(plan, now, level=Level.SECOND, drill=True), base, request)
    real, _ = under(declared(plan, now, level=Level.SECOND), base, request)
    before = base.decide(request)
    if drill.grant:
        assert real.grant
        assert no_wider(drill.grant.obligations, real.grant.obligations)
    assert plan.drill
    if request.resource.pool_id not in plan.drill.pools:
        assert drill.allowed is before.allowed
        assert (drill.grant and drill.grant.obligations) == (before.grant and before.grant.obligations)


@EXAMPLES
@given(plans(), rule_lists(), requests, scopes, injected)
def test_a_drill_that_pretends_takes_nothing_away_and_touches_nobody_outside(
    plan: Plan, rules: list[dict[str, Any]], request: Request, scope: Scope, injects: Injects
) -> None:
    """Between normal policy and the plain drill; outside the scope and at other pools exactly normal policy."""
    assume(plan.can_drill(Level.SECOND))
    base, now = Engine(document(rules)), request.context.now
    over: dict[str, Any] = {"level": Level.SECOND, "drill": True, "scope": scope}
    plain, _ = under(declared(plan, now, **over), base, request)
    pretended, asked = under(declared(plan, now, injects=injects, **over), base, request)
    before = base.decide(request)
    if before.grant:
        assert pretended.grant
        assert no_wider(before.grant.obligations, pretended.grant.obligations)
    if pretended.grant:
        assert plain.grant
        assert no_wider(pretended.grant.obligations, plain.grant.obligations)
    outside = not scope.covers(request.subject, request.resource)
    assert plan.drill
    if outside or request.resource.pool_id not in plan.drill.pools or not asked.context.overlays:
        assert pretended.allowed is before.allowed
        assert (pretended.grant and pretended.grant.obligations) == (before.grant and before.grant.obligations)


@EXAMPLES
@given(plans(), rule_lists(), requests, injected)
def test_injects_mean_nothing_to_a_real_declaration(
    plan: Plan, rules: list[dict[str, Any]], request: Request, injects: Injects
) -> None:
    """None can be signed; whoever wrote one into a row holds nobody back."""
    base, now = Engine(document(rules)), request.context.now
    (item,) = declared(plan, now).active
    forged = Snapshot([replace(item, declaration=replace(item.declaration, injects=injects))])
    real, _ = under(declared(plan, now), base, request)
    assert under(forged, base, request)[0].allowed is real.allowed


@EXAMPLES
@given(plans(), rule_lists(), requests)
def test_nobody_of_another_tenant_gains_or_gives(plan: Plan, rules: list[dict[str, Any]], request: Request) -> None:
    base, town = Engine(document(rules)), TenantId("town")
    elsewhere = replace(
        request, subject=replace(request.subject, tenant_id=town), resource=replace(request.resource, tenant_id=town)
    )
    decision, asked = under(declared(plan, request.context.now, level=Level.SECOND), base, elsewhere)
    before = base.decide(elsewhere)
    assert asked.context.overlays == ()
    assert decision.allowed is before.allowed
    assert (decision.grant and decision.grant.obligations) == (before.grant and before.grant.obligations)


def fingerprint(engine: Engine, snapshot: Snapshot, now: datetime) -> list[object]:
    """Every decision about the whole population, to the last term, rule and reason."""
    found: list[object] = []
    for person in people():
        for pool in pools():
            for action in Action:
                overlays = snapshot.overlays_for(person, pool, now, 0.0)
                decision = engine.decide(Request(person, action, pool, context(now=now, overlays=overlays)))
                terms = decision.grant and decision.grant.obligations
                found.append((decision.allowed, terms, decision.rule_ids, decision.reason, decision.policy_version))
    return found


@pytest.mark.parametrize("level", [Level.FIRST, Level.SECOND])
def test_lifting_restores_identical_decisions(level: Level) -> None:
    rules: list[dict[str, Any]] = [{"id": "N-01", "when": {"groups": ["telework"], "pools": ["office"]}}]
    now = datetime(2026, 6, 3, 12, 0, tzinfo=UTC)
    base = Engine(document(rules))
    made = Plan.model_validate(plan_dict())
    before = fingerprint(base, Snapshot(()), now)
    snapshot = declared(made, now, level=level)
    during = fingerprint(widened(base.document, snapshot), snapshot, now)
    assert before != during
    assert fingerprint(base, Snapshot(()), now) == before
    assert fingerprint(Engine(base.document), Snapshot(()), now) == before


@given(st.data())
@settings(max_examples=50, deadline=None)
def test_random_stray_overlays_open_nothing_without_their_rules(stray: st.DataObject) -> None:
    """An overlay in the context is worth nothing to an engine that was not given the plan's rules."""
    request = stray.draw(requests)
    base = Engine(document(stray.draw(rule_lists())))
    snapshot = declared(Plan.model_validate(plan_dict()), request.context.now, level=Level.SECOND)
    overlays = snapshot.overlays_for(request.subject, request.resource, request.context.now, 0.0)
    asked = replace(request, context=replace(request.context, overlays=overlays))
    assert base.decide(asked).allowed is base.decide(request).allowed


@EXAMPLES
@given(
    plans(),
    rule_lists(),
    st.lists(requests, min_size=1, max_size=12),
    scopes,
    st.sampled_from(list(Level)[:3]),
    st.none() | st.tuples(st.none() | plans(), scopes, st.sampled_from([Level.FIRST, Level.SECOND])),
)
def test_what_if_says_of_each_person_what_the_engine_says(
    plan: Plan,
    rules: list[dict[str, Any]],
    asked: list[Request],
    scope: Scope,
    level: Level,
    other: tuple[Plan | None, Scope, Level] | None,
) -> None:
    """People who look alike are judged once; judged one by one they come out the same, also beside what is declared
    already: by another plan, or by this one."""
    base, now = Engine(document(rules)), asked[0].context.now
    beside: list[ActiveDeclaration] = []
    if other is not None:
        known, reach, height = other
        known = known.model_copy(update={"id": "flood"}) if known else plan
        beside += declared(known, now, scope=reach, level=height, declaration_id="bcp_0").active
    subjects = [replace(r.subject, user_id=UserId(f"usr_{i}"), username=f"s{i}") for i, r in enumerate(asked)]
    if scope.kind is ScopeKind.DUTY:
        duties = frozenset(map(substitute_of, scope.ids))
        subjects.append(replace(subjects[0], user_id=UserId("usr_x"), username="sx", duties=duties))
    targets = {r.resource.pool_id: r.resource for r in asked}
    tried = Situation(replace(asked[0].context, live=False, overlays=()), Place(ELSEWHERE, "試", "try"), None, None)
    found = difference(
        base.document,
        plan,
        proposal(scope=scope, level=level),
        population_of(subjects, targets.values()),
        CITY,
        now,
        threading.Event(),
        Snapshot(beside).active,
        [tried],
    )
    expected: dict[str, int] = {}
    for pool_id, resource in targets.items():
        for person in subjects:
            plain = Request(person, Action.CONNECT, resource, tried.context)
            before, _ = under(Snapshot(beside), base, plain)
            after = before
            if level.widens:
                begun = declared(plan, now, scope=scope, level=level).active
                after, _ = under(Snapshot([*beside, *begun]), base, plain)
            old, new = before.grant and before.grant.obligations, after.grant and after.grant.obligations
            expected[pool_id] = expected.get(pool_id, 0) + (new is not None and new != old)
    assert found.losses == 0
    assert found.gainers_by_pool == {pool: count for pool, count in expected.items() if count}


@EXAMPLES
@given(plans(), rule_lists(), st.lists(requests, min_size=1, max_size=12), scopes, st.booleans())
def test_what_a_higher_declaration_gives_already_is_no_effect(
    plan: Plan, rules: list[dict[str, Any]], asked: list[Request], scope: Scope, drill: bool
) -> None:
    """Declared a second time, in part or on a lower level, a plan gives nothing more, at any time until its end."""
    now = asked[0].context.now
    assume(not drill or plan.drill)
    subjects = [replace(r.subject, user_id=UserId(f"usr_{i}"), username=f"s{i}") for i, r in enumerate(asked)]
    higher = declared(plan, now, level=Level.FIRST if drill else Level.SECOND, drill=drill, declaration_id="bcp_0")
    found = difference(
        document(rules),
        plan,
        proposal(scope=scope, level=Level.FIRST, drill=drill, ends_at=now + timedelta(hours=2)),
        population_of(subjects, {r.resource.pool_id: r.resource for r in asked}.values()),
        CITY,
        now,
        threading.Event(),
        higher.active,
    )
    assert (found.gains, found.losses) == ((), 0)


def test_a_withdrawn_question_stops() -> None:
    stop = threading.Event()
    stop.set()
    with pytest.raises(WhatIfCancelled):
        difference(
            document([]),
            Plan.model_validate(plan_dict()),
            proposal(),
            population_of(people(), pools()),
            CITY,
            datetime(2026, 6, 3, 12, 0, tzinfo=UTC),
            stop,
        )
