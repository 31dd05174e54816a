"""Each guardrail that is a policy decision, one by one: rules and a declared plan open everything to all, in earnest
and as a drill. Without the guardrail its case here fails; the property tests rarely come this far by chance."""

from dataclasses import fields
from datetime import timedelta
from typing import Any, Final

import pytest

from policy.bcp.plan import Plan, compiled
from policy.engine import Engine
from policy.guardrails import GUARDRAILS, LOW_PRIVILEGE
from policy.model import ActiveOverlay, BcpLevel, Decision, FactorKind, Request, Resource, Zone
from policy.schema import PolicyDocument
from tests.support.bcp import plan_dict, widening
from tests.support.policy import NOON, policy, request, resource

H: Final = timedelta(hours=1)
POOL: Final = "office-desktop"
EVERYTHING: Final[dict[str, Any]] = {
    "clipboard_in_chars": 100_000,
    "clipboard_out_chars": 100_000,
    "idle_limit": "30m",
    "total_limit": "12h",
}
WIDE: Final = Plan.model_validate(
    plan_dict(
        first=[widening("W1", who={"groups": ["telework"]}, targets={"pools": [POOL]}, terms=EVERYTHING)],
        second=[],
        drill={"pools": [POOL], "first": ["W1"]},
    )
)
CASES: Final[list[tuple[str, dict[str, Any]]]] = [
    ("GR-TENANT", {"tenant": "town"}),
    ("GR-SUSPENDED", {"suspended": True}),
    ("GR-SUSPENDED", {"suspended": None}),
    ("GR-MY-NUMBER", {"zone": Zone.MY_NUMBER}),
    ("GR-ZONE", {"zone": None}),
    ("GR-TOTP", {"totp_age": None}),
    ("GR-TOTP", {"totp_age": 12 * H + timedelta(seconds=1)}),
    ("GR-TOTP", {"totp_age": -H}),
    ("GR-TEMPORARY", {"factor": FactorKind.TEMPORARY}),
    ("GR-TEMPORARY", {"factor": None}),
    ("GR-PASSWORD", {"password_age": None}),
    ("GR-PASSWORD", {"password_age": 12 * H + timedelta(seconds=1)}),
]


def declared(*, drill: bool, **facts: Any) -> Decision:
    """The plan of everything at the second level, beside rules that open everything to everybody."""
    base = PolicyDocument.model_validate(policy([{"id": "N-00", "when": {}, "terms": EVERYTHING}]))
    rules = compiled(WIDE, drill=drill)
    engine = Engine(base.model_copy(update={"rules": (*base.rules, *rules)}))
    (bcp,) = {rule.when.bcp.plan for rule in rules if rule.when.bcp}
    overlay = ActiveOverlay("bcp_1", bcp, BcpLevel.SECOND, NOON + H)
    tenant = facts.pop("tenant", "city")
    what = {"tenant_id": tenant, "pool_id": POOL}
    what |= {f.name: facts.pop(f.name) for f in fields(Resource) if f.name in facts}
    asked = request(overlays=(overlay,), **facts)
    return engine.decide(Request(asked.subject, asked.action, resource(**what), asked.context))


@pytest.mark.parametrize("drill", [False, True])
def test_what_breaks_no_guardrail_is_allowed(drill: bool) -> None:
    assert declared(drill=drill).allowed
    assert declared(drill=drill, factor=FactorKind.TEMPORARY, pool_class=LOW_PRIVILEGE).allowed


@pytest.mark.parametrize("drill", [False, True])
@pytest.mark.parametrize(("guardrail", "facts"), CASES, ids=str)
def test_no_declaration_opens_what_a_guardrail_forbids(guardrail: str, facts: dict[str, Any], drill: bool) -> None:
    decision = declared(drill=drill, **facts)
    assert not decision.allowed
    assert guardrail in decision.rule_ids


@pytest.mark.parametrize("drill", [False, True])
def test_no_declaration_loosens_the_terms_that_a_guardrail_sets(drill: bool) -> None:
    lgwan, internet = declared(drill=drill, zone=Zone.LGWAN), declared(drill=drill, zone=Zone.INTERNET)
    assert lgwan.grant
    assert internet.grant
    assert (lgwan.grant.obligations.clipboard_out_chars, internet.grant.obligations.clipboard_out_chars) == (0, 100_000)
    for grant in (lgwan.grant, internet.grant):
        assert grant.obligations.watermark
        assert grant.obligations.idle_limit <= timedelta(minutes=30)
        assert grant.obligations.total_limit <= 12 * H
        assert "GR-LIMITS" in grant.rule_ids


def test_every_forbidding_guardrail_has_its_case() -> None:
    assert {guardrail for guardrail, _ in CASES} == {rule.id for rule in GUARDRAILS if rule.effect == "forbid"}
