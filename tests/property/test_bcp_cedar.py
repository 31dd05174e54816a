"""A second engine, written by other people, gives the same answers: random rules and plans exported to Cedar.

Both sides decide at least 100,000 random requests on random policies with guardrails, capacity and BCP rules. Cedar
skips a policy that errs, so an error on its side fails the test.
"""

import random  # noqa: TID251 - seeded, so that a difference comes back
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from typing import Any, Final

import cedarpy
import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from common.ids import PoolId, TenantId, UserId
from policy.bcp.model import overlay_plan
from policy.bcp.plan import Plan, compiled
from policy.engine import Engine
from policy.guardrails import GUARDRAILS, LOW_PRIVILEGE
from policy.model import (
    Action,
    ActiveOverlay,
    BcpLevel,
    Context,
    DeviceKind,
    FactorKind,
    Request,
    Resource,
    Subject,
    Zone,
)
from policy.schema import Effect, PolicyDocument
from tests.property.test_bcp_overlays import document, plans
from tests.support.cedar import asked, exported
from tests.support.policy_strategies import bcp_rules, rule_lists

EXAMPLES: Final = 110
REQUESTS: Final = 1_000
_FIRST_DAY: Final = datetime(2026, 1, 1, tzinfo=UTC)
_SOURCES: Final = [None, *map(ip_address, ("10.1.2.3", "10.9.9.9", "203.0.113.9", "2001:db8::1", "::ffff:192.0.2.1"))]
_AGES: Final = [None, timedelta(-1), timedelta(), *(timedelta(hours=h) for h in (1, 8, 9, 12, 13, 30))]
_COUNTS: Final = [None, 0, 1, 3, 49, 50, 80, 90, 100]


def some(chance: random.Random, names: list[str]) -> frozenset[str]:
    return frozenset(name for name in names if chance.random() < 0.5)


def random_request(chance: random.Random, overlay_plans: list[str]) -> Request:
    """Most pass the guardrails; the others are as wild as facts can be."""
    wild = chance.random() < 0.3
    now = _FIRST_DAY + timedelta(seconds=chance.randrange(730 * 86_400))
    ages = _AGES if wild else [timedelta(), timedelta(minutes=5), timedelta(hours=9)]
    subject = Subject(
        tenant_id=TenantId(chance.choice(["city", "town"] if wild else ["city"])),
        user_id=UserId(chance.choice(["usr_1", "usr_2"])),
        username=chance.choice(["sato", "suzuki"]),
        groups=some(chance, ["telework", "it-staff", "trainee"]),
        department=chance.choice([None, "総務課", "税務課"]),
        duties=some(chance, ["disaster-watch", "payroll"]),
        employment=chance.choice([None, "permanent", "fiscal-year"]),
        suspended=chance.choice([False, True, None] if wild else [False]),
    )
    resource = Resource(
        tenant_id=TenantId("city"),
        pool_id=PoolId(chance.choice(["office-desktop", "internet-desktop"])),
        pool_class=chance.choice(["standard", "gpu", LOW_PRIVILEGE]),
        zone=chance.choice([*Zone, None] if wild else [Zone.LGWAN, Zone.INTERNET]),
        site=chance.choice([None, "hq", "east"]),
    )
    overlays = tuple(
        ActiveOverlay("o", name, chance.choice(list(BcpLevel)), now + timedelta(hours=chance.choice([-1, 0, 1])))
        for name in overlay_plans
        if chance.random() < 0.6
    )
    context = Context(
        now=now,
        source=chance.choice(_SOURCES),
        device_kind=chance.choice([None, *DeviceKind]),
        device_registered=chance.choice([None, True, False]),
        password_age=chance.choice(ages),
        totp_age=chance.choice(ages),
        factor=chance.choice([None, *FactorKind] if wild else [FactorKind.TOTP]),
        seats_used=chance.choice(_COUNTS),
        seats_total=chance.choice(_COUNTS),
        gateway_load_percent=chance.choice(_COUNTS),
        user_sessions=chance.choice(_COUNTS),
        days_worked=chance.choice([None, 0, 1, 3, 4, 6]),
        live=chance.random() < 0.3,
        overlays=overlays,
    )
    return Request(subject, Action.CONNECT, resource, context)


_seen: Final = {"decisions": 0, "allowed": 0, "by_bcp": 0}


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_cedar_agrees_on_a_hundred_thousand_random_requests() -> None:
    _seen.update(decisions=0, allowed=0, by_bcp=0)
    _agree()
    assert _seen["decisions"] >= 100_000
    assert _seen["allowed"] > _seen["decisions"] / 10, _seen
    assert _seen["by_bcp"] > 1_000, _seen


@seed(3)
@settings(
    max_examples=EXAMPLES,
    deadline=None,
    database=None,
    phases=[Phase.generate],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
@given(
    rules=rule_lists(),
    bcp=st.lists(bcp_rules(), max_size=2, unique_by=lambda rule: rule["id"]),
    plan=plans(),
    number=st.integers(0, 2**32),
)
def _agree(rules: list[dict[str, Any]], bcp: list[dict[str, Any]], plan: Plan, number: int) -> None:
    base = document([*rules, *bcp])
    whole = base.model_copy(update={"rules": (*base.rules, *compiled(plan))})
    engine, written = Engine(whole), cedarpy.PolicySet.from_str(exported(whole, GUARDRAILS))
    chance = random.Random(number)
    names = ["quake", overlay_plan(plan.id, plan.version, drill=False)]
    requests = [random_request(chance, names) for _ in range(REQUESTS)]
    answers = cedarpy.is_authorized_batch([asked(request, whole) for request in requests], written, [])
    for request, answer in zip(requests, answers, strict=True):
        assert not answer.diagnostics.errors
        decision = engine.decide(request)
        assert decision.allowed is answer.allowed, (request, answer.diagnostics.reasons)
        _seen["decisions"] += 1
        if decision.allowed:
            _seen["allowed"] += 1
            plain = replace(request, context=replace(request.context, overlays=()))
            _seen["by_bcp"] += not engine.decide(plain).allowed


def test_the_export_has_every_permit_and_forbid() -> None:
    whole = PolicyDocument.model_validate({**document([]).model_dump(mode="json"), "rules": []})
    written = exported(whole, GUARDRAILS)
    assert written.count("forbid (") == sum(rule.effect is Effect.FORBID for rule in GUARDRAILS)
    assert "permit (" not in written
