"""Decisions, terms, refusals and their reasons on rules small enough to read."""

import ast
from dataclasses import FrozenInstanceError, replace
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from policy import guardrails
from policy.engine import Engine
from policy.model import (
    Action,
    ActiveOverlay,
    BcpLevel,
    Decision,
    FactorKind,
    Grant,
    Obligations,
    QualityProfile,
    ReasonCode,
    Request,
    Zone,
)
from policy.schema import Effect, Layer, PolicyDocument
from tests.support.policy import NOON, engine, file_engine, grant, policy, request

TOKYO = ZoneInfo("Asia/Tokyo")
H = timedelta(hours=1)
WHO = {"groups": ["telework"]}
PERMIT: dict[str, Any] = {"id": "N-01", "when": WHO}


def permit(name: str = "N-01", **parts: Any) -> dict[str, Any]:
    return {"id": name, "when": WHO} | parts


def forbid(name: str, **parts: Any) -> dict[str, Any]:
    return {"id": name, "effect": "forbid"} | parts


def limit(name: str, oblige: dict[str, Any], **parts: Any) -> dict[str, Any]:
    return {"id": name, "effect": "limit", "oblige": oblige} | parts


def terms(*rules: dict[str, Any], **facts: Any) -> Obligations:
    found = engine(list(rules)).decide(request(**facts)).grant
    assert found is not None
    return found.obligations


def tokyo(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=TOKYO).astimezone(UTC)


# ---- the answer --------------------------------------------------------------------------------------------------


def test_nothing_is_allowed_without_a_permit() -> None:
    decision = engine([]).decide(request())
    assert not decision.allowed
    assert decision.grant is None
    assert decision.rule_ids == ()
    assert decision.reason.code is ReasonCode.NOT_ASSIGNED


def test_a_permit_allows_and_the_grant_says_it_all() -> None:
    rules = engine([PERMIT])
    asked = request()
    decision = rules.decide(asked)
    assert decision.allowed
    assert decision.reason.code is ReasonCode.ALLOWED
    assert decision.rule_ids == ("GR-CLIPBOARD-OUT", "GR-LIMITS", "N-01")
    found = decision.grant
    assert found is not None
    assert (found.subject, found.action, found.resource) == (asked.subject, Action.CONNECT, asked.resource)
    assert found.decided_at == NOON
    assert found.policy_version == decision.policy_version == rules.version
    assert found.rule_ids == decision.rule_ids


def test_a_forbid_is_stronger_than_any_permit() -> None:
    decision = engine([permit("N-01"), permit("N-02"), forbid("N-99", when={"departments": ["総務課"]})]).decide(
        request()
    )
    assert not decision.allowed
    assert decision.rule_ids == ("N-99",)


def test_a_pool_whose_facts_change_is_judged_anew() -> None:
    rules = engine([permit(when=WHO | {"pool_classes": ["standard"]})])
    for _ in range(2):
        assert rules.decide(request()).allowed
        assert not rules.decide(request(pool_class="gpu")).allowed
        assert not rules.decide(request(zone=Zone.MY_NUMBER)).allowed


def test_a_clock_that_goes_on_or_back_is_judged_anew() -> None:
    rules = engine([permit(when=WHO | {"hours": {"windows": ["08:30-17:15"], "days": "workdays"}})])
    for moment, open_ in (
        ("2026-06-03T08:29:59.999999", False),
        ("2026-06-03T08:30", True),
        ("2026-06-03T17:14:59.999999", True),
        ("2026-06-03T17:15", False),
        ("2026-06-03T12:00", True),
        ("2026-06-06T12:00", False),  # Saturday
        ("2026-06-05T12:00", True),
    ):
        assert rules.decide(request(now=tokyo(moment))).allowed is open_, moment


def test_a_moment_without_its_zone_is_refused_and_reported() -> None:
    told: list[str] = []
    rules = Engine(PolicyDocument.model_validate(policy([PERMIT])), on_alarm=lambda fault, _: told.append(fault))
    assert rules.decide(request()).allowed
    assert not rules.decide(request(now=NOON.replace(tzinfo=None))).allowed
    assert told[0].startswith("TypeError")


