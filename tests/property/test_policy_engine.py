"""Properties of every decision, on random rules and requests, against a plain second interpreter."""

from dataclasses import replace
from datetime import timedelta
from ipaddress import IPv4Network, IPv6Network, ip_network
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from policy.engine import Engine
from policy.guardrails import GUARDRAILS, LOW_PRIVILEGE
from policy.leaves import within
from policy.model import Action, BcpLevel, Request, Zone
from policy.schema import PolicyDocument
from tests.support import policy as support
from tests.support.policy_strategies import (
    NETWORKS,
    TOKYO,
    allows,
    bcp_rules,
    no_wider,
    overlay,
    requests,
    rule_lists,
    rules,
    safe_requests,
    whens,
    wild_requests,
)

SLOW = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])
"""The machine is shared: a pause is not a fault."""
CALENDAR = {"workdays": ["2026-06-06"], "holidays": ["2026-06-03"]}
SLACK = ["departments", "employment", "sites", "networks", "device_kinds", "device_registered", "hours", "suspended"]


@st.composite
def _easy(draw: st.DrawFn) -> dict[str, Any]:
    when = draw(whens(0, only=SLACK, most=1))
    if draw(st.booleans()):
        when["groups"] = ["telework", "it-staff", "trainee"]
    rule = {"id": f"E-{draw(st.integers(0, 10**9))}", "effect": "permit", "when": when}
    if draw(st.booleans()):
        rule["terms"] = {"clipboard_in_chars": 50, "quality": "high"}
    return rule


EASY = st.lists(_easy(), min_size=1, max_size=3, unique_by=lambda rule: rule["id"])
"""Permits that match often, so that there is something to take away."""


def build(*parts: list[dict[str, Any]]) -> Engine:
    return support.engine([rule for part in parts for rule in part], networks=NETWORKS, calendar=CALENDAR)


def no_wider_decision(engine_a: Engine, a: Request, engine_b: Engine, b: Request) -> bool:
    """Whether (engine_a, a) gives nothing that (engine_b, b) does not."""
    first, second = engine_a.decide(a), engine_b.decide(b)
    if first.grant is None:
        return True
    return second.grant is not None and no_wider(first.grant.obligations, second.grant.obligations)


@settings(SLOW, max_examples=120)
@given(rule_lists(), EASY, requests)
def test_agrees_with_explanation_and_second_opinion(
    some: list[dict[str, Any]], easy: list[dict[str, Any]], request: Request
) -> None:
    engine = build(some, easy)
    decision, explanation = engine.decide(request), engine.explain(request)
    assert decision.allowed == explanation.allowed
    assert decision.rule_ids == explanation.rule_ids
    assert decision.allowed == allows([*engine.document.rules, *GUARDRAILS], request, engine.document)
    assert engine.decide(request).allowed == decision.allowed  # the second time from the cached program


CIDRS = st.one_of(
    st.builds(lambda low, bits: ip_network((low << (32 - bits), bits)), st.integers(0, 3), st.integers(2, 32)),
    st.builds(
        lambda low, bits: ip_network((2**127 + low * 2 ** (128 - bits), bits)), st.integers(0, 3), st.integers(3, 128)
    ),
)


@settings(SLOW)
@given(st.lists(st.lists(CIDRS, min_size=1, max_size=4), min_size=1, max_size=4), st.data())
def test_a_source_is_in_just_the_networks_around_it(
    parts: list[list[IPv4Network | IPv6Network]], more: st.DataObject
) -> None:
    named = {
        f"n{i}": {"name": {"ja": "網", "en": "Net"}, "cidrs": list(map(str, part))} for i, part in enumerate(parts)
    }
    made = within(PolicyDocument.model_validate(support.policy([], networks=named)).networks)
    for cidr in (cidr for part in parts for cidr in part):
        first, last = int(cidr.network_address), int(cidr.broadcast_address)
        for number in {
            max(first - 1, 0),
            first,
            more.draw(st.integers(first, last)),
            last,
            min(last + 1, 2**cidr.max_prefixlen - 1),
        }:
            source = type(cidr.network_address)(number)
            for i, part in enumerate(parts):
                assert made((f"n{i}",))(support.request(source=source)) is any(source in other for other in part)


UNKNOWN = [
    *(("subject", name) for name in ("department", "employment", "suspended")),
    *(("resource", name) for name in ("zone", "site")),
    *(
        ("context", name)
        for name in (
            "source",
            "device_kind",
            "device_registered",
            "password_age",
            "totp_age",
            "factor",
            "seats_used",
            "seats_total",
            "gateway_load_percent",
            "user_sessions",
            "days_worked",
            "worked_today",
        )
    ),
]


