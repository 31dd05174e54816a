"""What a well-formed file can still have wrong, each with rule, place and both languages."""

from datetime import date
from typing import Any

import pytest
import yaml

from policy.checks import MOST_AROUND, check, load
from policy.implication import contradiction, implies
from policy.loading import parse
from policy.problems import PolicyInvalid, Problem, Severity
from policy.schema import When
from tests.support.policy import policy

TODAY = date(2026, 6, 3)
WHO = {"groups": ["telework"]}
BCP = {"plan": "quake", "level": "first"}
OFFICE = {"office": {"name": {"ja": "庁舎", "en": "Office"}, "cidrs": ["10.0.0.0/8"]}}


def checked(*rules: dict[str, Any], **parts: Any) -> tuple[Problem, ...]:
    numbered = [{"id": f"N-{i}", **rule} for i, rule in enumerate(rules)]
    document, lines = parse(yaml.safe_dump(policy(numbered, **parts), allow_unicode=True))
    found = check(document, lines, today=TODAY)
    assert all(problem.text_ja and problem.text_en and problem.path for problem in found)
    return found


def one(*rules: dict[str, Any], severity: Severity = Severity.ERROR, **parts: Any) -> Problem:
    (problem,) = checked(*rules, **parts)
    assert problem.severity is severity
    assert problem.line
    return problem


GOOD: dict[str, Any] = {"when": WHO}


def test_a_good_policy_has_no_problem() -> None:
    assert checked(GOOD) == ()


@pytest.mark.parametrize(
    ("rule", "ja", "en"),
    [
        ({"id": "GR-TOTP", "when": WHO}, "組み込み", "built-in"),
        ({"layer": "guardrail", "effect": "forbid", "when": WHO}, "組み込み", "built-in"),
        ({"effect": "forbid", "when": WHO, "terms": {}}, "permit だけ", "Only a permit"),
        ({"effect": "limit", "when": WHO}, "oblige が必要", "needs an oblige"),
        ({"effect": "limit", "when": WHO, "oblige": {}}, "oblige が必要", "needs an oblige"),
        ({"effect": "forbid", "when": WHO, "oblige": {"view_only": True}}, "oblige は書けません", "no oblige"),
        ({"when": {}}, "誰にでも", "everybody"),
        ({"layer": "capacity", "when": WHO}, "forbid, limit", "forbid, limit"),
        ({"layer": "bcp", "effect": "forbid", "when": {**WHO, "bcp": BCP}}, "permit だけ", "only permit"),
        ({"layer": "bcp", "when": WHO}, "条件 bcp（plan と level）", "plan and level"),
        ({"when": {**WHO, "bcp": BCP}}, "bcp の層だけ", "Only the bcp layer"),
        ({"layer": "bcp", "when": {**WHO, "bcp": BCP, "not": {"bcp": {**BCP, "plan": "flood"}}}}, "any_of", "any_of"),
        ({"layer": "bcp", "when": {**WHO, "bcp": BCP}, "oblige": {"view_only": True}}, "広げるだけ", "only widens"),
        ({"when": {**WHO, "any_of": [{"user_sessions": {"below": 1}}]}}, "capacity の層", "capacity layer"),
        ({"when": {**WHO, "seats_used_percent": {"below": 9}}}, "capacity の層", "capacity layer"),
        ({"when": {**WHO, "any_of": [{}]}}, "空の条件", "empty condition"),
        ({"when": {**WHO, "not": {}}}, "空の条件", "empty condition"),
        ({"when": {**WHO, "not": {"not": {"not": {"not": {"not": {"sites": ["x"]}}}}}}}, "入れ子", "nested"),
        ({"when": {**WHO, "networks": ["offise"]}}, "未定義", "No network"),
        ({"when": {**WHO, "not": {"networks": ["offise"]}}}, "未定義", "No network"),
        ({"when": {"zones": ["lgwan"], "not": {"zones": ["lgwan"]}, **WHO}}, "矛盾", "contradict"),
    ],
)
def test_errors(rule: dict[str, Any], ja: str, en: str) -> None:
    named = [rule] if rule.get("effect", "permit") == "permit" else [{"when": {"groups": ["other"]}}, rule]
    problem = one(*named)
    assert ja in problem.text_ja
    assert en in problem.text_en
    with pytest.raises(PolicyInvalid):
        load(yaml.safe_dump(policy([{"id": "N-1", **rule}])), today=TODAY)