def test_many_pools_do_not_grow_the_memory_without_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("policy.engine._MAX_CACHED", 3)
    rules = engine([permit(), *(permit(f"N-{i}", when={"users": [f"u{i}"]}) for i in range(5))])
    for i in range(9):
        assert rules.decide(request(pool_id=f"p{i}", username=f"u{i % 5}")).allowed
    assert len(rules._programs) <= 3
    assert len(rules._bases) <= 3


# ---- terms -------------------------------------------------------------------------------------------------------


def test_zones_have_the_ministrys_names() -> None:
    assert [zone.name_ja for zone in Zone] == ["マイナンバー利用事務系", "LGWAN接続系", "インターネット接続系"]
    assert all(zone.name_en for zone in Zone)


def test_defaults_are_safe() -> None:
    assert terms(PERMIT) == Obligations(
        clipboard_in_chars=0,
        clipboard_out_chars=0,
        view_only=False,
        watermark=True,
        idle_limit=timedelta(minutes=15),
        total_limit=8 * H,
        quality=QualityProfile.STANDARD,
    )


def test_the_best_offer_of_all_permits_counts() -> None:
    small = permit("N-01", terms={"clipboard_in_chars": 100, "idle_limit": "5m", "quality": "slow", "view_only": True})
    large = permit("N-02", terms={"clipboard_in_chars": 50, "total_limit": "12h", "quality": "high"})
    found = terms(small, large)
    assert found.clipboard_in_chars == 100
    assert found.idle_limit == timedelta(minutes=15)  # what the second leaves out is the default
    assert found.total_limit == 12 * H
    assert found.quality is QualityProfile.HIGH
    assert not found.view_only


def test_oblige_binds_whatever_other_permits_offer() -> None:
    trainee = permit("N-02", oblige={"view_only": True, "idle_limit": "10m", "total_limit": "4h", "quality": "slow"})
    found = terms(permit("N-01", terms={"clipboard_in_chars": 2000, "quality": "high"}), trainee)
    assert found.view_only
    assert found.clipboard_in_chars == 0  # pasting is typing
    assert (found.idle_limit, found.total_limit) == (timedelta(minutes=10), 4 * H)
    assert found.quality is QualityProfile.SLOW


def test_the_strictest_oblige_counts_and_never_widens() -> None:
    found = terms(
        permit(terms={"clipboard_in_chars": 500}),
        limit("N-02", {"clipboard_in_chars": 300, "idle_limit": "30m"}),
        limit("N-03", {"clipboard_in_chars": 800, "quality": "high"}),
    )
    assert found.clipboard_in_chars == 300
    assert found.idle_limit == timedelta(minutes=15)
    assert found.quality is QualityProfile.STANDARD


def test_an_oblige_whose_conditions_cannot_be_told_binds() -> None:
    inside = limit("N-02", {"view_only": True}, when={"device_kinds": ["byod"]})
    assert not terms(PERMIT, inside).view_only
    assert terms(PERMIT, inside, device_kind=None).view_only
    from_there = permit("N-03", when=WHO | {"sites": ["east"]}, oblige={"view_only": True})
    assert not terms(PERMIT, from_there, site="hq").view_only
    assert terms(PERMIT, from_there, site=None).view_only  # its permit does not match, its oblige does


def test_rules_without_groups_need_every_condition() -> None:
    office = {"departments": ["総務課"], "employment": ["fiscal-year"]}
    assert not engine([{"id": "N-01", "when": office}]).decide(request()).allowed
    assert engine([{"id": "N-01", "when": office}]).decide(request(employment="fiscal-year")).allowed
    strict = limit("N-02", {"view_only": True}, when=office)
    assert not terms(PERMIT, strict).view_only
    assert terms(PERMIT, strict, employment="fiscal-year").view_only
    asked = request(employment=None)
    rules = engine([PERMIT, strict])
    assert (
        rules.explain(asked).rule_ids
        == rules.decide(asked).rule_ids
        == ("GR-CLIPBOARD-OUT", "GR-LIMITS", "N-01", "N-02")
    )


