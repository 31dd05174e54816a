"""Random rules and requests for property tests, and a second opinion: a plain interpreter of rules, written for tests.

The interpreter reads the written rule (`policy.schema`), knows nothing of the compiler, and favours obviousness.
"""

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from ipaddress import IPv4Address, ip_address, ip_network
from typing import Any, Final
from zoneinfo import ZoneInfo

import jpholiday
from hypothesis import strategies as st

from common.ids import PoolId, TenantId, UserId
from policy.guardrails import LOW_PRIVILEGE
from policy.model import (
    Action,
    ActiveOverlay,
    BcpLevel,
    Context,
    DeviceKind,
    FactorKind,
    Obligations,
    QualityProfile,
    Request,
    Resource,
    Subject,
    Zone,
)
from policy.schema import Age, Bcp, Dates, Hours, PolicyDocument, Rule, Threshold, When

TOKYO: Final = ZoneInfo("Asia/Tokyo")
NETWORKS: Final = {
    "office": {"name": {"ja": "庁舎", "en": "Office"}, "cidrs": ["10.0.0.0/8", "2001:db8::/32"]},
    "branch": {"name": {"ja": "支所", "en": "Branch"}, "cidrs": ["10.1.0.0/16", "192.0.2.0/24"]},
}
_GROUPS: Final = ["telework", "it-staff", "trainee"]
_WINDOWS: Final = ["08:30-17:15", "22:00-06:00", "17:00-24:00", "00:00-24:00", "23:59-00:01", "06:00-06:01"]
_AGES: Final = ["5m", "8h", "12h", "1d"]


def _lists(values: list[Any]) -> st.SearchStrategy[list[Any]]:
    return st.lists(st.sampled_from(values), min_size=1, max_size=2, unique=True)