@settings(SLOW, max_examples=150)
@given(rule_lists(), EASY, requests)
def test_taking_a_fact_away_never_widens(
    some: list[dict[str, Any]], easy: list[dict[str, Any]], request: Request
) -> None:
    engine = build(some, easy)
    for part, name in UNKNOWN:
        poorer = replace(request, **{part: replace(getattr(request, part), **{name: None})})
        assert no_wider_decision(engine, poorer, engine, request), (part, name)


@settings(SLOW, max_examples=120)
@given(rule_lists(), EASY, rules(effects=("forbid", "limit"), prefix="X"), requests)
def test_adding_a_forbid_or_limit_never_widens(
    some: list[dict[str, Any]], easy: list[dict[str, Any]], added: dict[str, Any], request: Request
) -> None:
    assert no_wider_decision(build(some, easy, [added]), request, build(some, easy), request)


@settings(SLOW, max_examples=120)
@given(rule_lists(), EASY, rules(effects=("permit",), prefix="X"), requests)
def test_adding_a_permit_without_oblige_never_narrows(
    some: list[dict[str, Any]], easy: list[dict[str, Any]], added: dict[str, Any], request: Request
) -> None:
    added.pop("oblige", None)
    assert no_wider_decision(build(some, easy), request, build(some, easy, [added]), request)


@settings(SLOW, max_examples=100)
@given(rule_lists(), EASY, requests, st.data())
def test_order_of_rules_does_not_matter(
    some: list[dict[str, Any]], easy: list[dict[str, Any]], request: Request, more: st.DataObject
) -> None:
    first, second = build(some, easy), build(more.draw(st.permutations([*some, *easy])))
    assert first.version == second.version
    a, b = first.decide(request), second.decide(request)
    assert (a.allowed, a.rule_ids, a.reason) == (b.allowed, b.rule_ids, b.reason)
    assert a == b or not a.allowed


@settings(SLOW, max_examples=120)
@given(rule_lists(), EASY, st.lists(bcp_rules(), max_size=3, unique_by=lambda r: r["id"]), requests, st.booleans())
def test_bcp_only_widens_and_is_monotone_in_the_level(
    some: list[dict[str, Any]], easy: list[dict[str, Any]], plan: list[dict[str, Any]], request: Request, over: bool
) -> None:
    engine = build(some, easy, plan)
    ends = request.context.now + timedelta(seconds=-1 if over else 3600)

    def at(*levels: BcpLevel) -> Request:
        declared = tuple(overlay(level, ends) for level in levels)
        return replace(request, context=replace(request.context, overlays=declared))

    steps = [at(), at(BcpLevel.ALERT), at(BcpLevel.FIRST), at(BcpLevel.SECOND), at(BcpLevel.FIRST, BcpLevel.SECOND)]
    for lower, higher in pairwise(steps):
        assert no_wider_decision(engine, lower, engine, higher)
    for same in (steps[1], *(steps if over else ())):
        assert engine.decide(same).allowed == engine.decide(steps[0]).allowed  # 警戒 and expired ones widen nothing
    assert no_wider_decision(build(some, easy), request, engine, steps[0])
    assert no_wider_decision(engine, steps[0], build(some, easy), request)  # without a declaration the plan is nothing


@settings(SLOW, max_examples=150)
@given(
    rule_lists(effects=("permit",)),
    st.lists(bcp_rules(), max_size=2, unique_by=lambda r: r["id"]),
    st.one_of(safe_requests, wild_requests),
)
@example([{"id": "N-1", "effect": "permit", "when": {}}], [], support.request(zone=None))
def test_guardrails_hold_whatever_the_rules_say(
    some: list[dict[str, Any]], plan: list[dict[str, Any]], request: Request
) -> None:
    asked = replace(
        request,
        context=replace(request.context, overlays=(overlay(BcpLevel.SECOND, request.context.now + timedelta(days=1)),)),
    )
    everything = {"id": "N-0", "effect": "permit", "when": {}, "terms": {"clipboard_out_chars": 100_000}}
    grant = build(some, plan, [everything]).decide(asked).grant
    subject, resource, context = asked.subject, asked.resource, asked.context
    zero, half_day = timedelta(), timedelta(hours=12)
    safe = (
        subject.suspended is False
        and subject.tenant_id == resource.tenant_id
        and resource.zone in (Zone.LGWAN, Zone.INTERNET)
        and context.totp_age is not None
        and zero <= context.totp_age <= half_day
        and (context.factor in ("totp", "recovery") or resource.pool_class == LOW_PRIVILEGE)
        and context.password_age is not None
        and zero <= context.password_age <= half_day
    )
    assert (grant is not None) == safe
    if grant:
        terms = grant.obligations
        assert terms.watermark
        assert terms.idle_limit <= timedelta(minutes=30)
        assert terms.total_limit <= half_day
        assert resource.zone is Zone.INTERNET or terms.clipboard_out_chars == 0