# ---- guardrails --------------------------------------------------------------------------------------------------

WIDE: dict[str, Any] = {"id": "N-00", "when": {}, "terms": {"clipboard_out_chars": 9000, "clipboard_in_chars": 9000}}


@pytest.mark.parametrize(
    ("facts", "code"),
    [
        ({"zone": Zone.MY_NUMBER}, ReasonCode.ZONE_UNREACHABLE),
        ({"zone": None}, ReasonCode.ZONE_UNKNOWN),
        ({"suspended": True}, ReasonCode.SUSPENDED),
        ({"suspended": None}, ReasonCode.SUSPENDED),
        ({"totp_age": None}, ReasonCode.TOTP_REQUIRED),
        ({"totp_age": 12 * H + timedelta(seconds=1)}, ReasonCode.TOTP_REQUIRED),
        ({"totp_age": -H}, ReasonCode.TOTP_REQUIRED),
        ({"factor": FactorKind.TEMPORARY}, ReasonCode.TEMPORARY_FACTOR),
        ({"factor": None}, ReasonCode.TEMPORARY_FACTOR),
        ({"password_age": None}, ReasonCode.PASSWORD_TOO_OLD),
        ({"password_age": 13 * H}, ReasonCode.PASSWORD_TOO_OLD),
        (
            {"suspended": True, "totp_age": None, "zone": Zone.MY_NUMBER},
            ReasonCode.SUSPENDED,
        ),  # certain first, in order
    ],
)
def test_no_rule_gets_past_a_guardrail(facts: dict[str, Any], code: ReasonCode) -> None:
    reason = engine([WIDE]).decide(request(**facts)).reason
    assert reason.code is code
    assert reason.text_ja
    assert reason.text_en
    assert reason.available_from is None


def test_no_path_to_another_municipality() -> None:
    asked = request()
    other = replace(asked, resource=request(tenant_id="town").resource)
    assert engine([WIDE]).decide(other).reason.code is ReasonCode.OTHER_TENANT


def test_twelve_hours_to_the_second_are_still_fine() -> None:
    assert engine([WIDE]).decide(request(totp_age=12 * H, password_age=12 * H)).allowed


def test_no_text_leaves_lgwan_but_may_leave_the_internet_zone() -> None:
    assert terms(WIDE, zone=Zone.LGWAN).clipboard_out_chars == 0
    assert terms(WIDE, zone=Zone.LGWAN).clipboard_in_chars == 9000
    assert terms(WIDE, zone=Zone.INTERNET).clipboard_out_chars == 9000


def test_guardrails_are_what_a_guardrail_may_be() -> None:
    for rule in guardrails.GUARDRAILS:
        assert rule.layer is Layer.GUARDRAIL
        assert rule.effect in (Effect.FORBID, Effect.LIMIT)
        assert "bcp" not in repr(rule.when.model_dump(exclude_none=True))
        assert rule.id.startswith(guardrails.PREFIX)
        assert rule.name.ja
        assert rule.name.en
        assert (rule.id in guardrails.REASONS) == (rule.effect is Effect.FORBID)
    assert len({rule.id for rule in guardrails.GUARDRAILS}) == len(guardrails.GUARDRAILS) == 9


# ---- actions inside a session ------------------------------------------------------------------------------------