@pytest.mark.parametrize(
    ("rule", "ja", "en"),
    [
        ({"when": {"zones": ["lgwan"]}}, "人も場所も", "neither people nor places"),
        ({"when": {**WHO, "zones": ["my_number"]}}, "GR-MY-NUMBER", "GR-MY-NUMBER"),
        ({"when": {**WHO, "suspended": True}}, "GR-SUSPENDED", "GR-SUSPENDED"),
        ({"when": {**WHO, "totp_age": {"over": "12h"}}}, "GR-TOTP", "GR-TOTP"),
        ({"when": {**WHO, "password_age": {"over": "2d"}}}, "GR-PASSWORD", "GR-PASSWORD"),
        ({"when": {**WHO, "not": {"zone_known": True}}}, "GR-ZONE", "GR-ZONE"),
        ({"when": {**WHO, "dates": {"until": "2026-06-02"}}}, "期間が終わって", "is over"),
        ({"when": {**WHO, "hours": {"windows": ["08:00-12:00", "11:00-13:00"]}}}, "重なって", "overlap"),
        ({"when": {**WHO, "hours": {"windows": ["22:00-06:00", "05:00-09:00"]}}}, "重なって", "overlap"),
        ({"when": WHO, "terms": {"idle_limit": "15s"}}, "短すぎ", "too short"),
        ({"when": WHO, "oblige": {"total_limit": "8m"}}, "短すぎ", "too short"),
    ],
)
def test_warnings(rule: dict[str, Any], ja: str, en: str) -> None:
    problem = one(rule, severity=Severity.WARNING)
    assert ja in problem.text_ja
    assert en in problem.text_en
    document, warnings = load(yaml.safe_dump(policy([{"id": "N-1", **rule}])), today=TODAY)
    assert document.rules
    assert len(warnings) == 1


def test_doubled_ids_are_named_at_each_place() -> None:
    problems = checked({"id": "N-1", **GOOD}, {"id": "N-1", **GOOD})
    assert [problem.path for problem in problems] == ["rules[0].id", "rules[1].id"]


def test_a_misspelt_network_is_suggested_and_the_defined_one_is_unused() -> None:
    problems = checked({"when": {**WHO, "networks": ["ofice"]}}, networks=OFFICE)
    assert "'office'" in problems[0].text_en
    assert (problems[1].path, problems[1].severity) == ("networks.office", Severity.WARNING)