def _either(low: str, high: str, values: list[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.builds(lambda key, value: {key: value}, st.sampled_from([low, high]), st.sampled_from(values))


_hours = st.fixed_dictionaries(
    {},
    optional={
        "windows": _lists(_WINDOWS),
        "days": st.one_of(
            st.sampled_from(["every_day", "workdays", "holidays"]), _lists(["mon", "wed", "fri", "sat", "sun"])
        ),
    },
)
_dates = st.sampled_from(
    [
        {"from": "2026-04-01"},
        {"until": "2027-03-31"},
        {"from": "2026-12-29", "until": "2027-01-03"},
        {"until": "2024-02-29"},
    ]
)
LEAVES: Final[Mapping[str, st.SearchStrategy[Any]]] = {
    "groups": _lists(_GROUPS),
    "departments": _lists(["総務課", "税務課"]),
    "duties": _lists(["disaster-watch", "payroll"]),
    "employment": _lists(["permanent", "fiscal-year"]),
    "users": _lists(["sato", "usr_1"]),
    "suspended": st.booleans(),
    "pools": _lists(["office-desktop", "internet-desktop"]),
    "pool_classes": _lists(["standard", "gpu", LOW_PRIVILEGE]),
    "zones": _lists(["lgwan", "internet", "my_number"]),
    "sites": _lists(["hq", "east"]),
    "networks": _lists(["office", "branch"]),
    "device_kinds": _lists(["managed", "byod"]),
    "device_registered": st.booleans(),
    "hours": _hours,
    "dates": _dates,
    "password_age": _either("at_most", "over", _AGES),
    "totp_age": _either("at_most", "over", _AGES),
    "factors": _lists(["totp", "temporary", "recovery"]),
    "seats_used_percent": _either("at_least", "below", [0, 50, 90, 100]),
    "gateway_load_percent": _either("at_least", "below", [0, 80]),
    "user_sessions": _either("at_least", "below", [1, 3]),
    "days_a_week": st.sampled_from([1, 2, 4, 7]),
}


def whens(depth: int = 2, *, only: list[str] | None = None, most: int = 3) -> st.SearchStrategy[dict[str, Any]]:
    """Random conditions, as YAML would give them; nested up to `depth`."""
    keys: dict[str, st.SearchStrategy[Any]] = {key: LEAVES[key] for key in only or LEAVES}
    if depth:
        inner = whens(depth - 1, only=only).filter(bool)
        keys |= {
            "any_of": st.lists(inner, min_size=1, max_size=2),
            "all_of": st.lists(inner, min_size=1, max_size=2),
            "not": inner,
        }
    return st.lists(st.sampled_from(sorted(keys)), max_size=most, unique=True).flatmap(
        lambda chosen: st.fixed_dictionaries({key: keys[key] for key in chosen})
    )


_terms = st.fixed_dictionaries(
    {},
    optional={
        "clipboard_in_chars": st.sampled_from([0, 10, 2000]),
        "clipboard_out_chars": st.sampled_from([0, 10, 2000]),
        "view_only": st.just(True),
        "idle_limit": st.sampled_from(["1m", "20m", "30m"]),
        "total_limit": st.sampled_from(["1h", "9h", "12h"]),
        "quality": st.sampled_from(list(map(str, QualityProfile))),
    },
)


@st.composite
def rules(
    draw: st.DrawFn, *, effects: tuple[str, ...] = ("permit", "forbid", "limit"), prefix: str = "R"
) -> dict[str, Any]:
    """One random rule of the normal or capacity layer."""
    effect = draw(st.sampled_from(effects))
    rule: dict[str, Any] = {
        "id": f"{prefix}-{draw(st.integers(0, 10**9))}",
        "effect": effect,
        "layer": "normal" if effect == "permit" else draw(st.sampled_from(["normal", "capacity"])),
        "when": draw(whens()),
    }
    if effect == "permit" and draw(st.booleans()):
        rule["terms"] = draw(_terms)
    if effect == "limit" or (effect == "permit" and draw(st.integers(0, 3)) == 0):
        rule["oblige"] = draw(_terms)
    return rule


@st.composite
def bcp_rules(draw: st.DrawFn) -> dict[str, Any]:
    """One random permit of the bcp layer."""
    when = draw(whens(1)) | {"bcp": {"plan": "quake", "level": draw(st.sampled_from(["first", "second"]))}}
    return {
        "id": f"B-{draw(st.integers(0, 10**9))}",
        "layer": "bcp",
        "effect": "permit",
        "when": when,
        "terms": draw(_terms),
    }


def rule_lists(**options: Any) -> st.SearchStrategy[list[dict[str, Any]]]:
    """Some rules with different ids."""
    return st.lists(rules(**options), max_size=4, unique_by=lambda rule: rule["id"])


moments = st.one_of(
    st.integers(0, 730 * 86_400).map(lambda second: datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=second)),
    st.sampled_from(
        [
            datetime(2026, 6, 3, 12, 0, tzinfo=TOKYO).astimezone(UTC),
            datetime(2026, 6, 6, 2, 0, tzinfo=TOKYO).astimezone(UTC),
            datetime(2026, 12, 29, 9, 0, tzinfo=TOKYO).astimezone(UTC),
            datetime(2028, 2, 29, 0, 0, tzinfo=TOKYO).astimezone(UTC),
        ]
    ),
)
_wild_ages = st.one_of(
    st.none(),
    st.timedeltas(-timedelta(minutes=1), timedelta(days=2)),
    st.sampled_from([timedelta(), timedelta(hours=12)]),
)
_fresh_ages = st.sampled_from([timedelta(), timedelta(minutes=5), timedelta(minutes=6), timedelta(hours=9)])
_percent = st.sampled_from([None, 0, 49, 50, 90, 100])


def _requests(*, safe: bool) -> st.SearchStrategy[Request]:
    """Safe ones pass every guardrail, so that the rules decide."""
    subject = st.builds(
        Subject,
        tenant_id=st.sampled_from([TenantId("city")] if safe else [TenantId("city"), TenantId("town")]),
        user_id=st.sampled_from([UserId("usr_1"), UserId("usr_2")]),
        username=st.sampled_from(["sato", "suzuki"]),
        groups=st.frozensets(st.sampled_from(_GROUPS), min_size=1 if safe else 0),
        department=st.sampled_from([None, "総務課", "税務課"]),
        duties=st.frozensets(st.sampled_from(["disaster-watch", "payroll"])),
        employment=st.sampled_from([None, "permanent", "fiscal-year"]),
        suspended=st.sampled_from([False] if safe else [False, True, None]),
    )
    resource = st.builds(
        Resource,
        tenant_id=st.just(TenantId("city")),
        pool_id=st.sampled_from([PoolId("office-desktop"), PoolId("internet-desktop")]),
        pool_class=st.sampled_from(["standard", "gpu", LOW_PRIVILEGE]),
        zone=st.sampled_from([Zone.LGWAN, Zone.INTERNET] if safe else [*Zone, None]),
        site=st.sampled_from([None, "hq", "east"]),
    )
    sources = [None, *map(ip_address, ("10.1.2.3", "10.9.9.9", "203.0.113.9", "2001:db8::1", "::ffff:192.0.2.1"))]
    context = st.builds(
        Context,
        now=moments,
        source=st.sampled_from(sources),
        device_kind=st.sampled_from([None, *DeviceKind]),
        device_registered=st.sampled_from([None, True, False]),
        password_age=_fresh_ages if safe else _wild_ages,
        totp_age=_fresh_ages if safe else _wild_ages,
        factor=st.just(FactorKind.TOTP) if safe else st.sampled_from([None, *FactorKind]),
        seats_used=_percent,
        seats_total=_percent,
        gateway_load_percent=_percent,
        user_sessions=st.sampled_from([None, 0, 1, 3]),
        days_worked=st.sampled_from([None, 0, 1, 3, 4, 6]),
        worked_today=st.sampled_from([None, False, True]),
        live=st.booleans(),
        overlays=st.just(()),
    )
    return st.builds(Request, subject, st.just(Action.CONNECT), resource, context)


safe_requests: Final = _requests(safe=True)
wild_requests: Final = _requests(safe=False)
requests: Final = st.one_of(safe_requests, safe_requests, safe_requests, wild_requests)
"""Mostly such as the guardrails let pass: otherwise nearly everything would be refused and nothing be tested."""


def overlay(level: BcpLevel, ends_at: datetime) -> ActiveOverlay:
    """A declaration of the plan that random BCP rules name."""
    return ActiveOverlay("bcp_1", "quake", level, ends_at)


def no_wider(narrow: Obligations, wide: Obligations) -> bool:
    """Whether the first terms give nothing that the second do not."""
    rank = [QualityProfile.SLOW, QualityProfile.STANDARD, QualityProfile.HIGH]
    return (
        narrow.clipboard_in_chars <= wide.clipboard_in_chars
        and narrow.clipboard_out_chars <= wide.clipboard_out_chars
        and narrow.view_only >= wide.view_only
        and narrow.watermark >= wide.watermark
        and narrow.idle_limit <= wide.idle_limit
        and narrow.total_limit <= wide.total_limit
        and rank.index(narrow.quality) <= rank.index(wide.quality)
    )


# ---- the second opinion ------------------------------------------------------------------------------------------


def holds(when: When, request: Request, document: PolicyDocument) -> bool | None:
    """The answer of a rule's conditions: True, False or None (unknown)."""
    return _every([_single(key, value, request, document) for key, value in when.given().items()])


def allows(every_rule: list[Rule], request: Request, document: PolicyDocument) -> bool:
    """The answer to the whole request."""
    answers = [(rule, holds(rule.when, request, document)) for rule in every_rule]
    if request.context.live:
        answers = [(rule, answer) for rule, answer in answers if (rule.layer, rule.effect) != ("capacity", "forbid")]
    forbidden = any(rule.effect == "forbid" and answer is not False for rule, answer in answers)
    return not forbidden and any(rule.effect == "permit" and answer is True for rule, answer in answers)


def _every(answers: list[bool | None]) -> bool | None:
    return False if False in answers else None if None in answers else True


def _some(answers: list[bool | None]) -> bool | None:
    return True if True in answers else None if None in answers else False


def _single(key: str, value: Any, request: Request, document: PolicyDocument) -> bool | None:
    subject, resource, context = request.subject, request.resource, request.context
    if key in ("any_of", "all_of"):
        return (_some if key == "any_of" else _every)([holds(part, request, document) for part in value])
    if key == "not_":
        inner = holds(value, request, document)
        return None if inner is None else not inner
    if isinstance(value, Hours):
        return _in_hours(value, context.now, document)
    if isinstance(value, Dates):
        day = context.now.astimezone(TOKYO).date()
        return (value.from_ or date.min) <= day <= (value.until or date.max)
    if isinstance(value, Bcp):
        levels = [o.level for o in context.overlays if o.plan == value.plan and o.ends_at > context.now]
        return max(levels, default=0) >= BcpLevel[value.level.upper()]
    if key == "networks":
        return _in_networks(value, context.source, document)
    if key in ("groups", "duties"):
        return bool(set(value) & set(getattr(subject, key)))
    if key == "users":
        return subject.username in value or subject.user_id in value
    if key == "same_tenant":
        return (subject.tenant_id == resource.tenant_id) is value
    if key == "zone_known":
        return (resource.zone is not None) is value
    if key == "days_a_week":
        worked = context.days_worked
        return None if worked is None else worked + 1 <= value
    facts: dict[str, Any] = {
        "departments": subject.department,
        "employment": subject.employment,
        "suspended": subject.suspended,
        "pools": resource.pool_id,
        "pool_classes": resource.pool_class,
        "zones": resource.zone,
        "sites": resource.site,
        "device_kinds": context.device_kind,
        "factors": context.factor,
        "device_registered": context.device_registered,
        "password_age": context.password_age,
        "totp_age": context.totp_age,
        "seats_used_percent": _seats(context),
        "gateway_load_percent": context.gateway_load_percent,
        "user_sessions": context.user_sessions,
    }
    return _compare(facts[key], value)


def _compare(fact: Any, value: Any) -> bool | None:
    if fact is None or (isinstance(fact, timedelta) and fact < timedelta()):
        return None
    match value:
        case bool():
            return bool(fact is value)
        case tuple():
            return fact in value
        case Age():
            return bool(fact <= value.at_most) if value.at_most is not None else bool(fact > value.over)
        case Threshold():
            return bool(fact >= value.at_least) if value.at_least is not None else bool(fact < value.below)
        case _:
            raise AssertionError(value)


def _seats(context: Context) -> float | None:
    if context.seats_used is None or context.seats_total is None:
        return None
    return context.seats_used / context.seats_total * 100 if context.seats_total else 100


def _in_networks(names: tuple[str, ...], source: Any, document: PolicyDocument) -> bool | None:
    if source is None:
        return None
    address = getattr(source, "ipv4_mapped", None) or source
    assert isinstance(address, IPv4Address) or address.version == 6
    return any(address in ip_network(str(cidr)) for name in names for cidr in document.networks[name].cidrs)


def _in_hours(hours: Hours, now: datetime, document: PolicyDocument) -> bool:
    """Try each window on today and on yesterday, with real datetimes of the zone database."""
    local = now.astimezone(TOKYO)
    for day in (local.date(), local.date() - timedelta(days=1)):
        midnight = datetime(day.year, day.month, day.day, tzinfo=TOKYO)
        for window in hours.windows:
            begins, ends = midnight + timedelta(minutes=window.start), midnight + timedelta(minutes=window.end)
            if begins <= local < ends and _on(hours, day, document):
                return True
    return False


def _on(hours: Hours, day: date, document: PolicyDocument) -> bool:
    if isinstance(hours.days, tuple):
        return day.strftime("%a").lower() in hours.days
    works = day.weekday() < 5 and not jpholiday.is_holiday(day)
    works = works and (day.month, day.day) not in {(12, 29), (12, 30), (12, 31), (1, 1), (1, 2), (1, 3)}
    works = (works or day in document.calendar.workdays) and day not in document.calendar.holidays
    return {"every_day": True, "workdays": works, "holidays": not works}[hours.days]