def test_parts_of_a_session() -> None:
    rules = engine(
        [permit(terms={"clipboard_in_chars": 5}), limit("N-02", {"view_only": True}, when={"users": ["kato"]})]
    )
    assert rules.decide(request(Action.CONTROL)).allowed
    assert rules.decide(request(Action.CLIPBOARD_IN)).allowed
    assert rules.decide(request(Action.CLIPBOARD_OUT)).reason.code is ReasonCode.CLIPBOARD_OFF
    looking = rules.decide(request(Action.VIEW)).grant
    assert looking is not None
    assert looking.obligations.view_only
    refused = rules.decide(request(Action.CONTROL, username="kato"))
    assert refused.reason.code is ReasonCode.VIEW_ONLY
    assert "N-02" in refused.rule_ids
    assert rules.decide(request(Action.CLIPBOARD_IN, username="kato")).reason.code is ReasonCode.CLIPBOARD_OFF
    assert rules.decide(request(Action.CONTROL, groups=frozenset())).reason.code is ReasonCode.NOT_ASSIGNED


# ---- capacity ----------------------------------------------------------------------------------------------------


def test_a_full_pool_refuses_new_sessions_and_keeps_the_live_ones() -> None:
    full = forbid("C-01", layer="capacity", when={"seats_used_percent": {"at_least": 100}})
    slow = limit("C-02", {"quality": "slow"}, layer="capacity", when={"gateway_load_percent": {"at_least": 80}})
    rules = engine([PERMIT, full, slow])
    busy: dict[str, Any] = {"seats_used": 10, "gateway_load_percent": 90}
    refused = rules.decide(request(**busy))
    assert refused.reason.code is ReasonCode.CAPACITY
    assert refused.rule_ids == ("C-01",)
    kept = rules.decide(request(live=True, **busy)).grant
    assert kept is not None
    assert kept.obligations.quality is QualityProfile.SLOW  # limits bind the living, too
    assert rules.decide(request(seats_used=None)).reason.code is ReasonCode.CAPACITY  # unknown is full


# ---- reasons -----------------------------------------------------------------------------------------------------

OFFICE = {"office": {"name": {"ja": "庁舎", "en": "Office"}, "cidrs": ["10.0.0.0/8"]}}
DAY = {"hours": {"windows": ["08:30-17:15"], "days": "workdays"}}


@pytest.mark.parametrize(
    ("when", "code"),
    [
        ({"users": ["kato"]}, ReasonCode.NOT_ASSIGNED),
        ({"pools": ["other"]}, ReasonCode.NOT_ASSIGNED),
        ({"duties": ["watch"], "hours": {"windows": ["01:00-02:00"]}}, ReasonCode.NOT_ASSIGNED),
        (WHO | {"networks": ["office"]}, ReasonCode.NOT_FROM_HERE),
        (WHO | {"device_kinds": ["thin"]}, ReasonCode.DEVICE_NOT_ALLOWED),
        (WHO | {"device_kinds": ["thin"], "networks": ["office"]}, ReasonCode.DEVICE_NOT_ALLOWED),
        (WHO | {"totp_age": {"over": "5m"}}, ReasonCode.TOTP_REQUIRED),
        (WHO | {"hours": {"windows": ["01:00-02:00"]}}, ReasonCode.OUTSIDE_HOURS),
        (WHO | {"dates": {"until": "2026-06-01"}}, ReasonCode.OUTSIDE_HOURS),
        (WHO | {"any_of": [{"networks": ["office"]}, {"device_kinds": ["thin"]}]}, ReasonCode.DEVICE_NOT_ALLOWED),
        (WHO | {"any_of": [{"users": ["kato"]}, {"pools": ["x"]}]}, ReasonCode.NOT_ASSIGNED),
    ],
)
def test_the_reason_is_what_the_nearest_permit_lacks(when: dict[str, Any], code: ReasonCode) -> None:
    reason = engine([{"id": "N-01", "when": when}], networks=OFFICE).decide(request()).reason
    assert reason.code is code
    assert reason.text_ja
    assert reason.text_en


def test_load_conditions_alone_read_as_full() -> None:
    rule = {"id": "N-01", "when": WHO | {"gateway_load_percent": {"at_least": 1}}}
    assert engine([rule]).decide(request()).reason.code is ReasonCode.CAPACITY