def test_many_networks_around_many_addresses_are_refused() -> None:
    """Of each address it is kept which networks are around it: 5,000 networks took a gigabyte."""
    far = {"name": {"ja": "線", "en": "Line"}, "cidrs": ["10.0.0.0/8"] * (MOST_AROUND // 100)}
    fits = {f"n{i}": far | {"cidrs": far["cidrs"] if i == 0 else ["10.0.0.0/8"]} for i in range(98)}
    when = {"when": {"networks": list(fits)}}
    assert checked(GOOD | when, networks=fits) == ()
    found = one(GOOD | {"when": {"networks": [*fits, "more"]}}, networks=fits | {"more": far})
    assert (found.path, "ネットワークが多すぎます" in found.text_ja) == ("networks", True)


def test_a_permit_under_an_own_forbid_is_dead() -> None:
    forbid = {"effect": "forbid", "when": {"groups": ["telework", "trainee"]}}
    assert "N-1" in one(GOOD, forbid, severity=Severity.WARNING).text_en


def test_a_cap_of_days_that_no_plan_can_lift_is_pointed_out() -> None:
    problem = one(GOOD, {"effect": "forbid", "when": {**WHO, "not": {"days_a_week": 4}}}, severity=Severity.WARNING)
    assert "どのBCP計画でも外せません" in problem.text_ja
    assert "no BCP plan can lift it" in problem.text_en
    assert checked({"when": {**WHO, "days_a_week": 4}}) == ()


@pytest.mark.parametrize("days", [0, 8, True, 4.0, "4"])
def test_days_a_week_are_a_whole_number_from_one_to_seven(days: Any) -> None:
    with pytest.raises(PolicyInvalid):
        checked({"when": {**WHO, "days_a_week": days}})


def test_a_bcp_rule_that_widens_nothing_is_pointed_out() -> None:
    plan = {"layer": "bcp", "when": {**WHO, "zones": ["lgwan"], "bcp": BCP}}
    assert "N-0" in one(GOOD, plan, severity=Severity.WARNING).text_en
    assert checked(GOOD, plan | {"terms": {"total_limit": "12h"}}) == ()
    assert checked(GOOD | {"oblige": {"view_only": True}}, plan) == ()


def test_a_policy_without_permit_is_pointed_out() -> None:
    (problem,) = checked()
    assert problem.severity is Severity.WARNING


def w(**conditions: Any) -> When:
    return When.model_validate(conditions)


@pytest.mark.parametrize(
    ("when", "key"),
    [
        (w(zones=["lgwan"], all_of=[{"zones": ["internet"]}]), "zones"),
        (w(groups=["a"], **{"not": {"groups": ["a", "b"]}}), "groups"),
        (w(suspended=True, **{"not": {"suspended": True}}), "suspended"),
        (w(totp_age={"at_most": "1h"}, **{"not": {"totp_age": {"at_most": "1h"}}}), "totp_age"),
        (w(totp_age={"at_most": "1h"}, all_of=[{"totp_age": {"over": "2h"}}]), "totp_age"),
        (w(user_sessions={"at_least": 3}, **{"not": {"user_sessions": {"at_least": 2}}}), "user_sessions"),
        (w(user_sessions={"below": 3}, **{"not": {"user_sessions": {"below": 5}}}), "user_sessions"),
        (w(dates={"until": "2026-01-01"}, all_of=[{"dates": {"from": "2026-01-02"}}]), "dates"),
        (w(hours={"days": "workdays"}, **{"not": {"hours": {"days": "workdays"}}}), "hours"),
        (w(password_age={"over": "2h"}, **{"not": {"password_age": {"over": "1h"}}}), "password_age"),
        (w(days_a_week=3, **{"not": {"days_a_week": 4}}), "days_a_week"),
        # not contradictions
        (w(groups=["a"], all_of=[{"groups": ["b"]}]), None),
        (w(groups=["a", "b"], **{"not": {"groups": ["a"]}}), None),
        (w(dates={"until": "2026-01-01"}, all_of=[{"dates": {"from": "2026-01-01"}}]), None),
        (w(totp_age={"at_most": "2h"}, all_of=[{"totp_age": {"over": "1h"}}]), None),
        (w(zones=["lgwan"], any_of=[{"zones": ["internet"]}]), None),
        (w(**{"not": {"zones": ["lgwan"]}}), None),
        (w(days_a_week=4, **{"not": {"days_a_week": 3}}), None),  # on the fourth day alone
        (w(days_a_week=4, all_of=[{"days_a_week": 3}]), None),
        (w(hours={"days": "workdays"}, **{"not": {"hours": {"days": ["mon"]}}}), None),
    ],
)
def test_contradiction(when: When, key: str | None) -> None:
    assert contradiction(when) == key


@pytest.mark.parametrize(
    ("narrow", "wide", "implied"),
    [
        (w(groups=["a"]), w(), True),
        (w(groups=["a"]), w(groups=["a", "b"]), True),
        (w(groups=["a", "b"]), w(groups=["a"]), False),
        (w(), w(groups=["a"]), False),
        (w(zones=["lgwan"]), w(zones=["lgwan", "internet"]), True),
        (w(pools=["a"]), w(**{"not": {"pools": ["b"]}}), True),
        (w(groups=["a"]), w(**{"not": {"groups": ["b"]}}), False),
        (w(**{"not": {"groups": ["b", "c"]}}), w(**{"not": {"groups": ["b"]}}), True),
        (w(**{"not": {"hours": {}}}), w(**{"not": {"hours": {}}}), True),
        (w(**{"not": {"hours": {}}}), w(**{"not": {"dates": {"from": "2026-01-01"}}}), False),
        (w(totp_age={"at_most": "1h"}), w(totp_age={"at_most": "2h"}), True),
        (w(totp_age={"at_most": "2h"}), w(totp_age={"at_most": "1h"}), False),
        (w(totp_age={"over": "13h"}), w(totp_age={"over": "12h"}), True),
        (w(), w(totp_age={"over": "12h"}), False),
        (w(dates={"from": "2026-05-01"}), w(dates={"from": "2026-04-01"}), True),
        (w(hours={"days": "workdays"}), w(hours={"days": "workdays"}), True),
        (w(hours={"days": "workdays"}), w(hours={}), False),
        (w(bcp={"plan": "q", "level": "second"}), w(bcp={"plan": "q", "level": "first"}), True),
        (w(bcp={"plan": "q", "level": "first"}), w(bcp={"plan": "q", "level": "second"}), False),
        (w(groups=["a"]), w(any_of=[{"groups": ["a"]}]), False),  # opaque: not proven
        (w(groups=["a"], any_of=[{"sites": ["x"]}]), w(groups=["a"]), True),
        (w(suspended=True), w(suspended=True), True),
        (w(suspended=False), w(suspended=True), False),
        (w(user_sessions={"at_least": 5}), w(user_sessions={"at_least": 3}), True),
        (w(days_a_week=3), w(days_a_week=4), True),
        (w(days_a_week=4), w(days_a_week=3), False),
        (w(days_a_week=4), w(), True),
        (w(), w(days_a_week=7), False),  # not when nobody knows how many
        (w(**{"not": {"days_a_week": 4}}), w(**{"not": {"days_a_week": 3}}), True),
        (w(**{"not": {"days_a_week": 3}}), w(**{"not": {"days_a_week": 4}}), False),
    ],
)
def test_implication(narrow: When, wide: When, implied: bool) -> None:
    assert implies(narrow, wide) is implied
