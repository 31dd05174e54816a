"""Our rules written in Cedar, and our requests as Cedar sees them: another engine for the same questions.

Cedar has two answers where our conditions have three, so each condition is written twice: `sure` (known and met, what a
permit needs) and `may` (not known to fail, what a forbid needs). Facts that are not known are left out of the context.
Days and minutes are worked out here with the zone database and the holiday list, independently of `policy.calendar`.
"""

import json
from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from ipaddress import IPv6Address
from typing import Any, Final

import jpholiday

from policy.calendar import MINUTES_A_DAY, DayKind, Weekday
from policy.model import BcpLevel, Request
from policy.schema import Age, Bcp, Dates, Effect, Hours, Layer, PolicyDocument, Rule, Threshold, When
from tests.support.policy_strategies import TOKYO

_WEEKDAYS: Final = tuple(Weekday)
_FACTS: Final[Mapping[str, str]] = {
    "departments": "department",
    "employment": "employment",
    "pools": "pool",
    "pool_classes": "pool_class",
    "zones": "zone",
    "sites": "site",
    "device_kinds": "device_kind",
    "factors": "factor",
    "suspended": "suspended",
    "device_registered": "device_registered",
    "password_age": "password_age",
    "totp_age": "totp_age",
    "gateway_load_percent": "gateway_load",
    "user_sessions": "user_sessions",
    "days_a_week": "days_worked",
}


def exported(document: PolicyDocument, guardrails: Iterable[Rule]) -> str:
    """All permits and forbids as Cedar policies; limits decide nothing and are left out."""
    return "\n".join(
        _policy(rule, document) for rule in (*document.rules, *guardrails) if rule.effect is not Effect.LIMIT
    )


def asked(request: Request, document: PolicyDocument) -> dict[str, Any]:
    """The request for `cedarpy.is_authorized_batch`."""
    return {
        "principal": 'User::"somebody"',
        "action": 'Action::"connect"',
        "resource": 'Pool::"something"',
        "context": {key: value for key, value in _facts(request, document).items() if value is not None},
    }


def _policy(rule: Rule, document: PolicyDocument) -> str:
    permit = rule.effect is Effect.PERMIT
    condition = _Writer(document, sure=permit).when(rule.when)
    if rule.layer is Layer.CAPACITY and not permit:
        condition = f"!context.live && ({condition})"
    return f'@id("{rule.id}") {rule.effect} (principal, action, resource) when {{ {condition} }};'


class _Writer:
    """Writes conditions; `sure` or, if not, `may`."""

    def __init__(self, document: PolicyDocument, *, sure: bool) -> None:
        self._document: Final = document
        self._sure: Final = sure

    def when(self, when: When) -> str:
        """All conditions."""
        return _joined(" && ", [self._single(key, value) for key, value in when.given().items()], empty="true")

    def _single(self, key: str, value: Any) -> str:
        if key in ("any_of", "all_of"):
            return _joined(" || " if key == "any_of" else " && ", [self.when(part) for part in value], empty="true")
        if key == "not_":
            return f"!({_Writer(self._document, sure=not self._sure).when(value)})"
        return f"({self._leaf(key, value)})"

    def _leaf(self, key: str, value: Any) -> str:
        match key, value:
            case "groups" | "duties", tuple():
                return f"context.{key}.containsAny({_strings(value)})"
            case "users", tuple():
                return f"{_strings(value)}.containsAny([context.username, context.user_id])"
            case "same_tenant" | "zone_known", bool():
                return f"context.{key} == {_word(value)}"
            case "networks", tuple():
                ranges = [str(cidr) for name in value for cidr in self._document.networks[name].cidrs]
                return self._known("source", _joined(" || ", [f'context.source.isInRange(ip("{r}"))' for r in ranges]))
            case "seats_used_percent", Threshold():
                full = (
                    "(if context.seats_total > 0 then context.seats_used * 100 >= {0} * context.seats_total else true)"
                )
                test = full.format(value.at_least if value.at_least is not None else value.below)
                both = self._known("seats_total", test if value.at_least is not None else f"!{test}")
                return self._known("seats_used", both)
            case _, Hours():
                return _hours(value)
            case _, Dates():
                return _dates(value)
            case _, Bcp():
                plan = json.dumps(value.plan)
                return f"context.bcp has {plan} && context.bcp[{plan}] >= {int(BcpLevel[value.level.upper()])}"
            case _:
                return self._known(_FACTS[key], _compared(f"context.{_FACTS[key]}", value))

    def _known(self, fact: str, test: str) -> str:
        return f"context has {fact} && ({test})" if self._sure else f"!(context has {fact}) || ({test})"