def test_shapes_of_person_and_place_speak_of_the_place() -> None:
    rule = {"id": "N-01", "when": WHO | {"not": {"users": ["sato"], "networks": ["office"]}}}
    asked = request(source=ip_address("10.1.1.1"))
    assert engine([rule], networks=OFFICE).decide(asked).reason.code is ReasonCode.NOT_FROM_HERE


@pytest.mark.parametrize(
    ("now", "opens"),
    [
        ("2026-06-03T07:00", "2026-06-03T08:30"),
        ("2026-06-03T17:15", "2026-06-04T08:30"),
        ("2026-06-05T20:00", "2026-06-08T08:30"),  # Friday evening: Monday
        ("2026-05-01T18:00", "2026-05-07T08:30"),  # golden week
        ("2026-12-28T18:00", "2027-01-04T08:30"),  # year-end
        ("2028-02-28T18:00", "2028-02-29T08:30"),  # leap day
    ],
)
def test_the_next_opening_is_told(now: str, opens: str) -> None:
    reason = engine([permit(when=WHO | DAY)]).decide(request(now=tokyo(now))).reason
    assert reason.code is ReasonCode.OUTSIDE_HOURS
    assert reason.available_from == tokyo(opens)
    assert reason.rule_id == "N-01"


CAPPED = WHO | {"days_a_week": 4}


@pytest.mark.parametrize(
    ("when", "now", "worked", "opens"),
    [
        (CAPPED, "2026-06-05T10:00", 4, "2026-06-08T00:00"),  # Friday: the week begins anew on Monday
        (CAPPED | DAY, "2026-06-05T10:00", 4, "2026-06-08T08:30"),
        (CAPPED | DAY, "2026-06-07T23:59", 6, "2026-06-08T08:30"),
        (CAPPED | DAY, "2026-05-01T10:00", 4, "2026-05-07T08:30"),  # a Monday that is a holiday
        (CAPPED | DAY, "2026-06-03T18:00", 2, "2026-06-04T08:30"),  # worked today as well, Thursday is the fourth
        (CAPPED | DAY, "2026-06-03T18:00", 3, "2026-06-08T08:30"),  # worked today as well, it would be the fifth
        (CAPPED | DAY, "2026-06-03T07:00", 3, "2026-06-03T08:30"),  # today itself is the fourth
    ],
)
def test_days_used_up_come_back_on_monday(when: dict[str, Any], now: str, worked: int, opens: str) -> None:
    reason = engine([permit(when=when)]).decide(request(now=tokyo(now), days_worked=worked)).reason
    assert reason.available_from == tokyo(opens)
    assert reason.rule_id == "N-01"
    used_up = worked >= 4
    assert reason.code is (ReasonCode.DAYS_USED_UP if used_up else ReasonCode.OUTSIDE_HOURS)
    assert (reason.text_ja == "今週はすでに4日使いました（週4日まで）。") is used_up
    assert (reason.text_en == "This week's days are used up (at most 4 a week).") is used_up


@pytest.mark.parametrize(
    ("worked_today", "opens"),
    [
        (False, "2026-06-05T08:30"),
        (True, "2026-06-08T08:30"),
        (None, "2026-06-08T08:30"),  # what is promised must hold
    ],
)
def test_a_day_that_passed_without_work_uses_nothing_up(worked_today: bool | None, opens: str) -> None:
    thursday = request(now=tokyo("2026-06-04T22:00"), days_worked=3, worked_today=worked_today)
    reason = engine([permit(when=CAPPED | DAY)]).decide(thursday).reason
    assert reason.available_from == tokyo(opens)


def test_days_that_nobody_can_count_give_nothing_and_no_moment() -> None:
    capped = engine([permit(when=CAPPED)])
    reason = capped.decide(request(days_worked=None)).reason
    assert (reason.code, reason.available_from) == (ReasonCode.DAYS_UNKNOWN, None)
    assert "確認できない" in reason.text_ja
    assert "cannot be told" in reason.text_en
    inside = engine([permit(when=WHO | {"any_of": [{"days_a_week": 4}, {"networks": ["office"]}]})], networks=OFFICE)
    told = inside.decide(request(days_worked=4)).reason
    assert (told.code, told.text_ja) == (ReasonCode.DAYS_USED_UP, "今週利用できる日数を使い切りました。")
    assert told.available_from == tokyo("2026-06-08T00:00")


