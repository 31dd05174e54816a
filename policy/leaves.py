"""Single conditions as closures with three answers: True, False, None when the fact is not known. Pure.

Counterpart: `policy.conditions`, which picks them by key and puts them together. Must not combine conditions.
"""

import operator
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, collapse_addresses
from itertools import accumulate
from typing import Any, Final

from policy.calendar import local
from policy.model import BcpLevel, Request
from policy.schema import Age, Bcp, Dates, Network, Threshold

Answer = bool | None
Check = Callable[[Request], Answer]
Clock = Callable[[datetime], bool]
Address = IPv4Address | IPv6Address

_ZERO: Final = timedelta()
"""An age below zero (the clock stepped back) is unknown: neither fresh nor old."""


def within(networks: Mapping[str, Network]) -> Callable[[tuple[str, ...]], Check]:
    """Makes the checks whether the source lies in one of the networks named; IPv4 mapped into IPv6 counts as IPv4.

    Several rules ask about the same address in a row, so all checks keep the last answer (see `policy.calendar.local`).
    """
    v4, v6 = ranges(networks, IPv4Network), ranges(networks, IPv6Network)
    last: tuple[Address | None, frozenset[str]] = (None, frozenset())

    def factory(value: tuple[str, ...]) -> Check:
        names = frozenset(value)

        def check(request: Request) -> Answer:
            nonlocal last
            source = request.context.source
            if source is None:
                return None
            known, around = last
            if source is not known:
                plain: Address | None = source if isinstance(source, IPv4Address) else source.ipv4_mapped
                starts, inside = v4 if plain else v6
                around = inside[bisect_right(starts, int(plain or source))]
                last = source, around
            return not names.isdisjoint(around)

        return check

    return factory


def ranges(
    networks: Mapping[str, Network], version: type[IPv4Network | IPv6Network]
) -> tuple[list[int], list[frozenset[str]]]:
    """The addresses at which some network begins or is over, ascending, and the networks around: those before the first
    of these addresses, then those from each of them on."""
    changes: defaultdict[int, frozenset[str]] = defaultdict(frozenset)
    for name, network in networks.items():
        cidrs: list[Any] = [cidr for cidr in network.cidrs if isinstance(cidr, version)]
        for cidr in collapse_addresses(cidrs):
            for edge in (int(cidr.network_address), int(cidr.broadcast_address) + 1):
                changes[edge] ^= {name}
    starts = sorted(changes)
    return starts, list(accumulate([changes[start] for start in starts], operator.xor, initial=frozenset()))


def within_dates(dates: Dates) -> Clock:
    """Whether the local day lies between the two days, both included."""
    first = dates.from_.toordinal() if dates.from_ else 0
    last = dates.until.toordinal() if dates.until else 10_000_000
    return lambda moment: first <= local(moment)[0] <= last


def opposite(inner: Check) -> Check:
    """The other answer; unknown stays unknown."""

    def check(request: Request) -> Answer:
        found = inner(request)
        return None if found is None else not found

    return check


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


def _factors(value: tuple[str, ...]) -> Check:
    """Not by `_one_of`: every decision asks it more than once, and a call less is a quarter of it."""
    names = frozenset(value)

    def check(request: Request) -> Answer:
        factor = request.context.factor
        return None if factor is None else factor in names

    return check


def _suspended(value: bool) -> Check:
    return _known(value, lambda r: r.subject.suspended)


def _device_registered(value: bool) -> Check:
    return _known(value, lambda r: r.context.device_registered)


def _known(value: bool, fact: Check) -> Check:
    """A fact that is itself an answer."""
    return fact if value else opposite(fact)


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


def _days_a_week(value: int) -> Check:
    def check(request: Request) -> Answer:
        worked = request.context.days_worked
        return None if worked is None else worked < value

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


FACTORIES: Final[Mapping[str, Callable[..., Check]]] = {
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
    "factors": _factors,
    "suspended": _suspended,
    "device_registered": _device_registered,
    "same_tenant": _same_tenant,
    "zone_known": _zone_known,
    "password_age": _password_age,
    "totp_age": _totp_age,
    "seats_used_percent": _seats_used_percent,
    "gateway_load_percent": _gateway_load_percent,
    "user_sessions": _user_sessions,
    "days_a_week": _days_a_week,
    "bcp": _bcp,
}
"""How to compile the value of each condition that needs nothing but its value."""
