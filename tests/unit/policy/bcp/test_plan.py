"""Plans: what they compile to, and every way in which one is refused, with its line and both languages."""

import re
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml

from common.ids import PoolId
from policy.bcp import proof
from policy.bcp.model import Level
from policy.bcp.plan import compiled, content_of, plan_from, substitute_of
from policy.checks import load
from policy.guardrails import GUARDRAILS
from policy.model import Zone
from policy.problems import PolicyInvalid, Problem, Severity
from policy.schema import Bcp, Effect, Layer, PolicyDocument, When
from tests.support.bcp import NETWORKS, RULES, plan, plan_dict, plan_file, widening
from tests.support.policy import policy, resource

TODAY = date(2026, 6, 3)
DEPLOY = Path(__file__).parents[4] / "deploy"
BASE = PolicyDocument.model_validate(policy(RULES, networks=NETWORKS))


def refused(*plans: dict[str, Any], **over: Any) -> tuple[Problem, ...]:
    with pytest.raises(PolicyInvalid) as error:
        proof.load(plan_file(*plans), BASE, today=TODAY, **over)
    for problem in error.value.problems:
        assert problem.text_ja
        assert problem.text_en
        assert problem.path
    return tuple(p for p in error.value.problems if p.severity is Severity.ERROR)


def why(line: dict[str, Any], **over: Any) -> Problem:
    """The one error of a plan with this single line at level 1."""
    (problem,) = refused(plan_dict(first=[line], second=[], drill=None), **over)
    assert problem.rule_id == "quake/W1"
    assert problem.path.startswith("plans[0].first[0]")
    assert problem.line
    return problem


def test_the_sample_is_proven_and_says_the_same_in_both_languages() -> None:
    base, _ = load((DEPLOY / "policy.sample.yaml").read_bytes(), today=TODAY)
    content = (DEPLOY / "bcp-plans.sample.yaml").read_text("utf-8")
    plans, warnings = proof.load(content, base, today=TODAY)
    assert [p.id for p in plans] == ["quake", "infection"]
    assert warnings == ()
    assert all(p.can_drill(Level.SECOND) is (p.drill is not None) for p in plans)


def test_a_plan_compiles_to_permits_of_the_bcp_layer() -> None:
    rules = compiled(plan())
    assert [rule.id for rule in rules] == ["BCP-quake-1-L1-W1", "BCP-quake-1-L2-W2"]
    assert {(rule.layer, rule.effect, rule.oblige) for rule in rules} == {(Layer.BCP, Effect.PERMIT, None)}
    assert [rule.when.bcp for rule in rules] == [
        Bcp(plan="quake@1", level="first"),
        Bcp(plan="quake@1", level="second"),
    ]


def test_a_drill_is_the_real_thing_on_its_own_pools_under_its_own_name() -> None:
    rules = compiled(plan(), drill=True)
    assert [rule.id for rule in rules] == ["BCP-quake-1-D1-W1", "BCP-quake-1-D2-W2"]
    assert {rule.when.bcp.plan for rule in rules if rule.when.bcp} == {"quake@1#drill"}
    assert all(rule.when.all_of == (When(pools=("drill",)),) for rule in rules)
    later = plan(drill={"pools": ["drill"], "second": ["W1"]})
    assert [rule.when.bcp.level for rule in compiled(later, drill=True) if rule.when.bcp] == ["second"]
    assert not later.can_drill(Level.FIRST)
    assert compiled(plan(drill=None), drill=True) == ()


def test_every_line_of_a_widening_becomes_a_condition() -> None:
    line = widening(
        who={
            "groups": ["g"],
            "departments": ["税務課"],
            "employment": ["fiscal-year"],
            "duties": ["water"],
            "conditional_duties": ["tax"],
            "substitutes": True,
        },
        places={"networks": ["east"], "sites": ["east"]},
        devices={"kinds": ["tablet"], "registered": False},
        hours={"windows": ["22:00-06:00"], "days": "workdays"},
        days_a_week=5,
        targets={"pools": ["office"], "classes": ["standard"], "sites": ["east"], "zones": ["lgwan"]},
        terms={"total_limit": "12h", "quality": "slow"},
    )
    made = plan(first=[line], second=[], drill=None)
    when = compiled(made)[0].when
    assert when.duties == ("water", "tax", substitute_of("water"), substitute_of("tax"))
    assert when.networks == ("east",)
    assert set(when.given()) == {
        "bcp", "groups", "departments", "employment", "duties", "networks", "device_kinds", "device_registered",
        "hours", "days_a_week", "pools", "pool_classes", "sites", "zones",
    }  # fmt: skip
    assert when.days_a_week == 5
    assert plan_from(content_of(made)) == made
    assert plan_from(content_of(plan())).digest == plan().digest


def test_the_digest_is_of_everything() -> None:
    digests = {plan().digest, plan(grace="10m").digest, plan(version=2).digest, plan(drill=None).digest}
    assert len(digests) == 4


@pytest.mark.parametrize(
    ("over", "guardrail"),
    [
        ({"targets": {"pools": ["office"], "zones": ["my_number"]}}, "GR-MY-NUMBER"),
        (
            {"targets": {"pools": ["office"], "zones": ["lgwan"]}, "terms": {"clipboard_out_chars": 10}},
            "GR-CLIPBOARD-OUT",
        ),
    ],
)
def test_what_a_guardrail_wholly_covers_is_refused_by_its_name(over: dict[str, Any], guardrail: str) -> None:
    problem = why(widening(**over))
    assert guardrail in problem.text_ja
    assert guardrail in problem.text_en