def test_a_forbid_by_days_ends_on_monday_too() -> None:
    spent = forbid("N-02", when={"not": {"days_a_week": 4}}, message={"ja": "週4日まで", "en": "4 days a week"})
    rules = engine([permit(), spent])
    assert rules.decide(request(days_worked=3)).allowed
    for worked in (4, None):
        reason = rules.decide(request(days_worked=worked)).reason
        assert (reason.code, reason.text_en) == (ReasonCode.FORBIDDEN_BY_RULE, "4 days a week")
        assert reason.available_from == tokyo("2026-06-08T00:00")


def test_who_need_not_count_days_is_told() -> None:
    assert engine([permit(when=CAPPED)]).counts_days
    assert engine([permit(when=WHO | {"any_of": [{"days_a_week": 4}, {"groups": ["x"]}]})]).counts_days
    assert not engine([permit()]).counts_days


def test_no_time_is_told_when_time_does_not_help() -> None:
    night = tokyo("2026-06-03T20:00")
    rules = engine([permit(when=WHO | DAY | {"networks": ["office"]})], networks=OFFICE)
    assert rules.decide(request(now=night)).reason.available_from is None
    assert rules.decide(request(now=night, source=ip_address("10.0.0.1"))).reason.available_from is not None
    later = engine([permit(when=WHO | {"dates": {"from": "2026-08-01"}})])
    assert later.decide(request(now=night)).reason.available_from is None  # beyond 14 days
    forever = engine([permit(when=WHO | DAY), forbid("N-02", when=WHO)])
    assert forever.decide(request(now=night)).reason.available_from is None


def test_a_forbid_with_hours_tells_when_it_ends_and_in_its_own_words() -> None:
    maintenance = forbid(
        "N-02",
        when={"hours": {"windows": ["02:00-05:00"], "days": ["sun"]}},
        message={"ja": "定期保守中です。", "en": "Maintenance."},
    )
    reason = engine([PERMIT, maintenance]).decide(request(now=tokyo("2026-06-07T03:00"))).reason
    assert (reason.code, reason.text_ja, reason.text_en) == (
        ReasonCode.FORBIDDEN_BY_RULE,
        "定期保守中です。",
        "Maintenance.",
    )
    assert reason.available_from == tokyo("2026-06-07T05:00")
    plain = engine(
        [PERMIT, forbid("N-03", when={"users": ["sato"]}, message=None) | {"name": {"ja": "調査中", "en": "Inquiry"}}]
    )
    assert "調査中" in plain.decide(request()).reason.text_ja
    assert "Inquiry" in plain.decide(request()).reason.text_en


def test_the_end_of_a_declaration_counts_when_looking_ahead() -> None:
    night = tokyo("2026-06-03T20:00")
    plan = {"id": "B-01", "layer": "bcp", "when": WHO | DAY | {"bcp": {"plan": "quake", "level": "first"}}}
    rules = engine([plan])
    declared = ActiveOverlay("bcp_1", "quake", BcpLevel.FIRST, tokyo("2026-06-04T09:00"))
    assert rules.decide(request(now=night, overlays=(declared,))).reason.available_from == tokyo("2026-06-04T08:30")
    short = replace(declared, ends_at=tokyo("2026-06-04T08:30"))
    assert rules.decide(request(now=night, overlays=(short,))).reason.available_from is None
    assert rules.decide(request(now=night)).reason.code is ReasonCode.NOT_ASSIGNED


