"""Versions of plans: who may take which step, what is believed, and the text of a plan."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from common.ids import TenantId
from gateway.demo import synthetic
from policy.bcp import plan_versions as steps
from policy.bcp.model import Refused, Signer
from policy.bcp.plan import Plan, parse
from policy.bcp.plan_text import checked, text_of
from policy.bcp.plan_versions import PlanState, PlanVersion
from policy.checks import load
from policy.problems import Severity
from tests.support import bcp as kit
from tests.support.policy import policy

NOW = datetime(2026, 11, 25, 3, 0, tzinfo=UTC)
SAMPLE = Path(__file__).parents[4] / "deploy" / "bcp-plans.sample.yaml"
CITY = TenantId("city")


def proposed(plan: Plan | None = None, newest: int = 0) -> PlanVersion:
    return steps.propose(plan or kit.plan(), "見直し", kit.signer("clerk", NOW), CITY, NOW, newest=newest, others=())


def seen(username: str, found: PlanVersion, **over: Any) -> Signer:
    return kit.signer(username, NOW, **({"seen_digest": found.plan.digest} | over))


def code(error: pytest.ExceptionInfo[Refused]) -> str:
    assert error.value.refusal.text_ja
    assert error.value.refusal.text_en
    return kit.code_of(error.value)


def test_two_persons_make_a_version_count() -> None:
    adopted = steps.adopt(proposed(), seen("chief", proposed()), NOW, in_force=0)
    assert adopted.state is PlanState.ADOPTED
    assert steps.fault(adopted) is None
    assert steps.decode(steps.encode(adopted)) == adopted
    newer = replace(adopted, plan=kit.plan(version=2))
    assert steps.in_force([adopted, newer, proposed(kit.plan(version=3), newest=2)])["quake"] is newer


@pytest.mark.parametrize(
    ("over", "in_force", "expected"),
    [
        ({"totp_at": None}, 0, "totp_not_fresh"),
        ({"totp_at": NOW - timedelta(minutes=6)}, 0, "totp_not_fresh"),
        ({"totp_at": NOW + timedelta(minutes=1)}, 0, "totp_not_fresh"),
        ({"seen_digest": "0" * 64}, 0, "content_changed"),
        ({"seen_digest": None}, 0, "content_changed"),
        ({"username": "CLERK"}, 0, "same_person"),
        ({}, 1, "plan_version_old"),
    ],
)
def test_who_may_not_adopt(over: dict[str, Any], in_force: int, expected: str) -> None:
    found = proposed()
    with pytest.raises(Refused) as error:
        steps.adopt(found, replace(seen("chief", found), **over), NOW, in_force=in_force)
    assert code(error) == expected


def test_nobody_adopts_alone_or_twice() -> None:
    found = proposed()
    with pytest.raises(Refused) as error:
        steps.adopt(found, seen("clerk", found), NOW, in_force=0)
    assert code(error) == "same_person"
    for decided in (steps.reject(found), steps.adopt(found, seen("chief", found), NOW, in_force=0)):
        with pytest.raises(Refused) as error:
            steps.reject(decided)
        assert code(error) == "plan_not_waiting"
        with pytest.raises(Refused) as error:
            steps.adopt(decided, seen("chief", found), NOW, in_force=0)
        assert code(error) == "plan_not_waiting"


@pytest.mark.parametrize(
    ("note", "version", "expected"),
    [
        ("", 3, "reason_missing"),
        (" " * 9, 3, "reason_missing"),
        ("x" * 1_001, 3, "reason_missing"),
        ("見直し", 2, "plan_version_old"),
        ("見直し", 1, "plan_version_old"),
        ("見直し", 9_999, "plan_version_old"),  # a jump would leave no number for a correction
    ],
)
def test_what_may_not_be_proposed(note: str, version: int, expected: str) -> None:
    with pytest.raises(Refused) as error:
        steps.propose(kit.plan(version=version), note, kit.signer("clerk", NOW), CITY, NOW, newest=2, others=())
    assert code(error) == expected


def test_a_forged_version_is_not_believed() -> None:
    found = proposed()
    adopted = steps.adopt(found, seen("chief", found), NOW, in_force=0)
    assert steps.fault(replace(adopted, adopted=None)) == "nobody adopted it"
    assert steps.fault(replace(adopted, adopted=adopted.proposed)) == "one person"
    assert steps.fault(replace(adopted, plan=kit.plan(version=2))) == "another content was signed"
    broken: Any
    for broken in ({}, [], None, {"plan": {}}, steps.encode(adopted) | {"state": "perhaps"}):
        with pytest.raises(ValueError, match="not a version"):
            steps.decode(broken)


@pytest.mark.parametrize("text", [SAMPLE.read_text("utf-8"), synthetic.sample().plans], ids=["sample", "city"])
def test_the_text_of_a_plan_is_that_plan(text: str) -> None:
    for plan in parse(text)[0].plans:
        (again,) = parse(text_of(plan))[0].plans
        assert again == plan
        assert again.digest == plan.digest


def test_a_text_is_checked_as_a_file_would_be() -> None:
    base, _ = load(json.dumps(policy(kit.RULES, networks=kit.NETWORKS)), today=NOW.date())

    def found(text: str) -> tuple[bool, list[tuple[str, str | None]]]:
        result = checked(text, base, today=NOW.date(), known=kit.pools())
        assert all(problem.text_ja and problem.text_en for problem in result.problems)
        errors = [problem for problem in result.problems if problem.severity is Severity.ERROR]
        assert (result.plan is None) == bool(errors)
        return result.plan is not None, [(problem.path, problem.rule_id) for problem in errors]

    assert found(kit.plan_file()) == (True, [])
    assert found("") == (False, [("(file)", None)])
    assert found(kit.plan_file(kit.plan_dict(), kit.plan_dict(id="flood")))[1] == [("plans", None)]
    assert found(kit.plan_file(kit.plan_dict(colour="red")))[1] == [("plans[0].colour", "quake")]
    nobody = kit.plan_dict(first=[kit.widening("W1", who={})])
    assert found(kit.plan_file(nobody))[1] == [("plans[0].first[0].who", "quake/W1")]
    reach = {"pools": ["office"], "zones": ["my_number"]}
    covered = kit.plan_dict(first=[kit.widening("W1", targets=reach)], drill=None, second=[])
    ok, errors = found(kit.plan_file(covered))
    assert not ok
    assert ("plans[0].first[0]", "quake/W1") in errors