@settings(SLOW, max_examples=100)
@given(rule_lists(), EASY, requests)
def test_a_live_session_is_never_judged_more_harshly_than_a_new_one(
    some: list[dict[str, Any]], easy: list[dict[str, Any]], request: Request
) -> None:
    engine = build(some, easy)
    new, live = (replace(request, context=replace(request.context, live=live)) for live in (False, True))
    assert no_wider_decision(engine, new, engine, live)


@settings(SLOW, max_examples=100)
@given(rule_lists(), EASY, requests)
def test_parts_of_a_session_follow_the_session(
    some: list[dict[str, Any]], easy: list[dict[str, Any]], request: Request
) -> None:
    engine = build(some, easy)
    whole = engine.decide(request)
    answers = {action: engine.decide(replace(request, action=action)) for action in Action}
    terms = whole.grant.obligations if whole.grant else None
    assert answers[Action.VIEW].allowed == whole.allowed
    assert answers[Action.CONTROL].allowed == (terms is not None and not terms.view_only)
    assert answers[Action.CLIPBOARD_IN].allowed == (terms is not None and terms.clipboard_in_chars > 0)
    assert answers[Action.CLIPBOARD_OUT].allowed == (terms is not None and terms.clipboard_out_chars > 0)
    if looking := answers[Action.VIEW].grant:
        assert looking.obligations.view_only
        assert looking.obligations.clipboard_in_chars == 0


CLOCKED = st.lists(
    st.builds(
        lambda number, when, effect: {"id": f"T-{number}", "effect": effect, "when": when},
        st.integers(0, 10**9),
        whens(1, only=["hours", "dates", "groups", "days_a_week"]),
        st.sampled_from(["permit", "permit", "forbid"]),
    ),
    min_size=1,
    max_size=4,
    unique_by=lambda rule: rule["id"],
)


@settings(SLOW, max_examples=150)
@given(CLOCKED, requests, st.floats(0, 1))
def test_available_from_is_the_first_moment_that_works(
    some: list[dict[str, Any]], request: Request, fraction: float
) -> None:
    engine = build(some)
    worked, today = request.context.days_worked, request.context.worked_today
    asked = support.request(
        now=request.context.now, groups=request.subject.groups, days_worked=worked, worked_today=today
    )
    opens = engine.decide(asked).reason.available_from
    if opens is None:
        return

    def at(moment: Any) -> bool:
        """Had they worked today, unless it is known that they did not, and not since."""
        asked_on, day = (when.astimezone(TOKYO).date() for when in (asked.context.now, moment))
        same_week = asked_on.isocalendar()[:2] == day.isocalendar()[:2]
        later = None if worked is None else worked if today is False else worked + 1
        then = worked if day == asked_on else later if same_week else 0
        return engine.decide(replace(asked, context=replace(asked.context, now=moment, days_worked=then))).allowed

    assert opens > asked.context.now
    assert at(opens)
    assert not at(asked.context.now + (opens - asked.context.now) * fraction * 0.999999)


@settings(SLOW, max_examples=150)
@given(CLOCKED, EASY, safe_requests, st.lists(safe_requests, min_size=2, max_size=6), st.data())
def test_what_is_kept_of_one_request_never_answers_another(
    some: list[dict[str, Any]], easy: list[dict[str, Any]], person: Request, others: list[Request], more: st.DataObject
) -> None:
    """Programs by pool and clock, the stretch of the clock, the last moment and address: all kept in one engine."""
    engine = build(some, easy)
    asked = [*others, *(replace(person, context=other.context) for other in others)]
    for request in more.draw(st.permutations(asked)):
        decision, explanation = engine.decide(request), engine.explain(request)
        assert (decision.allowed, decision.rule_ids) == (explanation.allowed, explanation.rule_ids)


@pytest.mark.parametrize("action", list(Action))
@settings(SLOW, max_examples=20)
@given(requests)
def test_an_empty_policy_denies_everything(action: Action, request: Request) -> None:
    engine = Engine(PolicyDocument.model_validate(support.policy([])))
    assert not engine.decide(replace(request, action=action)).allowed