# ---- faults ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "broken",
    [
        {"now": datetime(2026, 6, 3, 12, 0)},  # noqa: DTZ001 - naive on purpose
        {"totp_age": "yesterday"},
        {"groups": None},
        {"source": "10.0.0.1"},
        {"seats_used": "many"},
    ],
)
def test_any_exception_is_a_deny_and_an_alarm(broken: dict[str, Any]) -> None:
    alarms: list[tuple[str, Request]] = []
    rules = policy(
        [
            permit(when=WHO | DAY | {"networks": ["office"]}),
            forbid("C-01", layer="capacity", when={"seats_used_percent": {"at_least": 90}}),
        ],
        networks=OFFICE,
    )
    judge = Engine(PolicyDocument.model_validate(rules), on_alarm=lambda fault, asked: alarms.append((fault, asked)))
    asked = request(**{"source": ip_address("10.0.0.1")} | broken)
    decision = judge.decide(asked)
    assert not decision.allowed
    assert alarms
    assert alarms[0][1] is asked
    assert decision.reason.code is ReasonCode.POLICY_ERROR
    assert decision.rule_ids == ()
    explanation = judge.explain(asked)
    assert not explanation.allowed
    assert explanation.fault
    assert explanation.findings == ()


def test_a_fault_that_only_the_explanation_meets_is_told_as_such() -> None:
    rules = engine([{"id": "N-01", "when": {"groups": ["x"], "networks": ["office"]}}], networks=OFFICE)
    decision = rules.decide(request(source="10.0.0.1"))
    assert not decision.allowed
    assert decision.reason.code is ReasonCode.POLICY_ERROR
    assert decision.policy_version == rules.version