def test_no_plan_opens_a_pool_that_guardrails_close() -> None:
    known = [resource(pool_id=PoolId("office"), zone=Zone.MY_NUMBER)]
    assert "GR-MY-NUMBER" in why(widening(), known=known).text_ja
    known = [resource(pool_id=PoolId("office"), zone=None)]
    assert "GR-ZONE" in why(widening(), known=known).text_en
    _plans, warnings = proof.load(
        plan_file(plan_dict(drill=None)), BASE, today=TODAY, known=[resource(pool_id=PoolId("office1"))]
    )
    assert any("'office1'" in warning.text_en for warning in warnings)


def test_the_program_itself_is_proven_not_to_name_bcp_in_a_guardrail() -> None:
    assert list(proof.guardrail_faults(GUARDRAILS)) == []
    bcp = When(bcp=Bcp(plan="quake", level="first"))
    for when in (bcp, When(any_of=(bcp,)), When(not_=When(all_of=(bcp,)))):
        broken = GUARDRAILS[0].model_copy(update={"when": when})
        problems = refused(plan_dict(), guardrails=(broken,))
        assert {p.rule_id for p in problems} == {"GR-TENANT"}
    permit = GUARDRAILS[0].model_copy(update={"effect": Effect.PERMIT})
    assert list(proof.guardrail_faults((permit,)))


def test_the_second_level_contains_the_first() -> None:
    first = widening(terms={"total_limit": "10h"})
    narrower: list[dict[str, Any]] = [
        {"terms": {"total_limit": "9h"}},
        {"terms": {}},
        {"terms": {"total_limit": "10h", "view_only": True}},
        {"terms": {"total_limit": "10h", "quality": "slow"}},
        {"terms": {"total_limit": "10h"}, "places": {"networks": ["east"]}},
        {"terms": {"total_limit": "10h"}, "who": {"groups": ["else"]}},
        {"terms": {"total_limit": "10h"}, "days_a_week": 3},
    ]
    for over in narrower:
        (problem,) = refused(plan_dict(first=[first], second=[widening(**over)], drill=None))
        assert problem.rule_id == "quake/W1"
        assert "第2次" in problem.text_ja
    wider = widening(who={"groups": ["shelter", "telework"]}, terms={"total_limit": "12h"})
    for low, high in (({}, {}), ({"days_a_week": 3}, {"days_a_week": 4}), ({"days_a_week": 3}, {})):
        levels = plan_dict(first=[first | low], second=[wider | high], drill=None)
        proof.load(plan_file(levels), BASE, today=TODAY)


def test_a_drill_exceeds_nothing() -> None:
    cases: list[tuple[dict[str, Any], str]] = [
        ({"pools": ["drill"], "first": ["W2"]}, "no 'W2' at this level"),
        ({"pools": ["drill"], "first": ["W9"]}, "no 'W9' at this level"),
        ({"pools": ["net"], "first": ["W1"]}, "not among the targets"),
    ]
    for drill, told in cases:
        problems = refused(plan_dict(drill=drill))
        assert any(told in p.text_en and p.rule_id == "quake/drill" for p in problems)


@pytest.mark.parametrize(
    ("over", "told"),
    [
        ({"places": {"networks": ["west"]}}, "No network 'west'"),
        ({"who": {"groups": []}}, "at least one"),
        ({"who": {}}, "whose rights"),
        ({"who": {"groups": ["g"], "substitutes": True}}, "Substitutes"),
        ({"places": {}}, "anywhere"),
        ({"places": {"anywhere": True, "networks": ["east"]}}, "anywhere"),
        ({"targets": {"zones": ["lgwan"]}}, "pool classes"),
        ({"terms": {"total_limit": "13h"}}, "12h"),
        ({"terms": {"idle_limit": "31m"}}, "30m"),
        ({"terms": {"watermark": False}}, "No key 'watermark'"),
        ({"effect": "forbid"}, "No key 'effect'"),
        ({"devices": {"kinds": ["thinn"]}}, "'thin'"),
        ({"hours": {"windows": ["9-17"]}}, "08:30-17:15"),
        ({"targets": {"pools": ["office"], "zones": ["lgwan"], "classes": ["a"], "sites": []}}, "at least one"),
    ],
)
def test_a_malformed_line_is_refused_with_its_place(over: dict[str, Any], told: str) -> None:
    assert re.search(re.escape(told), why(widening(**over)).text_en)


def test_a_malformed_plan_is_refused_as_a_whole() -> None:
    assert [p.rule_id for p in refused(plan_dict(), plan_dict(version=2))] == ["quake"]
    assert {p.rule_id for p in refused(plan_dict(id="Quake"))} == {"Quake"}
    assert {p.rule_id for p in refused(plan_dict(id="a" * 15))} == {"a" * 15}
    assert refused(plan_dict(version=0))
    assert refused(plan_dict(grace="3h"))
    assert refused(plan_dict(first=[]))
    assert refused(plan_dict(first=[widening("W-1")]))
    twice = refused(plan_dict(first=[widening(), widening()], drill=None))
    assert {p.text_en for p in twice} >= {"Two lines have this id."}
    with pytest.raises(PolicyInvalid):
        proof.load("plans: [", BASE, today=TODAY)
    with pytest.raises(PolicyInvalid):
        proof.load(yaml.safe_dump({"format": 1}), BASE, today=TODAY)
