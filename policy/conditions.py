"""Conditions compiled to closures with three answers: True, False, None (unknown). Pure.

Counterpart: `policy.schema.When` (what is written), `policy.wording` (how it reads), `policy.program` (who asks).

INVARIANT (strong Kleene logic): taking a fact away may turn an answer into None and never True into False or False
into True. `any_of`, `all_of` and `not` keep that by construction, so it suffices that each single condition does.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from typing import Final

from policy import wording
from policy.calendar import Calendar, Schedule, local
from policy.model import BcpLevel, Request
from policy.schema import Age, Bcp, Dates, Hours, Network, PolicyDocument, Threshold, When

Answer = bool | None
Address = IPv4Address | IPv6Address
Check = Callable[[Request], Answer]


_ZERO: Final = timedelta()
"""An age below zero (the clock stepped back) is unknown: neither fresh nor old."""


class Kind(StrEnum):
    """What a condition is about: decides which refusal a person reads, and what can be judged ahead of a request."""

    TARGET = "target"
    PERSON = "person"
    PLACE = "place"
    DEVICE = "device"
    FACTOR = "factor"
    CLOCK = "clock"
    BCP = "bcp"
    LOAD = "load"
    SHAPE = "shape"


@dataclass(frozen=True, slots=True, eq=False)
class Condition:
    """One compiled condition. `kinds` are those of all parts; `edges` the minutes of the day at which it may change."""

    key: str
    kinds: frozenset[Kind]
    check: Check
    text_ja: str
    text_en: str
    edges: frozenset[int] = frozenset()


KINDS: Final[Mapping[str, Kind]] = {
    "pools": Kind.TARGET,
    "pool_classes": Kind.TARGET,
    "zones": Kind.TARGET,
    "zone_known": Kind.TARGET,
    "sites": Kind.TARGET,
    "same_tenant": Kind.PERSON,
    "groups": Kind.PERSON,
    "departments": Kind.PERSON,
    "duties": Kind.PERSON,
    "employment": Kind.PERSON,
    "users": Kind.PERSON,
    "suspended": Kind.PERSON,
    "bcp": Kind.BCP,
    "device_kinds": Kind.DEVICE,
    "device_registered": Kind.DEVICE,
    "networks": Kind.PLACE,
    "totp_age": Kind.FACTOR,
    "password_age": Kind.FACTOR,
    "hours": Kind.CLOCK,
    "dates": Kind.CLOCK,
    "seats_used_percent": Kind.LOAD,
    "gateway_load_percent": Kind.LOAD,
    "user_sessions": Kind.LOAD,
    "any_of": Kind.SHAPE,
    "all_of": Kind.SHAPE,
    "not_": Kind.SHAPE,
}
"""Every condition there is, cheapest and most telling first: rules test them in this order."""


class Compiler:
    """Compiles the conditions of one document; knows its networks and calendar."""

    def __init__(self, document: PolicyDocument) -> None:
        self._locate: Final = locator(document.networks)
        overrides = dict.fromkeys(document.calendar.workdays, True)
        overrides |= dict.fromkeys(document.calendar.holidays, False)
        self._calendar: Final = Calendar(overrides)
        self._schedules: Final[dict[Hours, tuple[Check, frozenset[int]]]] = {}

    def conditions(self, when: When) -> tuple[Condition, ...]:
        """All conditions of a rule, in testing order."""
        given = when.given()
        return tuple(self._condition(key, given[key]) for key in KINDS if key in given)

    def _condition(self, key: str, value: object) -> Condition:
        text_ja, text_en = wording.describe(key, value)
        if KINDS[key] is Kind.SHAPE:
            return self._shape(key, value, text_ja, text_en)
        check, edges = self._leaf(key, value)
        return Condition(key, frozenset({KINDS[key]}), check, text_ja, text_en, edges)

    def _shape(self, key: str, value: object, text_ja: str, text_en: str) -> Condition:
        alternatives = value if isinstance(value, tuple) else (value,)
        parts = [self.conditions(part) for part in alternatives if isinstance(part, When)]
        checks = [conjunction(part) for part in parts]
        check = {"any_of": _any_of, "all_of": _all_of, "not_": _not}[key](checks)
        inner = [condition for part in parts for condition in part]
        kinds = frozenset(kind for condition in inner for kind in condition.kinds)
        edges = frozenset(edge for condition in inner for edge in condition.edges)
        return Condition(key, kinds, check, text_ja, text_en, edges)

    def _leaf(self, key: str, value: object) -> tuple[Check, frozenset[int]]:
        nothing: frozenset[int] = frozenset()
        match key, value:
            case "networks", tuple():
                return self._networks(frozenset(value)), nothing
            case "hours", Hours():
                return self._hours(value)
            case "dates", Dates():
                return within_dates(value), frozenset({0})
            case _:
                return _FACTORIES[key](value), nothing

    def _networks(self, names: frozenset[str]) -> Check:
        locate = self._locate

        def check(request: Request) -> Answer:
            source = request.context.source
            return None if source is None else not names.isdisjoint(locate(source))

        return check

    def _hours(self, value: Hours) -> tuple[Check, frozenset[int]]:
        """Rules often share their hours, so equal ones share a check, which remembers the last moment it judged."""
        if (known := self._schedules.get(value)) is None:
            schedule = Schedule(value.windows, value.days, self._calendar)
            known = self._schedules[value] = _remembering(schedule.covers), schedule.edges
        return known


def _remembering(covers: Callable[[datetime], bool]) -> Check:
    last: tuple[datetime | None, Answer] = (None, None)

    def check(request: Request) -> Answer:
        nonlocal last
        moment, answer = last
        now = request.context.now
        if now is not moment:
            answer = covers(now)
            last = now, answer
        return answer

    return check


def conjunction(conditions: tuple[Condition, ...]) -> Check:
    """All must hold: False as soon as one is False, else unknown if one is unknown."""
    if len(conditions) == 1:
        return conditions[0].check
    return _all_of([condition.check for condition in conditions])


def _all_of(checks: list[Check]) -> Check:
    def check(request: Request) -> Answer:
        answer: Answer = True
        for part in checks:
            found = part(request)
            if found is False:
                return False
            if found is None:
                answer = None
        return answer

    return check


def _any_of(checks: list[Check]) -> Check:
    def check(request: Request) -> Answer:
        answer: Answer = False
        for part in checks:
            found = part(request)
            if found is True:
                return True
            if found is None:
                answer = None
        return answer

    return check


def _not(checks: list[Check]) -> Check:
    inner = checks[0]

    def check(request: Request) -> Answer:
        found = inner(request)
        return None if found is None else not found

    return check


def locator(networks: Mapping[str, Network]) -> Callable[[Address], frozenset[str]]:
    """Which of the named networks an address is in; an IPv4 address mapped into IPv6 counts as IPv4.

    Several rules ask about the same address in a row, so the last answer is kept (see `policy.calendar.local`).
    """
    v4, v6 = _spans(networks, IPv4Network), _spans(networks, IPv6Network)
    last: tuple[Address | None, frozenset[str]] = (None, frozenset())

    def located(source: Address) -> frozenset[str]:
        nonlocal last
        known, names = last
        if source is not known:
            plain = source if isinstance(source, IPv4Address) else source.ipv4_mapped or source
            number = int(plain)
            spans = v4 if isinstance(plain, IPv4Address) else v6
            names = frozenset([name for mask, base, name in spans if number & mask == base])
            last = source, names
        return names

    return located


def _spans(networks: Mapping[str, Network], version: type[IPv4Network | IPv6Network]) -> list[tuple[int, int, str]]:
    return [
        (int(cidr.netmask), int(cidr.network_address), name)
        for name, network in networks.items()
        for cidr in network.cidrs
        if isinstance(cidr, version)
    ]


def within_dates(dates: Dates) -> Check:
    """Whether the local day lies between the two days, both included."""
    first = dates.from_.toordinal() if dates.from_ else 0
    last = dates.until.toordinal() if dates.until else 10_000_000
    return lambda r: first <= local(r.context.now)[0] <= last


def _groups(value: tuple[str, ...]) -> Check:
    names = frozenset(value)
    return lambda r: not names.isdisjoint(r.subject.groups)


def _duties(value: tuple[str, ...]) -> Check:
    names = frozenset(value)
    return lambda r: not names.isdisjoint(r.subject.duties)


def _users(value: tuple[str, ...]) -> Check:
    names = frozenset(value)
    return lambda r: r.subject.username in names or r.subject.user_id in names


def _pools(value: tuple[str, ...]) -> Check:
    names = frozenset(value)
    return lambda r: r.resource.pool_id in names


def _pool_classes(value: tuple[str, ...]) -> Check:
    names = frozenset(value)
    return lambda r: r.resource.pool_class in names


def _one_of(fact: Callable[[Request], str | None]) -> Callable[[tuple[str, ...]], Check]:
    def factory(value: tuple[str, ...]) -> Check:
        names = frozenset(value)

        def check(request: Request) -> Answer:
            found = fact(request)
            return None if found is None else found in names

        return check

    return factory


def _suspended(value: bool) -> Check:
    return _known(value, lambda r: r.subject.suspended)


def _device_registered(value: bool) -> Check:
    return _known(value, lambda r: r.context.device_registered)


def _known(value: bool, fact: Check) -> Check:
    """A fact that is itself an answer."""
    return fact if value else _not([fact])


def _same_tenant(value: bool) -> Check:
    if value:
        return lambda r: r.subject.tenant_id == r.resource.tenant_id
    return lambda r: r.subject.tenant_id != r.resource.tenant_id


def _zone_known(value: bool) -> Check:
    return lambda r: (r.resource.zone is not None) is value


def _password_age(value: Age) -> Check:
    limit, young = _bound(value)

    def check(request: Request) -> Answer:
        age = request.context.password_age
        return None if age is None or age < _ZERO else (age <= limit) is young

    return check


def _totp_age(value: Age) -> Check:
    limit, young = _bound(value)

    def check(request: Request) -> Answer:
        age = request.context.totp_age
        return None if age is None or age < _ZERO else (age <= limit) is young

    return check


def _bound(value: Age) -> tuple[timedelta, bool]:
    """The limit, and whether younger is what is asked for."""
    if value.at_most is not None:
        return value.at_most, True
    assert value.over is not None  # noqa: S101 - the schema asks for exactly one
    return value.over, False


def _seats_used_percent(value: Threshold) -> Check:
    """A pool without seats is full."""
    bound, high = _limit(value)

    def check(request: Request) -> Answer:
        used, total = request.context.seats_used, request.context.seats_total
        if used is None or total is None:
            return None
        return (used * 100 >= bound * total if total > 0 else True) is high

    return check


def _gateway_load_percent(value: Threshold) -> Check:
    bound, high = _limit(value)

    def check(request: Request) -> Answer:
        load = request.context.gateway_load_percent
        return None if load is None else (load >= bound) is high

    return check


def _user_sessions(value: Threshold) -> Check:
    bound, high = _limit(value)

    def check(request: Request) -> Answer:
        count = request.context.user_sessions
        return None if count is None else (count >= bound) is high

    return check


def _limit(value: Threshold) -> tuple[int, bool]:
    """The bound, and whether at least that much is what is asked for."""
    if value.at_least is not None:
        return value.at_least, True
    assert value.below is not None  # noqa: S101 - the schema asks for exactly one
    return value.below, False


def _bcp(value: Bcp) -> Check:
    plan, level = value.plan, BcpLevel[value.level.upper()]

    def check(request: Request) -> Answer:
        now = request.context.now
        return any(o.plan == plan and o.level >= level and now < o.ends_at for o in request.context.overlays)

    return check


def _zone(request: Request) -> str | None:
    return request.resource.zone


_FACTORIES: Final[Mapping[str, Callable[..., Check]]] = {
    "groups": _groups,
    "duties": _duties,
    "users": _users,
    "pools": _pools,
    "pool_classes": _pool_classes,
    "departments": _one_of(lambda r: r.subject.department),
    "employment": _one_of(lambda r: r.subject.employment),
    "zones": _one_of(_zone),
    "sites": _one_of(lambda r: r.resource.site),
    "device_kinds": _one_of(lambda r: r.context.device_kind),
    "suspended": _suspended,
    "device_registered": _device_registered,
    "same_tenant": _same_tenant,
    "zone_known": _zone_known,
    "password_age": _password_age,
    "totp_age": _totp_age,
    "seats_used_percent": _seats_used_percent,
    "gateway_load_percent": _gateway_load_percent,
    "user_sessions": _user_sessions,
    "bcp": _bcp,
}