def test_a_fault_while_finding_the_reason_is_no_way_in(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("broken by the test")

    rules = engine([])
    decision = rules.decide(request())
    monkeypatch.setattr("policy.refusals.told_for", broken)
    assert decision.reason.code is ReasonCode.POLICY_ERROR
    assert not decision.allowed


def test_the_same_refusal_tells_each_person_their_own_moment() -> None:
    hours = {"groups": ["x"], "hours": {"windows": ["08:00-18:00"]}}
    rules = engine([{"id": "N-01", "when": hours}])
    tonight, tomorrow = (
        rules.decide(request(groups=frozenset({"x"}), now=NOON.replace(hour=14) + timedelta(days=days))).reason
        for days in (0, 1)
    )
    assert tonight.available_from is not None
    assert tomorrow.available_from == tonight.available_from + timedelta(days=1)
    assert len(rules.told) == 1


def test_a_fault_without_a_listener_is_still_a_deny() -> None:
    assert not engine([PERMIT]).decide(request(groups=None)).allowed


# ---- version and minting -----------------------------------------------------------------------------------------


def test_the_version_follows_the_content_and_not_the_order() -> None:
    first = engine([permit("N-01"), permit("N-02")])
    assert first.version == engine([permit("N-02"), permit("N-01")]).version
    assert len(first.version) == 16
    others = [
        engine([permit("N-01")]),
        engine([permit("N-01"), permit("N-03")]),
        engine([permit("N-01"), permit("N-02")], networks=OFFICE),
        engine([permit("N-01"), permit("N-02")], calendar={"holidays": ["2026-11-01"]}),
    ]
    assert len({first.version, *(other.version for other in others)}) == 5


def test_nobody_else_makes_or_alters_grants() -> None:
    found = grant()
    with pytest.raises(TypeError):
        Grant()
    with pytest.raises(TypeError):
        Decision()
    with pytest.raises(TypeError):
        replace(found, request=request())
    with pytest.raises(FrozenInstanceError):
        found.request = request()  # type: ignore[misc]  # the point of the test


def test_only_the_engine_imports_the_mint() -> None:
    root = Path(__file__).parents[3]
    importers = set()
    for package in ("common", "policy", "auth", "broker", "agents", "gateway", "tests", "bench"):
        for file in (root / package).rglob("*.py"):
            for node in ast.walk(ast.parse(file.read_text("utf-8"))):
                names = [alias.name for alias in node.names] if isinstance(node, ast.Import | ast.ImportFrom) else []
                module = getattr(node, "module", None) or ""
                if "policy.minting" in [module, *names] or (module == "policy" and "minting" in names):
                    importers.add(file.relative_to(root).as_posix())
    assert importers == {"policy/engine.py"}


# ---- the shipped files -------------------------------------------------------------------------------------------


def pool(name: str) -> dict[str, Any]:
    zones = {"office-desktop": Zone.LGWAN, "internet-desktop": Zone.INTERNET, "my-number": Zone.MY_NUMBER}
    return {"pool_id": name, "zone": zones[name], "device_kind": None, "device_registered": None}


def test_sample_policy_in_a_citys_day() -> None:
    city = file_engine("policy.sample.yaml")
    home = city.decide(request(**pool("office-desktop"))).grant
    assert home is not None
    assert home.obligations.idle_limit == timedelta(minutes=10)  # outside the city's networks
    assert home.obligations.clipboard_in_chars == 0
    paste = city.decide(request(**pool("internet-desktop"))).grant
    assert paste is not None
    assert (paste.obligations.clipboard_in_chars, paste.obligations.clipboard_out_chars) == (2000, 0)
    assert city.decide(request(**pool("my-number"))).reason.code is ReasonCode.ZONE_UNREACHABLE
    evening = city.decide(request(now=tokyo("2026-06-05T21:00"), **pool("office-desktop")))
    assert evening.reason.code is ReasonCode.OUTSIDE_HOURS
    assert evening.reason.available_from == tokyo("2026-06-08T07:30")
    branch = {**pool("office-desktop"), "source": ip_address("10.31.0.9"), "device_registered": True}
    assert city.decide(request(now=tokyo("2026-06-05T21:00"), **branch)).rule_ids[-1] == "N-02"
    fifth: dict[str, Any] = {"now": tokyo("2026-06-05T10:00"), "days_worked": 4}  # a Friday
    for name in ("office-desktop", "internet-desktop"):
        used_up = city.decide(request(**fifth, **pool(name)))
        assert used_up.reason.code is ReasonCode.DAYS_USED_UP
        assert used_up.reason.available_from == tokyo("2026-06-08T07:30")
    assert city.decide(request(**fifth, **pool("office-desktop") | {"source": ip_address("10.20.0.9")})).allowed
    staff = city.decide(
        request(now=tokyo("2026-06-07T03:00"), groups=frozenset({"it-staff"}), **pool("office-desktop"))
    )
    assert staff.allowed  # at all hours, even during maintenance
    shift = request(now=tokyo("2026-06-06T02:00"), duties=frozenset({"disaster-watch"}), **pool("office-desktop"))
    assert city.decide(shift).allowed
    looking = city.decide(request(groups=frozenset({"trainee", "telework"}), **pool("office-desktop"))).grant
    assert looking is not None
    assert looking.obligations.view_only
    assert city.decide(request(seats_used=10, **pool("office-desktop"))).allowed  # a full pool has a queue
    assert city.decide(request(user_sessions=3, **pool("office-desktop"))).reason.code is ReasonCode.CAPACITY


@pytest.mark.parametrize("hour", range(0, 24 * 14, 5))
def test_demo_policy_shows_each_kind_of_answer_at_any_hour(hour: int) -> None:
    demo = file_engine("policy.demo.yaml")
    now = tokyo("2026-12-24T00:00") + hour * H

    def ask(group: str, name: str) -> Decision:
        return demo.decide(request(now=now, groups=frozenset({group}), **pool(name)))

    assert ask("telework", "office-desktop").allowed
    assert ask("telework", "internet-desktop").allowed
    assert ask("telework", "my-number").reason.code is ReasonCode.ZONE_UNREACHABLE
    trainee = ask("trainee", "office-desktop").grant
    assert trainee is not None
    assert trainee.obligations.view_only
    shifts = [ask(group, "office-desktop") for group in ("day-shift", "night-shift")]
    assert sorted(shift.allowed for shift in shifts) == [False, True]
    (closed,) = [shift.reason for shift in shifts if not shift.allowed]
    assert closed.code is ReasonCode.OUTSIDE_HOURS
    assert closed.available_from is not None