def _compared(fact: str, value: Any) -> str:
    match value:
        case bool():
            return f"{fact} == {_word(value)}"
        case int():
            return f"{fact} + 1 <= {value}"
        case tuple():
            return f"{_strings(value)}.contains({fact})"
        case Age(at_most=limit) if limit is not None:
            return f"{fact} <= {_micros(limit)}"
        case Age(over=limit) if limit is not None:
            return f"{fact} > {_micros(limit)}"
        case Threshold(at_least=bound) if bound is not None:
            return f"{fact} >= {bound}"
        case Threshold(below=bound):
            return f"{fact} < {bound}"
        case _:
            raise TypeError(value)


def _hours(value: Hours) -> str:
    def on(when: str) -> str:
        match value.days:
            case DayKind.EVERY_DAY:
                return "true"
            case DayKind.WORKDAYS:
                return f"context.workday_{when}"
            case DayKind.HOLIDAYS:
                return f"!context.workday_{when}"
            case days:
                return f"{_strings(days)}.contains(context.weekday_{when})"

    parts = []
    for span in value.windows:
        parts.append(f"(context.minute >= {span.start} && context.minute < {span.end} && {on('today')})")
        parts.append(f"(context.minute < {span.end - MINUTES_A_DAY} && {on('yesterday')})")
    return _joined(" || ", parts)


def _dates(value: Dates) -> str:
    parts = [f"context.day >= {value.from_.toordinal()}"] if value.from_ else []
    parts += [f"context.day <= {value.until.toordinal()}"] if value.until else []
    return _joined(" && ", parts)


def _facts(request: Request, document: PolicyDocument) -> dict[str, Any]:
    who, what, facts = request.subject, request.resource, request.context
    local = facts.now.astimezone(TOKYO)
    today, yesterday = local.date(), local.date() - timedelta(days=1)
    levels: dict[str, int] = {}
    for overlay in facts.overlays:
        if facts.now < overlay.ends_at:
            levels[overlay.plan] = max(levels.get(overlay.plan, 0), int(overlay.level))
    source = facts.source
    if isinstance(source, IPv6Address) and source.ipv4_mapped:
        source = source.ipv4_mapped
    return {
        "groups": sorted(who.groups),
        "duties": sorted(who.duties),
        "username": who.username,
        "user_id": who.user_id,
        "department": who.department,
        "employment": who.employment,
        "suspended": who.suspended,
        "same_tenant": who.tenant_id == what.tenant_id,
        "zone_known": what.zone is not None,
        "pool": what.pool_id,
        "pool_class": what.pool_class,
        "zone": what.zone and str(what.zone),
        "site": what.site,
        "source": source and {"__extn": {"fn": "ip", "arg": str(source)}},
        "device_kind": facts.device_kind and str(facts.device_kind),
        "factor": facts.factor and str(facts.factor),
        "device_registered": facts.device_registered,
        "password_age": _age(facts.password_age),
        "totp_age": _age(facts.totp_age),
        "seats_used": facts.seats_used,
        "seats_total": facts.seats_total,
        "gateway_load": facts.gateway_load_percent,
        "user_sessions": facts.user_sessions,
        "days_worked": facts.days_worked,
        "live": facts.live,
        "bcp": levels,
        "minute": local.hour * 60 + local.minute,
        "day": today.toordinal(),
        "workday_today": _is_workday(today, document),
        "workday_yesterday": _is_workday(yesterday, document),
        "weekday_today": str(_WEEKDAYS[today.weekday()]),
        "weekday_yesterday": str(_WEEKDAYS[yesterday.weekday()]),
    }


def _is_workday(day: date, document: PolicyDocument) -> bool:
    closed = (day.month, day.day) in {(12, 29), (12, 30), (12, 31), (1, 1), (1, 2), (1, 3)}
    works = day.weekday() < 5 and not closed and not jpholiday.is_holiday(day)
    return (works or day in document.calendar.workdays) and day not in document.calendar.holidays


def _age(age: timedelta | None) -> int | None:
    """Below zero (a stepped clock) is not known."""
    return None if age is None or age < timedelta() else _micros(age)


def _micros(length: timedelta) -> int:
    return length // timedelta(microseconds=1)


def _joined(glue: str, parts: list[str], *, empty: str = "false") -> str:
    return f"({glue.join(parts)})" if parts else empty


def _strings(values: Iterable[str]) -> str:
    return "[" + ", ".join(json.dumps(str(value), ensure_ascii=False) for value in values) + "]"


def _word(value: bool) -> str:
    return "true" if value else "false"
